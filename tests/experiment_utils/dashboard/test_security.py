"""What is served and what is refused, asked over a real socket."""

import json
import socket
from collections.abc import Iterator
from typing import Any

import pytest

from experiment_utils.dashboard.security import MOST_BYTES, access_for
from lifelong_rl.config import ConfigError
from tests.experiment_utils.dashboard.serving import Answer, app_for, ask, serving

TOKEN = "a-token-of-some-length"
COPY = {
    "output": "copy.children",
    "outputs": {"id": "copy", "property": "children"},
    "inputs": [{"id": "word", "property": "value", "value": "hello"}],
    "changedPropIds": ["word.value"],
}


def layout() -> Any:
    from dash import dcc, html

    return html.Div([dcc.Input(id="word"), html.P(id="copy"), html.P("</script><script>alert(1)</script><!--<script")])


def copies(app: Any) -> None:
    from dash import Input, Output

    app.callback(Output("copy", "children"), Input("word", "value"))(lambda word: f"{word}!")


def post(port: int, body: bytes, **headers: str) -> Answer:
    return ask(port, "/_dash-update-component", "POST", {"Content-Type": "application/json"} | headers, body)


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    access = access_for()
    with serving(access, app_for(access, layout, copies)) as port:
        yield port


@pytest.fixture(scope="module")
def guarded_port() -> Iterator[int]:
    access = access_for(token=TOKEN)
    with serving(access, app_for(access, layout, copies)) as port:
        yield port


@pytest.mark.parametrize("path", ["/", "/_dash-layout", "/_dash-dependencies", "/_favicon.ico", "/?filter=seed+%3D+1"])
def test_the_page_and_what_it_asks_for_are_served(port: int, path: str):
    assert ask(port, path).status == 200


def test_a_callback_answers_the_page_that_belongs_to_it(port: int):
    answer = post(port, json.dumps(COPY).encode(), Origin=f"http://127.0.0.1:{port}")
    assert answer.status == 200
    assert json.loads(answer.body)["response"]["copy"]["children"] == "hello!"


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "", "http://127.0.0.1:1", "https://127.0.0.1:{port}"])
def test_a_page_of_someone_else_cannot_post(port: int, origin: str):
    assert post(port, json.dumps(COPY).encode(), Origin=origin.format(port=port)).status == 403


def test_a_post_that_does_not_say_where_it_comes_from_is_refused(port: int):
    assert post(port, json.dumps(COPY).encode()).status == 403


@pytest.mark.parametrize(
    "host",
    [
        "evil.example", "evil.example:{port}", "127.0.0.1.evil.example:{port}", "localhost.evil.example", "localhost.",
        "127.0.0.1@evil.example", "127.0.0.1:{port}:80", "127.0.0.1, evil.example", "0.0.0.0:{port}", "[::2]:{port}",
        "127.0.0.1/../", "127.1", "2130706433", "", " ", "localhost:", "<script>", "\xe9vil", "[::1",
    ],
)  # fmt: skip
def test_a_name_that_is_not_the_servers_is_refused(port: int, host: str):
    assert ask(port, "/", headers={"Host": host.format(port=port)}).status == 400


@pytest.mark.parametrize("host", ["localhost:{port}", "LOCALHOST", "127.0.0.1:{port}", "[::1]:{port}", "localhost:9"])
def test_the_servers_own_names_are_taken_with_any_port(port: int, host: str):
    assert ask(port, "/", headers={"Host": host.format(port=port)}).status == 200


def test_an_address_in_the_request_line_counts_as_the_host(port: int):
    assert ask(port, f"http://evil.example:{port}/").status == 400


@pytest.mark.parametrize(
    "path",
    [
        "/etc/passwd", "/..%2f..%2fetc%2fpasswd", "/assets/..%2fsecurity.py", "/assets/../security.py", "/nothing",
        "/%2e%2e/%2e%2e/etc/passwd", "/_dash-component-suites/dash/..%2fdash.py", "/_dash-component-suites/os/path.py",
        "/_dash-component-suites/dash/dash.py", "/static/server.py", "/_mcp", "/_reload-hash/x", "/_dash-layout/x",
    ],
)  # fmt: skip
def test_what_no_rule_names_is_not_found(port: int, path: str):
    assert ask(port, path).status == 404


@pytest.mark.parametrize("method", ["PUT", "DELETE", "OPTIONS", "TRACE", "PATCH", "CONNECT"])
def test_only_reading_and_posting_are_known(port: int, method: str):
    assert ask(port, "/", method).status == 405


def test_a_body_beyond_the_limit_is_refused(port: int):
    assert post(port, b" " * (MOST_BYTES + 1), Origin=f"http://127.0.0.1:{port}").status == 413


