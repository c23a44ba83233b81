"""The command that draws learning curves."""

import json
import subprocess
import sys
from pathlib import Path

import matplotlib.image
import numpy as np
import pytest

from tests.experiment_utils.results.run_files import write_sweep

ROOT = Path(__file__).parents[2]


def plot(*arguments: str | Path) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, str(ROOT / "scripts" / "plot.py"), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, cwd=ROOT)


@pytest.fixture(scope="module")
def experiment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two variants, three and one seeds, offline then online; one run is being written."""
    folder = tmp_path_factory.mktemp("data") / "maze"
    for name, slope in (("iqe-0a1b2c3d", 1.0), ("mrn-1a1b2c3d", 0.5)):
        for seed in range(3 if slope == 1 else 1):
            rows = [
                {"epoch": i % 5 + 1, "env_steps": max(0, i - 4), "updates": 10 * i}
                | {"phase": "online" if i > 4 else "offline"}
                | {"evaluation/success_rate": min(1.0, slope * i / 8 + seed / 50), "trainer/push_loss": 1 / (i + 1)}
                for i in range(10)
            ]  # fmt: skip
            run = folder / f"{name}-s{seed}"
            run.mkdir(parents=True)
            lines = "".join(json.dumps(row) + "\n" for row in rows)
            (run / "metrics.jsonl").write_text(lines + '{"epoch": 3, "env_s')
    return folder


def test_an_experiment_becomes_a_picture_in_its_folder(experiment: Path):
    result = plot(experiment)
    assert (result.returncode, result.stdout, result.stderr) == (0, f"{experiment / 'curves.png'}\n", "")
    picture = matplotlib.image.imread(experiment / "curves.png")[..., :3]
    assert picture.shape[1] > picture.shape[0] > 300
    blue = np.abs(picture - np.array([0x00, 0x72, 0xB2]) / 255).max(-1) < 0.05
    assert blue.sum() > 300


def test_metrics_can_be_named_by_their_last_words_and_drawn_elsewhere(experiment: Path, tmp_path: Path):
    output = tmp_path / "new" / "x.svg"
    result = plot(experiment, "--y", "push_loss", "--x", "epoch", "--smooth", "3", "--output", output)
    assert result.returncode == 0, result.stderr
    assert "<svg" in output.read_text()


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two critics on twelve environments, two seeds each, all in one folder."""
    folder = tmp_path_factory.mktemp("data") / "study"
    for task in range(12):
        for critic in ("mrn", "monolithic"):
            for seed in range(2):
                run = folder / f"network-{critic}-{task:07x}{len(critic) % 10}-s{seed}"
                run.mkdir(parents=True)
                variant = {"task": {"name": f"Fetch{task}"}, "agent": {"network": {"name": critic}}, "seed": seed}
                (run / "variant.json").write_text(json.dumps(variant))
                rows = [
                    {"epoch": i, "env_steps": 100 * i, "updates": i, "phase": "online", "trainer/loss": 1.0,
                     "evaluation/success_rate": 1.0, "evaluation/success_at_end_rate": i / (3 + len(critic))}
                    for i in range(3)
                ]  # fmt: skip
                (run / "metrics.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return folder


def test_a_study_has_a_panel_for_each_environment_and_a_curve_for_each_critic(study: Path):
    output = study / "study.svg"
    result = plot(study, "--panels", "task.name", "--groups", "agent.network", "--output", output)
    assert result.returncode == 0, result.stderr
    text = output.read_text()
    assert text.count("<!-- Fetch") == 12
    assert text.count("<!-- mrn (n=2) -->") == text.count("<!-- monolithic (n=2) -->") == 1
    assert text.count("<!-- success_at_end_rate -->") == 12


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--panels", "task.nam"], "--panels: no run's variant has a value at 'task.nam'. Did you mean 'task.name'?"),
        (
            ["--groups", "agent.network"],
            "--groups: runs of 'monolithic' differ in task.name (Fetch0 and Fetch1): add task.name to --groups, or ",
        ),
    ],
)
def test_runs_that_belong_to_no_panel_or_curve_are_one_line_and_exit_2(study: Path, arguments: list[str], message: str):
    result = plot(study, *arguments)
    assert (result.returncode, result.stderr[: len(message)]) == (2, message) and result.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--y", "sucess_rate"], "--y: unknown metric 'sucess_rate'. Did you mean 'success_rate'? Valid: evaluation/"),
        (["--x", "steps"], "--x: unknown axis 'steps'. Did you mean 'env_steps'?"),
        (["--smoth", "3"], "unknown flag '--smoth'. Did you mean '--smooth'?"),
        (["--smooth", "0"], "--smooth: expected a whole number from 1 up, got '0'"),
        (["--output", "x.foo"], "--output: expected a name that ends in .png or .svg or .pdf, got 'x.foo'"),
    ],
)
def test_what_cannot_be_drawn_is_one_line_and_exit_2(experiment: Path, arguments: list[str], message: str):
    result = plot(experiment, *arguments)
    assert result.returncode == 2
    assert message in result.stderr and result.stderr.count("\n") == 1


def test_a_folder_without_runs_is_one_line_and_exit_2(tmp_path: Path):
    result = plot(tmp_path / "nowhere")
    assert (result.returncode, result.stderr) == (2, f"no run with metrics in {tmp_path / 'nowhere'}.\n")


def test_help_imports_neither_numpy_nor_matplotlib():
    code = "import sys, runpy; sys.argv = ['plot.py', '-h']\n"
    code += "try: runpy.run_path('scripts/plot.py', run_name='__main__')\n"
    code += "finally: print({'numpy', 'matplotlib', 'torch'} & set(sys.modules))"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, timeout=60)
    assert result.stdout.endswith("set()\n")
    assert "data/qrl-maze" in result.stdout


def test_a_name_with_a_dollar_sign_is_drawn_as_it_is(tmp_path: Path):
    write_sweep(tmp_path / "maze", [0.3], 1)
    (run,) = (tmp_path / "maze").iterdir()
    text = (run / "metrics.jsonl").read_text().replace("evaluation/success_rate", "evaluation/$x_{$")
    (run / "metrics.jsonl").write_text(text)
    assert plot(tmp_path / "maze").returncode == 0
