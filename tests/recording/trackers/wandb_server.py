"""A server that answers Weights & Biases' own client as far as a run needs it, and keeps what it is sent."""

import contextlib
import gzip
import http.server
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

Run = dict[str, Any]


class WandbServer(http.server.ThreadingHTTPServer):
    """`runs`: name -> history and summary. `refuses` is a status to answer all with; `hangs_on` the end of a path, or
    all, that it never answers.
    """

    daemon_threads = True
    block_on_close = False

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answers)
        self.runs: dict[str, Run] = {}
        self.received: list[bytes] = []
        self.refuses: int | None = None
        self.hangs_on: str | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def answer(self, operation: str, values: dict[str, Any]) -> dict[str, Any]:
        """What GraphQL is asked for: who one is, whether a run is there, to make one, where to put files."""
        project = {"id": "p", "name": "p", "entity": {"id": "e", "name": "e"}}
        if operation == "Viewer":
            return {"viewer": {"id": "v", "entity": "e", "username": "e", "teams": {"edges": []}}}
        if operation == "RunResumeStatus":
            return {"model": {**project, "bucket": _resumed(values["name"], self.runs.get(values["name"]))}}
        if operation == "UpsertBucket":
            inserted = values["name"] not in self.runs
            self.runs.setdefault(values["name"], {"wandb-history.jsonl": [], "wandb-summary.json": ["{}"]})
            self.runs[values["name"]] |= {key: values[key] for key in ("config", "displayName") if values.get(key)}
            bucket = {"id": values["name"], "name": values["name"], "project": project, "historyLineCount": 0}
            return {"upsertBucket": {"bucket": bucket, "inserted": inserted}}
        if operation == "CreateRunFiles":
            files = [{"name": name, "uploadUrl": f"{self.url}/upload/{name}"} for name in values["files"]]
            return {"createRunFiles": {"runID": values["run"], "uploadHeaders": [], "files": files}}
        return {}

    def stream(self, name: str, sent: dict[str, Any]) -> None:
        """Lines of files, from an offset on."""
        for file, piece in (sent.get("files") or {}).items():
            lines = self.runs[name].setdefault(file, [])
            lines[piece["offset"] : piece["offset"] + len(piece["content"])] = piece["content"]

    def history(self, name: str) -> list[Any]:
        return [json.loads(line) for line in self.runs[name]["wandb-history.jsonl"]]


@contextmanager
def wandb_server() -> Iterator[WandbServer]:
    """Listens on this machine until the block ends."""
    server = WandbServer()
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()


def _resumed(name: str, run: Run | None) -> dict[str, Any] | None:
    if run is None:
        return None
    history = run["wandb-history.jsonl"]
    return {
        "id": name, "name": name, "displayName": name, "summaryMetrics": run["wandb-summary.json"][-1], "config": "{}",
        "historyLineCount": len(history), "eventsLineCount": 0, "logLineCount": 0, "tags": [], "notes": None,
        "historyTail": json.dumps(history[-1:]), "eventsTail": "[]", "wandbConfig": json.dumps({"t": 1}),
    }  # fmt: skip


class _Answers(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: WandbServer

    def do_POST(self) -> None:
        body = self._body()
        self.server.received.append(body)
        if self.server.hangs_on is not None and self.path.endswith(self.server.hangs_on):
            threading.Event().wait()
        if self.server.refuses is not None:
            return self._reply(self.server.refuses, {"error": "no"})
        if self.path == "/graphql":
            asked = json.loads(body)
            return self._reply(200, {"data": self.server.answer(asked["operationName"], asked.get("variables") or {})})
        if self.path.endswith("/file_stream"):
            self.server.stream(self.path.split("/")[-2], json.loads(body))
        return self._reply(200, {})

    def do_PUT(self) -> None:
        self.do_POST()

    def do_GET(self) -> None:
        self.do_POST()

    def _body(self) -> bytes:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        return gzip.decompress(body) if self.headers.get("Content-Encoding") == "gzip" else body

    def _reply(self, status: int, values: dict[str, Any]) -> None:
        content = json.dumps(values).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def handle(self) -> None:
        with contextlib.suppress(ConnectionError):  # of clients that were killed
            super().handle()

    def log_message(self, format: str, *arguments: object) -> None:
        """Says nothing."""
