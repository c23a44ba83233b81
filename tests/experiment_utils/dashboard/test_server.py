"""Where the server listens, and what it says in the terminal."""

import socket
import socketserver

import psutil
import pytest

from experiment_utils.dashboard.security import Access, access_for
from experiment_utils.dashboard.server import listen, serve
from lifelong_rl.config import ConfigError
from tests.experiment_utils.dashboard.serving import app_for, ask, serving

TOKEN = "a-token-of-some-length"


def listening(port: int) -> set[str]:
    sockets = psutil.Process().net_connections(kind="tcp")
    return {found.laddr.ip for found in sockets if found.status == psutil.CONN_LISTEN and found.laddr.port == port}


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_it_listens_on_this_machine_only(host: str):
    with serving(access_for(host)) as port:
        assert listening(port) == {"127.0.0.1"}
        for address in own_addresses():
            with pytest.raises(ConnectionRefusedError):
                socket.create_connection((address, port), timeout=2)


def own_addresses() -> set[str]:
    interfaces = psutil.net_if_addrs().values()
    found = {entry.address for entries in interfaces for entry in entries if entry.family == socket.AF_INET}
    return {address for address in found if not address.startswith("127.")}


def test_a_port_that_is_taken_makes_way_for_the_next_and_the_terminal_says_so(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    access = access_for(token="auto")
    app = app_for(access)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        interrupted(monkeypatch)
        serve(app, access, port)
    said, address = capsys.readouterr().out.splitlines()
    used = said.removeprefix(f"Port {port} is taken; using ").rstrip(".")
    assert used.isdecimal()
    assert address == f"http://127.0.0.1:{used}/?token={access.token}  (Ctrl-C ends it)"


def test_a_given_token_is_not_shown(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch):
    access = access_for(token=TOKEN)
    app = app_for(access)
    interrupted(monkeypatch)
    serve(app, access, 0)
    assert "/?token=...  (Ctrl-C" in (shown := capsys.readouterr().out)
    assert TOKEN not in shown


def interrupted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C, as soon as the server waits for its first request."""
    def press(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(socketserver.BaseServer, "serve_forever", press)


@pytest.mark.parametrize("host", ["192.0.2.1", "no-such-name.invalid"])
def test_an_address_that_is_not_this_machines_is_refused_in_one_line(host: str):
    access = Access(host=host, token=TOKEN)
    app = app_for(access)
    with pytest.raises(ConfigError, match=f"^Cannot listen on {host}, port 8050: .*"):
        listen(app, access, 8050)


def test_requests_leave_no_line_behind(capfd: pytest.CaptureFixture[str]):
    with serving(access_for(token=TOKEN)) as port:
        for path in ("/", f"/?token={TOKEN}", "/nothing"):
            ask(port, path)
    assert capfd.readouterr() == ("", "")
