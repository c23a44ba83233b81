"""A page with all that the dashboard is made of works in a real browser under its content security policy."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from experiment_utils.dashboard.media import media_of, media_url
from experiment_utils.dashboard.security import GRAPH_CONFIG, access_for
from tests.experiment_utils.dashboard.serving import app_for, serving

if TYPE_CHECKING:
    from selenium.webdriver import Chrome

HOSTILE = "<img src=x onerror='window.ran=1'><script>window.ran=1</script>"
INLINE = "const s = document.createElement('script'); s.textContent = 'window.ran = 1'; document.body.append(s);"
SEEK = """const tell = arguments[0], film = document.querySelector('video');
film.onerror = () => tell('error ' + film.error.code);
film.onseeked = () => tell([film.currentTime, film.videoWidth]);
film.currentTime = 1.5;"""


def layout(run: Path) -> Any:
    from dash import dcc, html

    return html.Div([
        dcc.Location(id="address"), dcc.Dropdown(["lines", "bars", "map"], "lines", id="kind"), html.P(id="said"),
        dcc.Graph(id="graph", config=GRAPH_CONFIG), html.Table(html.Tr(html.Td(HOSTILE))),
        html.Button("save", id="save"), dcc.Download(id="file"), dcc.Markdown("*text*"),
        html.Video(src=media_url("run", media_of(run)[0]), muted=True),
    ])  # fmt: skip


def callbacks(app: Any) -> None:
    import plotly.graph_objects as go
    from dash import Input, Output

    figures = {
        "lines": go.Scatter(x=[1, 2], y=[1, 2], name=HOSTILE, showlegend=True),
        "bars": go.Bar(x=[HOSTILE], y=[1]),
        "map": go.Heatmap(z=[[1, 2], [3, 4]]),
    }
    app.callback(Output("graph", "figure"), Input("kind", "value"))(lambda kind: go.Figure(figures[kind]))
    app.clientside_callback("kind => 'drew ' + kind", Output("said", "children"), Input("kind", "value"))
    app.callback(Output("file", "data"), Input("save", "n_clicks"), prevent_initial_call=True)(
        lambda clicks: {"content": "a,b\n1,2\n", "filename": "table.csv"}
    )


@pytest.fixture
def run(tmp_path: Path) -> Path:
    import av
    import numpy as np

    (tmp_path / "videos").mkdir()
    with av.open(str(tmp_path / "videos" / "a.mp4"), "w") as film:
        stream: Any = film.add_stream("libx264", rate=10)
        stream.width = stream.height = 64
        stream.pix_fmt = "yuv420p"
        for shade in range(0, 240, 12):
            film.mux(stream.encode(av.VideoFrame.from_ndarray(np.full((64, 64, 3), shade, np.uint8), format="rgb24")))
        film.mux(stream.encode())
    return tmp_path


def requests(browser: "Chrome") -> set[str]:
    events = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    sent = [event["params"]["request"]["url"] for event in events if event["method"] == "Network.requestWillBeSent"]
    return {url for url in sent if not url.startswith(("data:", "blob:"))}


@pytest.mark.engines
def test_the_page_works_asks_nobody_else_and_runs_no_script_of_others(browser: "Chrome", run: Path, downloads: Path):
    from selenium.webdriver.support.ui import WebDriverWait

    wait = WebDriverWait(browser, 60)
    for kind in ("browser", "performance"):
        browser.get_log(kind)  # what other tests' pages have left there

    def wait_for(script: str) -> None:
        wait.until(lambda page: page.execute_script(f"return {script}"))

    access = access_for(token="auto")
    app = app_for(access, lambda: layout(run), callbacks, {"run": run}.get)
    with serving(access, app) as port:
        browser.get(f"http://127.0.0.1:{port}/?token={access.token}&x=1")
        assert browser.current_url == f"http://127.0.0.1:{port}/?x=1"
        for kind, drawn in (("lines", ".scatterlayer .trace"), ("bars", ".barlayer .trace"), ("map", ".hm image")):
            browser.execute_script("dash_clientside.set_props('kind', {value: arguments[0]})", kind)
            wait_for(f"document.querySelector('#graph {drawn}') !== null")
            wait_for(f"document.querySelector('#said').textContent === 'drew {kind}'")
        assert browser.execute_async_script(SEEK) == [1.5, 64]
        browser.find_element("id", "save").click()
        wait.until(lambda page: (downloads / "table.csv").is_file())
        titles = "return [...document.querySelectorAll('.modebar-btn')].map(button => button.dataset.title)"
        assert not {title for title in browser.execute_script(titles) if "hare" in title or "lotly" in title}
        assert browser.get_log("browser") == []
        assert {url.split("/")[2] for url in requests(browser)} == {f"127.0.0.1:{port}"}

        browser.execute_script(INLINE)
        complaints = [entry["message"] for entry in browser.get_log("browser")]
        assert len(complaints) == 1, complaints
        assert "Content Security Policy" in complaints[0]
        assert browser.execute_script("return window.ran") is None