def test_two_hosts_are_none_and_a_body_tells_its_length(port: int):
    def status(request: str) -> bytes:
        with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
            connection.sendall(request.replace("\n", "\r\n").encode())
            return connection.makefile("rb").readline().split()[1]

    own = f"Host: 127.0.0.1:{port}\nOrigin: http://127.0.0.1:{port}\n"
    post = f"POST /_dash-update-component HTTP/1.1\n{own}Content-Type: application/json\nTransfer-Encoding: chunked\n"
    assert status(f"GET / HTTP/1.1\n{own}\n") == b"200"
    assert status(f"GET / HTTP/1.1\n{own}Host: evil.example\n\n") == b"400"
    assert status("GET / HTTP/1.0\n\n") == b"400"
    assert status(f"{post}\n2\n{{}}\n0\n\n") == b"411"


def test_a_body_that_is_no_json_is_refused(port: int):
    assert post(port, b"{", Origin=f"http://127.0.0.1:{port}").status == 400


@pytest.mark.parametrize("path", ["/", "/_dash-layout", "/nothing", "/media/a/b"])
def test_every_answer_tells_the_browser_to_be_careful(port: int, path: str):
    headers = ask(port, path).headers
    rules = dict(rule.split(" ", 1) for rule in headers["Content-Security-Policy"].split("; "))

    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert headers["Cache-Control"] == "no-store"
    assert "Access-Control-Allow-Origin" not in headers
    assert rules["default-src"] == rules["frame-ancestors"] == rules["base-uri"] == "'none'"
    assert "unsafe" not in rules["script-src"]
    assert "http" not in headers["Content-Security-Policy"]


def test_text_of_the_page_cannot_end_a_script_and_nothing_is_loaded_from_elsewhere(port: int):
    page = ask(port, "/").body.decode()
    assert "alert(1)" in page
    assert "<script>alert(1)" not in page
    assert 'src="http' not in page
    assert 'src="//' not in page


def test_with_a_token_every_path_needs_it(guarded_port: int):
    for path in ("/", "/_dash-layout", "/_favicon.ico", "/media/a/b", "/nothing", "/?token=wrong", "/?token="):
        assert ask(guarded_port, path).status == 401, path
    assert post(guarded_port, b"{}", Origin=f"http://127.0.0.1:{guarded_port}").status == 401


def test_the_token_becomes_a_cookie_and_leaves_the_address(guarded_port: int):
    admitted = ask(guarded_port, f"/?x=1&token={TOKEN}&filter=a+%3D+%26")
    assert (admitted.status, admitted.headers["Location"]) == (303, "/?x=1&filter=a+%3D+%26")
    cookie, *rules = admitted.headers["Set-Cookie"].split("; ")
    assert set(rules) == {"HttpOnly", "Path=/", "SameSite=Strict"}
    assert TOKEN not in cookie

    assert ask(guarded_port, "/_dash-layout", headers={"Cookie": cookie}).status == 200
    assert ask(guarded_port, "/_dash-layout", headers={"Cookie": cookie[:-1]}).status == 401
    assert ask(guarded_port, "/", headers={"Cookie": cookie, "Host": "evil.example"}).status == 400


@pytest.mark.parametrize("path", ["//evil.example/", "/_dash-layout", "/media/a/b", "/%5cevil.example"])
def test_the_token_is_taken_at_the_pages_address_only(guarded_port: int, path: str):
    answer = ask(guarded_port, f"{path}?token={TOKEN}")
    assert answer.status == 401
    assert "Location" not in answer.headers


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "server.example", "127.0.0.1.example"])
def test_an_address_that_others_reach_needs_a_token(host: str):
    with pytest.raises(ConfigError, match="^--host .*--token auto") as refused:
        access_for(host)
    assert "\n" not in str(refused.value)
    assert access_for(host, TOKEN).token == TOKEN


@pytest.mark.parametrize("token", ["", "short", "with spaces in it, long", "x" * 201, "ünïcödé-ünïcödé-ünïcödé"])
def test_a_token_that_can_be_guessed_or_mistyped_is_refused(token: str):
    with pytest.raises(ConfigError, match="^--token: expected"):
        access_for(token=token)


def test_a_made_token_is_long_and_new_each_time_and_no_secret_shows_in_a_repr():
    one, other = access_for("0.0.0.0", "auto"), access_for("0.0.0.0", "auto")
    assert one.token is not None
    assert len(one.token) >= 40
    assert one.token != other.token
    assert one.token not in repr(one)
    assert one.cookie not in repr(one)


@pytest.mark.parametrize("host", ["10.1.2.3:80", "[fe80::1]", "localhost:1", socket.gethostname().upper()])
def test_on_every_address_numbers_and_the_machines_name_are_its_names(host: str):
    access = access_for("0.0.0.0", TOKEN)
    assert access.is_name(host)
    assert not access.is_name("evil.example")
