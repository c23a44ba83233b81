"""The command that makes a report."""

import subprocess
import sys
from pathlib import Path

import pytest

from experiment_utils.results.runs import find_runs
from experiment_utils.run_table import run_states
from scripts.report import main
from tests.experiment_utils.report.written_runs import SUCCESS, write_finals, write_run
from tests.source_tree import ROOT


@pytest.fixture(scope="module")
def experiment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two methods, and a run whose rows are damaged."""
    folder = tmp_path_factory.mktemp("data") / "maze"
    write_finals(folder, "qrl", [0.7, 0.8, 0.9], SUCCESS)
    write_finals(folder, "sac", [0.1, 0.2, 0.3], SUCCESS)
    torn = write_run(folder, "0a1b2c3d-s9", {"agent": {"name": "sac"}, "task": {"name": "maze"}}, [{SUCCESS: 1.0}])
    (torn / "metrics.jsonl").write_text('{"epoch": 1}\n]]\n')
    return folder


def test_a_report_lies_in_the_experiments_folder_and_is_no_run(experiment: Path, capsys: pytest.CaptureFixture[str]):
    status, output = main([str(experiment), "--static"]), experiment / "report"
    printed = capsys.readouterr()
    assert status == 0, printed.err
    assert printed.out.splitlines()[-1].startswith(f"{output / 'report.html'} (0.")
    assert "left out:" in printed.err and "line 2" in printed.err
    assert {path.suffix for path in output.iterdir()} == {".html", ".md", ".tex", ".pdf", ".svg", ".json"}
    assert len(find_runs([experiment])[0]) == len(run_states(experiment)) == 7


def test_a_wish_that_cannot_be_met_is_one_line_and_status_2(
    experiment: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    status = main([str(experiment), "--y", "sucess_at_end_rate", "--output", str(tmp_path / "none")])
    printed = capsys.readouterr()
    assert (status, printed.out) == (2, "") and not (tmp_path / "none").exists()
    assert printed.err == "--y: unknown metric 'sucess_at_end_rate'. Did you mean 'success_at_end_rate'?\n"


def test_help_comes_with_examples():
    command = [sys.executable, str(ROOT / "scripts" / "report.py"), "-h"]
    result = subprocess.run(command, capture_output=True, text=True, timeout=20)
    assert result.returncode == 0 and "Examples:" in result.stdout and "--unfinished" in result.stdout
