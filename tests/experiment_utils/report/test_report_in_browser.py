"""The page of a hundred runs in a real browser whose network is off; hostile names in it stay words."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from experiment_utils.report.making import make_report
from tests.experiment_utils.report.written_runs import SUCCESS, study_of, write_run

if TYPE_CHECKING:
    from selenium.webdriver import Chrome

pytestmark = pytest.mark.engines
NUM_ROWS, NUM_KEYS = 1000, 50
HOSTILE = "</script><img src=x onerror='window.hacked=1'><script>window.hacked=1</script>"


@pytest.fixture(scope="module")
def hundred(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two tasks, ten methods, five seeds."""
    folder, generator = tmp_path_factory.mktemp("data") / "study", np.random.default_rng(0)
    names = [SUCCESS, *(f"evaluation/multi/{name}" for name in ("success_rate", "return_mean", "steps_to_goal_mean"))]
    names += [f"trainer/key_{number}" for number in range(NUM_KEYS - len(names))]
    for number in range(100):
        method = f"method-{number % 10}" if number % 10 else HOSTILE
        variant = {"task": {"name": f"task-{number // 50}"}, "agent": {"name": method}, "seed": number // 10 % 5}
        table = np.clip(np.linspace(0, 1, NUM_ROWS)[:, None] + generator.normal(0, 0.1, (NUM_ROWS, NUM_KEYS)), 0, 1)
        rows = [dict(zip(names, row.tolist(), strict=True)) for row in table]
        write_run(folder, f"{number // 50}{number % 10:07x}-s{number // 10 % 5}", variant, rows)
    return folder


@pytest.fixture(scope="module")
def page(hundred: Path) -> Path:
    make_report(study_of(hundred), hundred / "report")
    return hundred / "report" / "report.html"


def test_a_hundred_runs_make_a_page_of_at_most_15_megabytes(page: Path, hundred: Path):
    assert page.stat().st_size <= 15e6
    make_report(study_of(hundred), hundred / "static", static=True)
    assert (hundred / "static" / "report.html").stat().st_size <= 10e6


def test_the_page_draws_its_curves_and_asks_for_nothing(page: Path, browser: "Chrome"):
    from selenium.webdriver.support.wait import WebDriverWait

    browser.get_log("performance")
    browser.get(page.as_uri())
    assert not browser.find_elements("class name", "main-svg")  # the curves are still far down
    browser.execute_script("document.querySelector('[data-figure]').scrollIntoView()")
    WebDriverWait(browser, 30).until(lambda driver: driver.find_elements("class name", "main-svg"))
    browser.execute_script("dispatchEvent(new Event('beforeprint'))")
    counts = browser.execute_script(
        "const count = (selector) => document.querySelectorAll(selector).length;"
        "return [count('[data-figure]'), count('.js-plotly-plot'), count('.scatterlayer .js-line'), window.hacked || 0,"
        " [...document.images].every((image) => image.complete && image.naturalWidth > 0)]"
    )
    assert counts[0] == counts[1] == 8 and counts[2] >= 8 * 10
    assert counts[3] == 0 and counts[4]
    assert "onerror='window.hacked=1'" in browser.find_element("tag name", "body").text
    messages = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    sent = [m["params"]["request"]["url"] for m in messages if m["method"] == "Network.requestWillBeSent"]
    assert {url.partition(":")[0] for url in sent} <= {"file", "data", "blob"}
    assert not [entry for entry in browser.get_log("browser") if entry["level"] == "SEVERE"]
