"""A real HTTP proxy that answers a share of the requests with errors, or cuts the connection before or after them."""

import contextlib
import http.client
import socket
import struct
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np

FAULTS = ("500", "503", "cut before", "cut after", "cut in the answer")
ANSWER = b"<Error><Code>%s</Code><Message>injected</Message></Error>"


class FaultyProxy:
    """In front of `port`; `fraction` of requests fail, by a seeded draw."""

    def __init__(self, port, fraction, seed=0):
        self.fraction, self.num_requests, self.num_faults = fraction, 0, dict.fromkeys(FAULTS, 0)
        self._generator, self._lock = np.random.default_rng(seed), threading.Lock()
        proxy = self

        class Handler(_Handler):
            target = port

            def fault(self):
                return proxy.draw()

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def draw(self):
        with self._lock:
            self.num_requests += 1
            if self._generator.random() >= self.fraction:
                return None
            fault = FAULTS[self._generator.integers(len(FAULTS))]
            self.num_faults[fault] += 1
            return fault

    def __enter__(self):
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._server.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self):
        fault = self.fault()
        if fault == "cut before":
            return self.cut()
        if self.headers.get("Expect", "").lower() == "100-continue":
            self.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if fault in ("500", "503"):
            text = ANSWER % (b"InternalError" if fault == "500" else b"SlowDown")
            return self.send(int(fault), [("Content-Type", "application/xml")], text, len(text))

        connection = http.client.HTTPConnection("127.0.0.1", self.target, timeout=30)
        headers = {name: value for name, value in self.headers.items() if name.lower() not in ("expect", "connection")}
        connection.request(self.command, self.path, body=body, headers=headers)
        response = connection.getresponse()
        content = response.read()
        connection.close()
        if fault == "cut after":
            return self.cut()
        size = response.headers.get("Content-Length", len(content))
        kept = [item for item in response.getheaders() if item[0].lower() not in ("connection", "content-length")]
        self.send(response.status, kept, content[: len(content) // 2] if fault else content, size)
        return self.cut() if fault else None

    do_GET = do_PUT = do_POST = do_HEAD = do_DELETE = answer  # noqa: N815

    def send(self, status, headers, content, size):
        self.send_response_only(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(size))
        self.end_headers()
        self.wfile.write(content)

    def cut(self):
        """A reset: what was sent before may be lost as well."""
        self.close_connection = True
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        with contextlib.suppress(OSError):
            self.connection.close()

    def handle(self):
        with contextlib.suppress(OSError, ValueError):
            super().handle()

    def finish(self):
        with contextlib.suppress(OSError, ValueError):
            super().finish()

    def log_message(self, *_):
        pass
