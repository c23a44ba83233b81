"""The dashboard on 1,000 runs of 1,000 rows of 50 keys: seconds to the first plot, and to another one by a filter.

    python benchmarks/dashboard_scale.py                 # writes about 2 GB below --folder, and removes it
    python benchmarks/dashboard_scale.py --runs 100

"figures" counts from the start of the server's process until it has answered, to the requests that a browser makes,
with the first figure; then what filters take. "browser" counts from the same moment to a plot that is seen in headless
Chromium, which draws on the same cores, from a reload to the plot, and from Enter in the filter to another plot, when
the other runs have been read ahead.
"""

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from lifelong_rl.recording.counting import counting_bar

ROOT = Path(__file__).parent.parent
SEEDS = 10
RATES, SIZES, HEADS = (1e-4, 3e-4, 1e-3, 3e-3, 1e-2), (64, 128, 256, 512), ("iqe", "mrn", "pqe", "l2", "dot")
REST = {f"value_{index}": index for index in range(90)}  # what a variant holds besides
PORT = 8710
READ_AHEAD_SECONDS = 10  # until the server has read what the first figure does not show
FILTERS = ("seed < 5", "agent.size = 64 and seed < 5", "")


def main() -> None:
    """Prints both measurements."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--rows", type=int, default=1000)
    parser.add_argument("--keys", type=int, default=50)
    parser.add_argument("--folder", type=Path, default=None, help="where to write (default: the temporary folder)")
    flags = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=flags.folder) as folder:
        experiment = Path(folder) / "scale"
        write_runs(experiment, flags.runs, flags.rows, flags.keys)
        size = sum(path.stat().st_size for path in experiment.glob("*/metrics.jsonl"))
        print(f"{flags.runs} runs x {flags.rows} rows x {flags.keys} keys, metrics.jsonl {size / 1e9:.2f} GB in all")
        for _ in range(2):
            first, *filters = figures(experiment)
            print(f"figures: first {first:.2f} s, filters {', '.join(f'{seconds:.2f} s' for seconds in filters)}")
        if shutil.which("chromium") and shutil.which("chromedriver"):
            for _ in range(2):
                first, again, filtered = browser(experiment)
                print(f"browser: first plot {first:.2f} s, reloaded {again:.2f} s, filter {filtered:.2f} s")


def write_runs(experiment: Path, num_runs: int, num_rows: int, num_keys: int) -> None:
    """As the Logger writes them; learning rate, size and head are swept, ten seeds each."""
    generator = np.random.default_rng(0)
    keys = ["evaluation/success_rate", *(f"trainer/metric_{index:02d}" for index in range(num_keys - 5))]
    with counting_bar("writing runs", num_runs) as advance_to:
        for number in range(num_runs):
            point, seed = divmod(number, SEEDS)
            agent = {"rate": RATES[point % 5], "size": SIZES[point // 5 % 4], "head": HEADS[point // 20 % 5]}
            directory = experiment / f"{point:08x}-s{seed}"
            directory.mkdir(parents=True)
            variant = {"agent": agent, "evaluation": {"num_episodes": 50}, "seed": seed, "rest": REST}
            (directory / "variant.json").write_text(json.dumps(variant))
            (directory / "status.json").write_text('{"state": "finished"}')
            values = generator.random((num_rows, len(keys))).tolist()
            rows = [
                {"epoch": epoch, "env_steps": 500 * epoch, "updates": 250 * epoch, "phase": "online"}
                | dict(zip(keys, row, strict=True))
                for epoch, row in enumerate(values, 1)
            ]
            (directory / "metrics.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
            (directory / "progress.csv").write_text(",".join(rows[0]) + "\n")  # the header, where names are looked up
            advance_to(number + 1)


def figures(experiment: Path) -> list[float]:
    """Seconds from the start of the server to its first figures; then those that filters take."""
    start = time.perf_counter()
    with served(experiment) as address:
        page = Page(address)
        values = page.call("address.search", {"address.search": ""})
        seconds = []
        for query in ("", *FILTERS):
            values["show.value"] = query
            figures = page.call("version.data", values)["content.children"]
            seconds.append(time.perf_counter() - start)
            assert figures["props"]["children"], "nothing was drawn"
            start = time.perf_counter()
        return seconds


class Page:
    """Asks a dashboard for what its page would ask for."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._callbacks = self._ask("_dash-dependencies")

    def call(self, trigger: str, values: dict[str, Any]) -> dict[str, Any]:
        """The callback that `trigger` sets off, on `values` by component and property; what it answers, likewise."""
        names = {"address.search": "x.value", "version.data": "content.children"}  # an output of each
        callback = next(each for each in self._callbacks if names[trigger] in each["output"])
        outputs = [dict(zip(("id", "property"), name.rsplit(".", 1), strict=True))
                   for name in callback["output"].strip(".").split("...")]  # fmt: skip
        inputs = [each | {"value": values.get(f"{each['id']}.{each['property']}")} for each in callback["inputs"]]
        body = {"output": callback["output"], "outputs": outputs, "inputs": inputs, "changedPropIds": [trigger]}
        answer = self._ask("_dash-update-component", body)["response"]
        return {f"{part}.{name}": value for part, found in answer.items() for name, value in found.items()}

    def _ask(self, path: str, body: Any = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        headers = {"Origin": self._address.rstrip("/"), "Content-Type": "application/json"}
        request = urllib.request.Request(self._address + path, data, headers)
        with urllib.request.urlopen(request, timeout=120) as answer:
            return json.loads(answer.read())


def browser(experiment: Path) -> tuple[float, float, float]:
    """Seconds to the first plot in a browser that is open already, to it again, and from a filter to its plot."""
    from selenium.webdriver.common.by import By
    from selenium.webdriver.common.keys import Keys

    drawn = "return document.querySelectorAll('.js-plotly-plot .scatterlayer .trace').length > 0"
    with chromium() as page:
        start = time.perf_counter()
        with served(experiment) as address:
            page.get(address)
            wait(page, drawn)
            first, start = time.perf_counter() - start, time.perf_counter()
            page.get(address)
            wait(page, drawn)
            again = time.perf_counter() - start
            field = page.find_element(By.ID, "show")
            before = page.execute_script("return document.querySelector('#content .js-plotly-plot').data.length")
            time.sleep(READ_AHEAD_SECONDS)
            field.send_keys("agent.size = 64 and seed < 5")
            start = time.perf_counter()
            field.send_keys(Keys.ENTER)
            wait(page, f"return document.querySelector('#content .js-plotly-plot').data.length != {before}")
            return first, again, time.perf_counter() - start


@contextmanager
def served(experiment: Path) -> Iterator[str]:
    """The address of a dashboard, as soon as it listens."""
    command = [sys.executable, "scripts/dashboard.py", str(experiment), "--port", str(PORT)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        lines = iter(process.stdout.readline, "")
        try:
            yield next(line.split()[0] for line in lines if line.startswith("http"))
        finally:
            process.terminate()


@contextmanager
def chromium() -> Iterator[Any]:
    """Headless."""
    from selenium.webdriver import Chrome, ChromeOptions, ChromeService

    options = ChromeOptions()
    options.binary_location = shutil.which("chromium") or ""
    for flag in ("--headless=new", "--no-sandbox", "--disable-gpu", "--window-size=1400,1000"):
        options.add_argument(flag)
    with Chrome(options=options, service=ChromeService(shutil.which("chromedriver"))) as page:
        yield page


def wait(page: Any, script: str) -> None:
    """Until the page says yes."""
    deadline = time.perf_counter() + 120
    while not page.execute_script(script):
        if time.perf_counter() > deadline:
            raise TimeoutError(script)
        time.sleep(0.01)


if __name__ == "__main__":
    main()
