"""`--search`: what a run script's flags come to."""

import argparse
import dataclasses
from pathlib import Path

import pytest

from experiment_utils.flags import Script
from experiment_utils.launchers.options import Options
from experiment_utils.search_command import search_command
from experiment_utils.search_flags import add_search_flags, given_of
from experiment_utils.search_space import log_uniform
from lifelong_rl.config import ConfigError

GRID = {"agent.rate": log_uniform(1e-3, 1.0)}
METRIC = ("--metric", "evaluation/multi/score")


def flags_of(folder: Path, *words: str) -> argparse.Namespace:
    """As a run script reads them, the flags of engines left at their defaults."""
    parser = argparse.ArgumentParser()
    add_search_flags(parser, int)
    others = {field.name: None for field in dataclasses.fields(Options)}
    others |= {"preset": "cpu", "mode": "here", "dry_run": False, "yes": True, "data_dir": folder, "exp_name": "study"}
    return parser.parse_args(words, argparse.Namespace(**others))


@pytest.fixture
def command(monkeypatch, tmp_path):
    monkeypatch.syspath_prepend(Path(__file__).parent)
    script = Script(variant={}, exp_name="study", config_module="tiny_search")

    def run(*words: str, agrees: bool = True, seeds=(0,), grid=GRID, **changes: object) -> int:
        flags = flags_of(tmp_path, *words)
        vars(flags).update(changes)
        return search_command(
            script, flags, variant={"agent": {"crash_above": 0.1}}, settings=[("phases", [{"num_epochs": 4}])],
            grid=grid, seeds=seeds, agreed=lambda plan, num_runs, yes: agrees,
        )  # fmt: skip

    return run


def test_a_search_ends_with_its_table(command, capsys, tmp_path):
    assert command("--search", "random", *METRIC, "--num_trials", "4") == 1  # a rate above 0.1 fails

    lines = capsys.readouterr().out.splitlines()
    assert lines[-1] == "4 of 4 trials begun, 3 with a value, 1 failed"
    assert lines[-6].split() == ["trial", "rate", "evaluation/multi/score", "state", "run"]
    assert [len(path.read_text().splitlines()) for path in tmp_path.glob("study/*/metrics.jsonl")] == [4] * 3


def test_a_dry_run_says_what_would_be_searched_and_writes_nothing(command, capsys, tmp_path):
    words = ("--search", "halving", "--budget", "phases.0.num_epochs", "--reduction", "2", *METRIC)
    assert command(*words, dry_run=True) == 0

    assert capsys.readouterr().out.splitlines()[:3] == [
        "search by halving: 20 trials, max of evaluation/multi/score",
        "  phases.0.num_epochs = 1, then 2, then 4: each time for the best of 2",
        "  agent.rate = log_uniform(0.001, 1.0)",
    ]
    assert command(*words, agrees=False) == 0
    assert list(tmp_path.iterdir()) == []


def test_says_what_does_not_go_together(command, tmp_path):
    with pytest.raises(ConfigError, match=r"a search runs one seed a trial, got \[0, 1\]: more seeds"):
        command("--search", "tpe", seeds=(0, 1))
    with pytest.raises(ConfigError, match="--search_seed must be at least 0, got -1."):
        command("--search", "tpe", "--search_seed", "-1")
    with pytest.raises(ConfigError, match="a search needs something to search"):
        command("--search", "tpe", grid={})
    for words, flag in ((("--metric", "loss"), "metric"), (("--slots", "2"), "slots")):
        with pytest.raises(ConfigError, match=f"--{flag} is for a search: say --search METHOD."):
            given_of(flags_of(tmp_path, *words))
