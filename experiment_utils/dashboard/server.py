"""The dashboard's web server: Dash around a page that is given, everything from this machine, threads, no log."""

import errno
import socket
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from experiment_utils.dashboard.media import serve_media
from experiment_utils.dashboard.security import EVERYWHERE, Access, protect, send_headers
from lifelong_rl.config import ConfigError

if TYPE_CHECKING:
    from dash import Dash
    from werkzeug.serving import BaseWSGIServer

NEXT_PORTS = 10  # tried one after the other before any free one will do
IDLE_SECONDS = 60  # a connection that says nothing for so long is closed


def make_app(
    layout: Any,
    register_callbacks: Callable[["Dash"], None],
    *,
    access: Access,
    find_run: Callable[[str], Path | None],
    title: str = "lifelong_rl",
) -> "Dash":
    """The page `layout` (a component, or a function that makes one) behind `access`, and the media of the runs."""
    from dash import Dash
    from dash.exceptions import DependencyException
    from flask import Flask

    server: Any = Flask("experiment_utils.dashboard", static_folder=None)
    protect(server, access)
    serve_media(server, find_run)
    app = Dash(
        "experiment_utils.dashboard",  # its assets folder holds the page's own styles and scripts
        server=server, title=title, update_title="", serve_locally=True, compress=False, enable_mcp=False,
        add_log_handler=False,
    )  # fmt: skip
    app.layout = layout
    register_callbacks(app)
    send_headers(server, app.csp_hashes())
    server.register_error_handler(DependencyException, lambda error: ("404: no such file\n", 404))
    return app


def listen(app: "Dash", access: Access, port: int) -> "BaseWSGIServer":
    """A server on that port, or on a free one where it is taken; `serve_forever` sets it to work."""
    from werkzeug.serving import WSGIRequestHandler, make_server

    class Quiet(WSGIRequestHandler):
        timeout = IDLE_SECONDS

        def log(self, *_: object) -> None:
            pass

        def version_string(self) -> str:
            return "lifelong_rl"

    host = "127.0.0.1" if access.host == "localhost" else access.host
    with _bound_socket(host, port) as bound:
        return make_server(host, port, app.server, threaded=True, request_handler=Quiet, fd=bound.fileno())


def serve(app: "Dash", access: Access, port: int) -> None:
    """Prints the address and serves until Ctrl-C. Only a token that was made here is shown."""
    server = listen(app, access, port)
    if port not in (0, server.port):
        print(f"Port {port} is taken; using {server.port}.")
    host = socket.gethostname() if access.host in EVERYWHERE else access.host
    secret = f"?token={access.token}" if access.is_new else "?token=..." if access.token else ""
    print(f"http://{f'[{host}]' if ':' in host else host}:{server.port}/{secret}  (Ctrl-C ends it)", flush=True)
    server.serve_forever()


def _bound_socket(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    for candidate in (*range(port, min(port + NEXT_PORTS, 65536)), 0):
        try:
            return socket.create_server((host, candidate), family=family)
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise ConfigError(f"Cannot listen on {host}, port {candidate}: {error.strerror}.") from None
    raise ConfigError(f"{host}: no port is free.")
