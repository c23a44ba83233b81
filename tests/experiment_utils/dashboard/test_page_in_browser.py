"""The dashboard in a real browser, network off: what a user does with it, from the first page to a film."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from experiment_utils.dashboard.security import access_for
from experiment_utils.dashboard.start import dashboard
from lifelong_rl.recording.video import write_video
from tests.experiment_utils.dashboard.serving import serving
from tests.experiment_utils.results.run_files import rows_of, write_run, write_sweep

if TYPE_CHECKING:
    from selenium.webdriver import Chrome

pytestmark = pytest.mark.engines
SUCCESS = "evaluation/success_rate"
NAMES = """return [...document.querySelectorAll('#content .js-plotly-plot')].map(
    plot => plot.data.filter(trace => trace.name && trace.showlegend !== false).map(trace => trace.name))"""
HOSTILE = [
    "<script>window.ran=1</script>", "<img src=x onerror=window.ran=1>", "\"><svg onload=window.ran=1>",
    "<a href='javascript:window.ran=1'>x</a>", "javascript:window.ran=1", "</title><script>window.ran=1</script>",
    "{{7*7}}", "${window.ran=1}", "%{y}<b>bold</b>", "__import__('os').system('touch ran')", "'; drop table runs; --",
    "../../../etc/passwd", "..%2f..%2fetc%2fpasswd", "\x00null", "\u202egnp.exe", "=cmd|' /C calc'!A0",
    "<iframe srcdoc='<script>parent.ran=1</script>'>", "&lt;script&gt;", "<style>*{display:none}</style>", "a" * 900,
]  # fmt: skip


class Page:
    """A browser on a dashboard; waits for what it asks."""

    def __init__(self, browser: "Chrome", port: int) -> None:
        self.browser, self.root = browser, f"http://127.0.0.1:{port}/"

    def open(self, search: str = "") -> None:
        self.browser.get(self.root + search)
        self.wait("document.querySelector('#content > *, #problem:not(:empty)')")

    def wait(self, condition: str) -> Any:
        from selenium.webdriver.support.ui import WebDriverWait

        return WebDriverWait(self.browser, 60).until(lambda page: page.execute_script(f"return {condition}"))

    def lines(self) -> list[list[str]]:
        """Of each figure the names in its legend."""
        self.wait("document.querySelectorAll('#content .js-plotly-plot').length")
        return self.browser.execute_script(NAMES)

    def type(self, control: str, text: str) -> None:
        from selenium.webdriver.common.by import By
        from selenium.webdriver.common.keys import Keys

        field = self.browser.find_element(By.ID, control)
        field.clear()
        field.send_keys(text, Keys.ENTER)

    def choose(self, control: str, option: str) -> None:
        """Opens a drop-down list and clicks one of its entries."""
        from selenium.webdriver.common.by import By

        self.browser.find_element(By.ID, control).click()
        entries = "[...document.querySelectorAll('[role=option], .dash-dropdown-option')]"
        self.wait(f"{entries}.some(entry => entry.innerText.trim() === {json.dumps(option)})")
        self.browser.execute_script(
            f"{entries}.find(entry => entry.innerText.trim() === {json.dumps(option)}).click(); document.body.click()"
        )

    def run(self, script: str) -> Any:
        return self.browser.execute_script(script)

    def problems(self) -> list[str]:
        return [entry["message"] for entry in self.browser.get_log("browser") if entry["level"] == "SEVERE"]


@pytest.fixture
def page(browser: "Chrome", tmp_path: Path) -> Iterator[Page]:
    (first, *_) = write_sweep(tmp_path / "maze", [0.3, 0.6])
    frames = [np.full((64, 64, 3), shade, np.uint8) for shade in range(0, 240, 8)]
    write_video(first / "videos" / "itr_1_policy_multi.mp4", frames, 10)
    write_run(tmp_path / "maze" / "broken", [], {"agent": {"name": "ddpg", "rate": 9}, "seed": 0},
              state="failed", error="ValueError: no such maze.")  # fmt: skip
    app, source = dashboard([tmp_path / "maze"], access_for())
    with serving(access_for(), app) as port:
        yield Page(browser, port)
    source.close()


def test_a_user_groups_splits_filters_shares_the_address_and_opens_a_film(page: Page):
    page.open()
    assert page.lines() == [["rate=0.3 (n=3)", "rate=0.6 (n=3)"]]

    page.type("show", "agent.rate > 0.5 and seed < 2")
    page.wait("document.querySelector('#content .js-plotly-plot').data.filter(trace => trace.name).length === 1")
    assert page.lines() == [["rate=0.6 (n=2)"]]

    page.type("show", "")
    page.wait("document.querySelectorAll('#content .js-plotly-plot').length")
    page.choose("split", "agent.rate")
    page.wait("document.querySelectorAll('#content .js-plotly-plot').length === 2")
    page.wait("location.search.includes('split=agent.rate')")
    address = page.browser.current_url
    page.browser.get("about:blank")
    page.browser.get(address)
    page.wait("document.querySelectorAll('#content .js-plotly-plot').length === 2")
    assert len(page.lines()) == 2

    page.open("?tab=runs")
    page.wait("document.querySelectorAll('#content tbody tr').length === 7")
    assert "ValueError: no such maze." in page.run("return document.querySelector('tbody tr').innerText")
    page.run("[...document.querySelectorAll('tbody a')].find(a => a.innerText.endsWith('0-s0')).click()")
    page.wait("document.querySelector('video') && document.querySelector('video').readyState >= 1")
    assert page.run("return document.querySelector('video').duration") == pytest.approx(3.0, abs=0.2)
    page.wait("location.search.includes('tab=run')")
    page.browser.back()
    page.wait("document.querySelectorAll('#content tbody tr').length === 7")
    assert page.problems() == []


def test_new_numbers_and_runs_are_seen_when_the_page_looks_again(page: Page, tmp_path: Path):
    page.open()
    assert page.lines() == [["rate=0.3 (n=3)", "rate=0.6 (n=3)"]]
    variant = {"agent": {"name": "ddpg", "rate": 0.9}, "seed": 0}
    write_run(tmp_path / "maze" / "rate-0.9-0a1b2c3d-s0", rows_of(SUCCESS, [0.9]), variant)
    page.run("document.getElementById('reload').click()")
    drawn = "document.querySelector('#content .js-plotly-plot').data"
    page.wait(f"{drawn}.some(trace => (trace.name || '').startsWith('rate=0.9'))")
    assert "8 runs" in page.run("return document.getElementById('counts').innerText")


def test_a_page_that_was_opened_too_early_shows_the_first_runs_as_they_come(browser: "Chrome", tmp_path: Path):
    app, source = dashboard([tmp_path], access_for())
    with serving(access_for(), app) as port:
        page = Page(browser, port)
        page.open()
        assert page.run("return document.getElementById('content').innerText").startswith("No runs yet.")
        write_sweep(tmp_path / "maze", [0.3, 0.6])
        page.run("document.getElementById('reload').click()")
        assert page.lines() == [["rate=0.3 (n=3)", "rate=0.6 (n=3)"]]
    source.close()


def test_what_is_wrong_is_said_in_one_line_and_can_be_mended(page: Page):
    page.open("?show=agent.raet+%3D+1")
    page.wait("document.getElementById('problem').innerText.includes('agent.rate')")
    page.type("show", "agent.rate = 0.3")
    page.wait("document.getElementById('problem').innerText === ''")
    assert len(page.lines()[0]) == 1


def test_hostile_texts_are_shown_as_texts(browser: "Chrome", tmp_path: Path):
    for number, text in enumerate(HOSTILE):
        safe = "".join(sign for sign in text if sign not in "/\x00")[:200]
        variant = {"agent": {"name": text, safe: number}, "seed": 0}
        directory = tmp_path / "maze" / f"{safe}-{number:08x}-s0"
        write_run(directory, rows_of(f"evaluation/{text}", [1.0, 2.0]), variant, state=text[:40], error=text)
    app, source = dashboard([tmp_path / "maze"], access_for())
    with serving(access_for(), app) as port:
        page = Page(browser, port)
        for tab in ("curves", "finals", "runs"):
            page.open(f"?tab={tab}&group=agent.name&legend=%7Bagent.name%7D")
            page.wait("document.querySelector('#content .js-plotly-plot, tbody tr')")
            assert page.run("return window.ran") is None
        for run in source.found().runs:
            page.open(f"?tab=run&run={run.id}")
            page.wait("document.querySelector('.one-run h2')")
            assert page.run("return [window.ran, document.querySelector('main').offsetHeight > 100]") == [None, True]
        page.open()
        for text in HOSTILE:
            page.type("show", text.replace("\x00", ""))
            page.type("legend", text.replace("\x00", ""))
            page.wait("document.querySelector('#problem:not(:empty), #content .js-plotly-plot')")
            assert page.run("return window.ran") is None
    source.close()
