"""The dashboard as one starts it: a real process, its address, its exports, and its end."""

import csv
import io
import json
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator

import pytest

from scripts import dashboard
from tests.experiment_utils.results.run_files import write_sweep
from tests.scripts.tiny_snapshots import refusal
from tests.source_tree import ROOT

SCRIPT = ROOT / "scripts" / "dashboard.py"


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("data") / "maze"
    write_sweep(folder, [0.3, 0.6])
    command = [sys.executable, str(SCRIPT), str(folder), "--port", "18050"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        assert process.stdout is not None
        yield next(line.split()[0] for line in process.stdout if line.startswith("http"))
        process.send_signal(signal.SIGTERM)
        assert (process.wait(20), process.stdout.read()) == (0, "")


def get(address: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(address, timeout=20) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def test_the_page_and_the_numbers_of_its_figures_are_served(address: str):
    status, page = get(address)
    assert status == 200 and "_dash-config" in page
    status, table = get(address + "export.csv?show=agent.rate+%3E+0.5")
    rows = list(csv.DictReader(io.StringIO(table)))
    assert status == 200 and len(rows) == 5 and float(rows[-1]["value"]) == pytest.approx(0.62)
    status, numbers = get(address + "export.json?summary=iqm")
    assert status == 200 and [row["num_seeds"] for row in json.loads(numbers)["finals"]] == [3, 3]


def test_an_export_that_cannot_be_made_is_one_line(address: str):
    status, line = get(address + "export.csv?show=agent.raet+%3D+1")
    assert (status, line) == (400, "filter, column 1: unknown key 'agent.raet'. Did you mean 'agent.rate'?\n")
    assert get(address + "nothing/here")[0] == 404


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["data_that_is_not_there"], "data_that_is_not_there: no such folder."),
        ([str(ROOT), "--port", "80"], "--port: expected a port from 1024 to 65535, got '80'"),
        ([str(ROOT), "--host", "0.0.0.0"], "--host 0.0.0.0: others can reach that address, so it needs --token auto"),
    ],
)
def test_what_cannot_be_served_is_one_line_and_exit_2(words: list[str], line: str, capsys: pytest.CaptureFixture[str]):
    assert line in refusal(dashboard.main, capsys, *words)
