"""Who may read the dashboard, and what its pages may do in a browser.

Without a token only this machine is served. The Host header must be a name of this server, so that no foreign name can
be pointed at it (DNS rebinding), and what is posted must come from its own pages.
"""

import hmac
import ipaddress
import re
import secrets
import socket
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from lifelong_rl.config import ConfigError

if TYPE_CHECKING:
    from flask import Flask, Response

LOOPBACK = ("localhost", "127.0.0.1", "::1")
EVERYWHERE = ("0.0.0.0", "::")
TOKEN = re.compile(r"[A-Za-z0-9_-]{16,200}")
HOST_HEADER = re.compile(r"(?:\[([0-9a-f:.]+)\]|([^][:/@\s]+))(?::\d{1,5})?", re.IGNORECASE)
MOST_BYTES = 1 << 20  # of a posted body
CATCH_ALL = "/<path:path>"  # Dash's rule that answers any address with the page
GRAPH_CONFIG = {  # no button that sends it away
    "showSendToCloud": False, "plotlyServerURL": "", "displaylogo": False, "displayModeBar": "hover",
}  # fmt: skip
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


@dataclass(frozen=True, kw_only=True)
class Access:
    """Where the server listens and who is let in. A browser that once showed the token keeps `cookie` instead."""

    host: str
    token: str | None = field(default=None, repr=False)
    is_new: bool = False  # the token was made here, so the terminal has to show it
    cookie: str = field(default_factory=lambda: secrets.token_urlsafe(32), repr=False)

    def is_name(self, host_header: str) -> bool:
        """Whether the header names this server. Any port: through an SSH tunnel, the browser's is another one."""
        match = HOST_HEADER.fullmatch(host_header)
        if match is None:
            return False
        name = (match[1] or match[2]).lower()
        if self.host in EVERYWHERE:  # an address cannot be rebound, only a name can
            return name in (*LOOPBACK, socket.gethostname().lower()) or _address(name) is not None
        return name in (*LOOPBACK, self.host.lower())


def access_for(host: str = "127.0.0.1", token: str | None = None) -> Access:
    """Checks the flags; the token "auto" makes one. Beyond this machine, nobody gets in without."""
    host = host.strip("[]")
    address = _address(host)
    is_local = host == "localhost" or (address is not None and address.is_loopback)
    if token is None and not is_local:
        raise ConfigError(f"--host {host}: others can reach that address, so it needs --token auto, or one of yours.")
    if token not in (None, "auto") and not TOKEN.fullmatch(token or ""):
        raise ConfigError("--token: expected auto, or 16 to 200 letters, digits, - and _.")
    if token == "auto":
        return Access(host=host, token=secrets.token_urlsafe(32), is_new=True)
    return Access(host=host, token=token)


def protect(server: "Flask", access: Access) -> None:
    """Refuses, before anything else looks at it, a request that is none of this server's."""
    from flask import request

    server.config["MAX_CONTENT_LENGTH"] = MOST_BYTES

    @server.before_request
    def check() -> Any:
        host = request.headers.get("Host", "")
        if not access.is_name(host):
            return _refusal(400, "This server goes by another name: open the address that it printed.")
        if access.token is not None and not _is_admitted(access):
            return _admission(access, access.token)
        if request.method not in ("GET", "HEAD", "POST"):
            return _refusal(405, "Only GET, HEAD and POST.")
        if "Transfer-Encoding" in request.headers:  # no browser sends a body whose length it does not tell
            return _refusal(411, "The body needs a Content-Length.")
        if request.method == "POST" and request.headers.get("Origin") != f"{request.scheme}://{host}":
            return _refusal(403, "Only this server's own pages may post.")
        if request.url_rule is not None and request.url_rule.rule == CATCH_ALL:
            return _refusal(404, "No such page.")
        return None


def send_headers(server: "Flask", inline_scripts: Sequence[str]) -> None:
    """With every answer: what its page may load (its own server only), run (scripts with these hashes) and keep."""
    policy = {
        "default-src": "'none'",
        "script-src": " ".join(("'self'", *inline_scripts)),
        "style-src": "'self' 'unsafe-inline'",  # plotly and Dash's components write style elements
        "img-src": "'self' data: blob:",
        "media-src": "'self'",
        "font-src": "'self'",
        "connect-src": "'self'",
        "base-uri": "'none'",
        "form-action": "'none'",
        "frame-ancestors": "'none'",
    }
    headers = HEADERS | {"Content-Security-Policy": "; ".join(f"{name} {value}" for name, value in policy.items())}

    @server.after_request
    def harden(response: "Response") -> "Response":
        response.headers.update(headers)
        if response.cache_control.max_age is None:  # only the libraries' own files, named by version, have an age
            response.headers["Cache-Control"] = "no-store"
        return response


def _address(name: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(name)
    except ValueError:
        return None


def _cookie_name() -> str:
    from flask import request

    return f"dashboard_{request.environ['SERVER_PORT']}"  # cookies know no ports: two dashboards, two names


def _is_admitted(access: Access) -> bool:
    from flask import request

    return _is_same(request.cookies.get(_cookie_name(), ""), access.cookie)


def _admission(access: Access, token: str) -> "Response":
    """The page's address with the right token leads to the one without, and leaves the cookie; 401 otherwise."""
    from urllib.parse import urlencode

    from flask import redirect, request

    given = request.args.get("token", "")
    if request.path != "/" or request.method != "GET" or not _is_same(given, token):
        return _refusal(401, "It takes the token: open the address that the terminal shows, /?token=...")
    rest = [(name, value) for name, value in request.args.items(multi=True) if name != "token"]
    response = redirect(f"/?{urlencode(rest)}" if rest else "/", 303)
    response.set_cookie(_cookie_name(), access.cookie, httponly=True, samesite="Strict")
    return response  # type: ignore[return-value]


def _is_same(given: str, secret: str) -> bool:
    return hmac.compare_digest(given.encode("utf-8", "replace"), secret.encode())


def _refusal(status: int, text: str) -> "Response":
    from flask import make_response

    return make_response((f"{status}: {text}\n", status, {"Content-Type": "text/plain; charset=utf-8"}))
