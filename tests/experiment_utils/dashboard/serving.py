"""A dashboard on a real socket, and requests that no browser would send."""

import http.client
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from experiment_utils.dashboard.security import Access
from experiment_utils.dashboard.server import listen, make_app


@dataclass(frozen=True)
class Answer:
    """What came back: names of headers as they are, values by name in any case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def empty_page() -> Any:
    from dash import html

    return html.Div()


def app_for(
    access: Access,
    layout: Callable[[], Any] = empty_page,
    register_callbacks: Callable[[Any], None] = lambda app: None,
    find_run: Callable[[str], Path | None] = lambda run_id: None,
) -> Any:
    """A dashboard; nobody serves it yet."""
    return make_app(layout, register_callbacks, access=access, find_run=find_run)


@contextmanager
def serving(access: Access, app: Any = None) -> Iterator[int]:
    """The port of a dashboard that serves until the block ends."""
    server = listen(app or app_for(access), access, 0)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield server.port
    finally:
        server.shutdown()
        thread.join()


def ask(
    port: int, target: str, method: str = "GET", headers: Mapping[str, str] | None = None, body: bytes | None = None
) -> Answer:
    """Sends `target` as it stands: nothing is tidied up on the way. A Host among the headers is sent as it is."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    connection.putrequest(method, target, skip_host="Host" in (headers or {}), skip_accept_encoding=True)
    for name, value in (headers or {}).items():
        connection.putheader(name, value)
    if body is not None:
        connection.putheader("Content-Length", str(len(body)))
    connection.endheaders(body)
    response = connection.getresponse()
    answer = Answer(response.status, response.headers, response.read())  # type: ignore[arg-type]
    connection.close()
    return answer
