"""A study asks for runs, is told how they ended, and says what is wrong before anything runs."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from experiment_utils.search import Study, read_spec
from experiment_utils.search_space import choice, int_uniform, log_uniform, uniform
from lifelong_rl.config import ConfigError


@pytest.fixture
def tiny(monkeypatch):
    monkeypatch.syspath_prepend(Path(__file__).parent)
    import tiny_search

    return tiny_search


def searched(tiny, folder, method="random", num_trials=5, **changes) -> Study:
    study = Study(tiny.spec_of(method, num_trials, **changes), folder)
    assert tiny.search(study, tiny.run_here) == 0
    assert study.is_over
    return study


def starts_of(folder: Path) -> list[str]:
    return [path.parent.name for path in folder.glob("*/starts.txt") for _ in path.read_text().splitlines()]


def test_the_best_comes_first_in_the_table(tiny, tmp_path):
    study = searched(tiny, tmp_path, "tpe", 14)

    best = max(study.trials, key=lambda trial: trial.reached)
    heading, first, *_, last = study.table().splitlines()
    assert heading.split() == ["trial", "rate", "bonus", "evaluation/multi/score", "state", "run"]
    assert first.split()[:3] == [str(best.number), str(best.values["agent.rate"]), str(best.values["agent.bonus"])]
    assert last == "14 of 14 trials begun, 14 with a value, 0 failed"
    assert (tmp_path / best.run / "metrics.jsonl").exists()


def test_the_smallest_value_may_be_the_best_and_several_last_ones_are_averaged(tiny, tmp_path):
    study = searched(tiny, tmp_path, direction="min", last=2, space={"agent.rate": [0.01, 0.1]})  # a list is a choice

    values = [float(line.split()[2]) for line in study.table().splitlines()[1:-1]]
    assert values == sorted(values) and set(values) == {0.0, -1.0}


def test_the_same_parameters_are_run_once(tiny, tmp_path):
    study = searched(tiny, tmp_path, num_trials=8, space={"agent.rate": choice([0.01, 0.1])})
    assert len(starts_of(tmp_path)) == 2 and len(study.trials) == 8
    assert len({trial.reached for trial in study.trials}) == 2


def test_a_failing_trial_is_told_as_failed_and_the_search_goes_on(tiny, tmp_path):
    space = {"agent.rate": log_uniform(1e-3, 1.0), "agent.steps": int_uniform(1, 3)}
    study = searched(tiny, tmp_path, "tpe", 8, space=space, variant={"agent": {"crash_above": 0.05}})

    failed = [trial for trial in study.trials if trial.values["agent.rate"] > 0.05]
    assert 0 < len(failed) < 8
    assert all(trial.error == f"ValueError: rate {trial.values['agent.rate']} is too much" for trial in failed)
    assert "is too much" in study.table().splitlines()[-2]


def test_halving_goes_on_with_the_best_from_where_they_stood(tiny, tmp_path):
    study = searched(tiny, tmp_path, "halving", 9)

    assert study.spec.budgets == (1, 3, 9)
    rows = {trial.run: len((tmp_path / trial.run / "metrics.jsonl").read_text().splitlines()) for trial in study.trials}
    assert all(rows[trial.run] == study.spec.budgets[trial.rung] for trial in study.trials)  # no epoch stands twice
    assert max(rows.values()) == 9 and sorted(rows.values())[:5] == [1] * 5
    top = max(study.trials, key=lambda trial: trial.rung)
    assert json.loads((tmp_path / top.run / "variant.json").read_text())["phases"] == [{"num_epochs": 9}]
    assert starts_of(tmp_path).count(top.run) == 3


def test_as_many_runs_as_are_asked_for_are_in_hand_and_none_twice(tiny, tmp_path):
    study = Study(tiny.spec_of("halving", 6), tmp_path)
    with study.held():
        first = study.ask(4)
        assert len({run.directory.path for run in first}) == 4
        tiny.run_here(first[2])
        assert study.tell(first[2].directory.path).startswith("trial 2 with 1: evaluation/multi/score = ")
        second = study.ask(1)
        assert second[0].directory not in [run.directory for run in first]
        assert len(study.ask(9)) == 1 and study.ask() == [] and not study.is_over


def test_a_run_that_was_stopped_is_asked_for_again(tiny, tmp_path):
    study = Study(tiny.spec_of(num_trials=1), tmp_path)
    with study.held():
        [run] = study.ask()
        tiny.prepare(run)
        assert study.tell(run.directory.path) == "trial 0 is not over"
        assert [again.directory for again in study.ask(5)] == [run.directory]
        run.directory.write_status("running")  # and its process died without a word
        assert study.tell(run.directory.path) == "trial 0 failed: its process ended without a word"
        assert study.is_over


def test_trials_can_be_added_later(tiny, tmp_path):
    before = searched(tiny, tmp_path, "halving", 5).trials
    after = searched(tiny, tmp_path, "halving", 9).trials

    assert [trial.values for trial in after[:5]] == [trial.values for trial in before] and len(after) == 9
    assert len(starts_of(tmp_path)) == sum(trial.rung + 1 for trial in after)
    assert read_spec(tmp_path).num_trials == 9


@pytest.mark.parametrize("method", ["random", "tpe"])
def test_the_same_seed_draws_the_same_and_another_one_does_not(tiny, tmp_path, method):
    drawn = [
        [trial.values for trial in searched(tiny, tmp_path / name, method, 12, seed=seed).trials]
        for name, seed in {"one": 3, "two": 3, "three": 4}.items()
    ]
    assert drawn[0] == drawn[1] and drawn[0] != drawn[2]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"space": {"agent.rat": uniform(0, 1)}}, "variant.agent: unknown key 'rat'. Did you mean 'rate'?"),
        ({"space": {"agent.steps": uniform(1, 3)}}, "variant.agent.steps must be int, got 1.913."),
        ({"space": {"agent.steps": int_uniform(1, 9)}}, "variant.agent: steps must be at most 3, got 9."),
        ({"space": {}}, "a search needs something to search: sweep_values, or"),
        ({"method": "pte"}, "--method: unknown name 'pte'. Did you mean 'tpe'?"),
        ({"method": "halving", "budget": None}, "halving needs --budget PATH, of what to give little of at first"),
        ({"budget": "phases.0.num_epochs"}, "--budget is for halving, not for random."),
        ({"num_trials": 0}, "--num_trials must be at least 1, got 0."),
    ],
)
def test_says_what_is_wrong_before_anything_is_written(tiny, tmp_path, changes, message):
    with pytest.raises(ConfigError) as error:
        Study(tiny.spec_of(**changes), tmp_path)
    assert str(error.value).startswith(message) and list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("budget", "message"),
    [
        ("phases.0.num_epoch", "--budget: variant.phases.0: unknown key 'num_epoch'. Did you mean 'num_epochs'?"),
        ("phases.0.num_epochs", "--budget: phases.0.num_epochs is not of the last phase"),
        ("agent.bonus", "--budget: variant.agent.bonus must be a whole number from 1 up, is 0.0."),
        ("agent.steps", "--budget: agent.steps = 1 leaves no smaller budget to begin with."),
        ("agent.rate", "--budget: agent.rate is searched as well."),
    ],
)
def test_says_what_is_wrong_with_a_budget(tiny, tmp_path, budget, message):
    variant, space = {"phases": [{"num_epochs": 9}, {}]}, {"agent.rate": uniform(0, 1)}
    with pytest.raises(ConfigError) as error:
        Study(tiny.spec_of("halving", budget=budget, variant=variant, space=space), tmp_path)
    assert str(error.value).startswith(message)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"seed": 1}, "this study was begun with seed = 0, now it is 1: only --num_trials may change"),
        ({"method": "tpe"}, "this study was begun with method = 'random', now it is 'tpe'"),
        ({"space": {"agent.rate": uniform(0.1, 1)}}, "this study was begun with space.agent.rate = 'log_uniform(0.000"),
        ({"variant": {"agent": {"steps": 2}}}, "this study was begun with variant.agent.steps = 1, now it is 2"),
        ({"run_seed": 5}, "this study was begun with variant.seed = 0, now it is 5"),
        ({"metric": "epoch"}, "this study was begun with metric = 'evaluation/multi/score', now it is 'epoch'"),
    ],
)
def test_goes_on_as_the_study_that_was_begun_only(tiny, tmp_path, changes, message):
    searched(tiny, tmp_path, num_trials=1)
    with pytest.raises(ConfigError) as error:
        Study(tiny.spec_of(**{"num_trials": 2, **changes}), tmp_path)
    assert str(error.value).startswith(message)


def test_an_unknown_metric_stops_the_search_and_may_then_be_put_right(tiny, tmp_path):
    with pytest.raises(ConfigError, match=r"no 'evaluation/score'. Did you mean 'evaluation/multi/score'\? It has:"):
        searched(tiny, tmp_path, metric="evaluation/score")

    assert len(searched(tiny, tmp_path).trials) == 5
    assert len(starts_of(tmp_path)) == 5  # the first one was not run again


def test_only_one_process_drives_a_study(tiny, tmp_path):
    spec = tiny.spec_of()
    with (
        Study(spec, tmp_path).held(),
        pytest.raises(ConfigError, match="this search goes on already: .* is held by process"),
        Study(spec, tmp_path).held(),
    ):
        pass


def test_what_a_torn_write_left_is_mended(tiny, tmp_path):
    before = searched(tiny, tmp_path, num_trials=3).trials
    with (tmp_path / "study.journal").open("a") as file:
        file.write('{"op_code": 4, "wor')
    (tmp_path / "study.journal.lock").symlink_to("nowhere")

    assert Study(tiny.spec_of(num_trials=3), tmp_path).trials == before
    assert searched(tiny, tmp_path, num_trials=4).trials[:3] == before


def test_says_how_to_install_what_is_missing(tiny, tmp_path):
    program = "import sys; sys.modules['optuna'] = None; import tiny_search as t; t.Study(t.spec_of(), 0)"
    found = subprocess.run([sys.executable, "-c", program], cwd=Path(__file__).parent, capture_output=True, text=True)
    line = found.stderr.splitlines()[-1]
    assert line.endswith("a search needs Optuna, which is not installed: pip install -e '.[search]'")


def test_a_finished_study_can_be_moved_and_read_elsewhere(tiny, tmp_path):
    table = searched(tiny, tmp_path / "here").table()
    shutil.move(tmp_path / "here", tmp_path / "there")
    assert Study(read_spec(tmp_path / "there"), tmp_path / "there").table() == table
