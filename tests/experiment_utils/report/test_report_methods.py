"""What a report calls methods: by what differs, by one name on all tasks; and which wishes it refuses."""

from pathlib import Path

import pytest

from lifelong_rl.config import ConfigError
from tests.experiment_utils.report.written_runs import RETURN, study_of, write_finals, write_run


def cells(folder: Path, **view: object) -> dict[str, list[str]]:
    return {figure.title: list(figure.groups) for figure in study_of(folder, **view).selection.figures}


def test_one_variant_goes_by_its_agent(tmp_path: Path):
    write_finals(tmp_path, "qrl", [1.0, 2.0])
    assert cells(tmp_path) == {"": ["qrl"]}


def test_what_belongs_to_a_task_makes_no_other_method_of_an_agent(tmp_path: Path):
    for task, horizon in (("ant", 300), ("maze", 500)):
        for agent in ("qrl", "sac"):
            write_finals(tmp_path, agent, [1.0], task=task, horizon=horizon)
    assert cells(tmp_path) == {"ant": ["qrl", "sac"], "maze": ["qrl", "sac"]}


def test_an_agent_keeps_its_name_where_it_is_alone(tmp_path: Path):
    write_finals(tmp_path, "qrl", [1.0], task="ant")
    write_finals(tmp_path, "sac", [1.0], task="ant")
    write_finals(tmp_path, "qrl", [1.0], task="maze", rate=1)
    write_finals(tmp_path, "qrl", [1.0], task="maze", rate=2)
    assert cells(tmp_path) == {"ant": ["qrl", "sac"], "maze": ["qrl, rate=1", "qrl, rate=2"]}


def test_the_same_variant_of_two_experiments_is_one_method(tmp_path: Path):
    write_finals(tmp_path / "first", "qrl", [1.0, 2.0])
    write_finals(tmp_path / "again", "qrl", [3.0])
    assert cells(tmp_path) == {"": ["qrl"]}


def test_runs_without_variants_go_by_their_experiment(tmp_path: Path):
    for experiment in ("old", "older"):
        (tmp_path / experiment / "run").mkdir(parents=True)
        (tmp_path / experiment / "run" / "progress.csv").write_text("epoch,return_mean\n1,2\n")
    assert cells(tmp_path) == {"": ["old", "older"]}


def test_groups_and_splits_can_be_chosen(tmp_path: Path):
    for rate in (1, 2):
        for agent in ("qrl", "sac"):
            write_finals(tmp_path, agent, [1.0], rate=rate)
    assert cells(tmp_path, group=("rate",)) == {"": ["rate=1", "rate=2"]}
    assert cells(tmp_path, split=("rate",)) == {"rate=1": ["qrl", "sac"], "rate=2": ["qrl", "sac"]}
    assert cells(tmp_path, group=()) == {"": ["all runs"]}


def test_values_too_close_to_be_told_apart_lose_no_run(tmp_path: Path):
    write_finals(tmp_path, "qrl", [1.0], rate=0.12345671)
    write_finals(tmp_path, "qrl", [2.0], rate=0.12345672)
    (figure,) = study_of(tmp_path).selection.figures
    assert sum(map(len, figure.groups.values())) == 2


@pytest.mark.parametrize(
    ("wish", "words"),
    [
        ({"y": ("retrun_mean",)}, "--y: unknown metric 'retrun_mean'. Did you mean 'return_mean'?"),
        ({"x": "env_step"}, "--x: unknown axis 'env_step'. Did you mean 'env_steps'?"),
        ({"group": ("agent.nam",)}, "no run has 'agent.nam'. Did you mean 'agent.name'?"),
        ({"show": "agent.name = nobody"}, "none of the 1 runs matches --show and --hide."),
        ({"show": "agent.name >"}, "filter, column 13"),
    ],
)
def test_a_wish_that_cannot_be_met_is_one_line(tmp_path: Path, wish: dict[str, object], words: str):
    write_finals(tmp_path, "qrl", [1.0])
    with pytest.raises(ConfigError, match=words.replace("?", "[?]").replace(".", "[.]")) as caught:
        study_of(tmp_path, **wish)
    assert "\n" not in str(caught.value)


def test_nothing_to_report_on_is_said(tmp_path: Path):
    (tmp_path / "maze").mkdir()
    with pytest.raises(ConfigError, match="no runs in"):
        study_of(tmp_path / "maze")
    with pytest.raises(ConfigError, match="mazes: no such folder. Did you mean 'maze'?"):
        study_of(tmp_path / "mazes")
    write_run(tmp_path / "maze", "0a1b2c3d-s0", {"agent": {"name": "qrl"}}, [])
    with pytest.raises(ConfigError, match="no run has recorded a number yet"):
        study_of(tmp_path / "maze")


def test_metrics_go_by_their_last_words_too(tmp_path: Path):
    write_finals(tmp_path, "qrl", [1.0])
    assert study_of(tmp_path, y=("return_mean",)).metrics == (RETURN,)
