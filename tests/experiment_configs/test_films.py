"""A run films its agent at its snapshots: training does not feel it, no film is made twice, a failure is a warning."""

import json
import shutil
from pathlib import Path
from typing import Any

import av
import pytest
from PIL import Image

from experiment_configs import films
from experiment_configs.films import SnapshotFilm
from experiment_configs.measures import build_evaluator
from experiment_configs.run import Run
from lifelong_rl.config import ConfigError
from lifelong_rl.recording.comparison import run_differences
from lifelong_rl.training.phase import Phase
from tests.envs.gymnasium_fixtures import robotics
from tests.experiment_configs.tiny_variant import OFFLINE, ONLINE, tiny_build, tiny_config

HORIZON = 6
FILMED = ONLINE | {"film_episodes": 2}
TASK = {"name": "maze2d-umaze-v1", "horizon": HORIZON}


def built(folder: Path, name: str, online: dict[str, Any] = FILMED) -> Run:
    return tiny_build(folder, name, phases=[OFFLINE, online], task=TASK, evaluation={"num_episodes": 2})


def files_of(run_dir: Path) -> list[str]:
    found = [*run_dir.glob("videos/*"), *run_dir.glob("pictures/*")]
    return sorted(str(path.relative_to(run_dir)) for path in found)


def warnings_of(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.message for record in caplog.records if record.name == films.__name__]


@pytest.fixture(scope="module")
def runs(tmp_path_factory) -> Path:
    """Two runs that ended: one without films, and one with them in its online phase."""
    folder = tmp_path_factory.mktemp("films")
    built(folder, "plain", ONLINE).train()
    built(folder, "filmed").train()
    return folder


def test_a_run_with_films_is_the_run_without_them(runs):
    assert list(run_differences(runs / "plain", runs / "filmed")) == []
    assert not files_of(runs / "plain")


def test_each_snapshot_of_the_phase_has_its_film_its_numbers_and_its_pictures(runs):
    names = [f"itr_{number}" for number in (1, 2)]  # the offline phase has none
    of_each = ("pictures/{}_trajectories.png", "pictures/{}_value_map.png")
    films_of_each = ("videos/{}_policy_multi.json", "videos/{}_policy_multi.mp4")
    expected = [text.format(name) for name in names for text in (*of_each, *films_of_each)]
    assert files_of(runs / "filmed") == sorted(expected)
    for name in names:
        with av.open(str(runs / "filmed" / "videos" / f"{name}_policy_multi.mp4")) as film:
            assert len(list(film.decode(video=0))) == HORIZON + 1
        with Image.open(runs / "filmed" / "pictures" / f"{name}_value_map.png") as picture:
            assert picture.width > 1000


def test_the_numbers_beside_a_film_are_those_of_its_episodes_and_say_where_it_belongs(runs):
    report = json.loads((runs / "filmed" / "videos" / "itr_2_policy_multi.json").read_text())
    place = {name: report[name] for name in ("run", "snapshot", "updates", "env_steps", "epoch", "goals", "task")}
    row = json.loads((runs / "filmed" / "metrics.jsonl").read_text().splitlines()[-1])
    assert place == {
        "run": "filmed", "snapshot": "itr_2", "goals": "multi", "task": TASK["name"],
        **{name: row[name] for name in ("updates", "env_steps", "epoch")},
    }  # fmt: skip
    run = built(runs, "filmed")  # as its last snapshot left it
    config = tiny_config(runs, task=TASK)
    played = build_evaluator(config, "multi", num_episodes=2).play(run.algorithm.agent.policy(explore=False))
    assert [episode["return"] for episode in report["episodes"]] == played.rewards.sum(0).tolist()
    assert [episode["success"] for episode in report["episodes"]] == played.success.any(0).tolist()


def test_a_run_that_goes_on_films_what_is_missing_and_nothing_twice(runs, tmp_path):
    again = shutil.copytree(runs / "filmed", tmp_path / "again")
    shutil.copy(runs / "umaze.hdf5", tmp_path / "umaze.hdf5")
    shutil.rmtree(again / "itr_2")
    (again / "videos" / "itr_2_policy_multi.json").unlink()
    old = {name: (again / name).stat().st_mtime_ns for name in files_of(again)}
    dataset = {"path": str(runs / "umaze.hdf5"), "num_transitions": 2000}
    run = tiny_build(
        tmp_path, "again", phases=[OFFLINE, FILMED], task=TASK, evaluation={"num_episodes": 2}, dataset=dataset
    )
    run.train()
    assert files_of(again) == files_of(runs / "filmed")
    renewed = {name for name, time in old.items() if (again / name).stat().st_mtime_ns != time}
    assert renewed == {name for name in old if "itr_2" in name}
    assert list(run_differences(again, runs / "filmed")) == []


def test_a_film_that_fails_is_one_warning_and_the_next_one_is_tried(runs, tmp_path, caplog):
    film, agent = SnapshotFilm(tiny_config(runs, task=TASK), tmp_path, 1), built(runs, "filmed").algorithm.agent
    (tmp_path / "videos").write_text("where a folder should be")
    film(agent, "itr_1", {})
    (warning,) = warnings_of(caplog)
    assert warning.startswith("no film of itr_1, training goes on: FileExistsError: ") and "\n" not in warning
    (tmp_path / "videos").unlink()
    film(agent, "itr_2", {})
    assert len(warnings_of(caplog)) == 1 and (tmp_path / "videos" / "itr_2_policy_multi.json").exists()


@robotics
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # of gymnasium's half-made viewer
def test_without_opengl_a_run_trains_to_its_end_with_one_warning(tmp_path, monkeypatch, caplog):
    monkeypatch.setenv("MUJOCO_GL", "crayons")
    agent = {"name": "ddpg", "network": {"name": "monolithic", "hidden_sizes": [8]}, "actor": {"hidden_sizes": [8]}}
    tiny_build(
        tmp_path, "run", agent=agent, task={"name": "FetchReach-v4", "horizon": 3}, dataset=None, num_envs=2,
        phases=[FILMED | {"offline_fraction": 0.0}], evaluation={"num_episodes": 1},
    ).train()  # fmt: skip
    (warning,) = warnings_of(caplog)
    assert warning.startswith("no films in this run, training goes on: cannot draw with MUJOCO_GL=crayons")
    assert "\n" not in warning
    assert not files_of(tmp_path / "run") and (tmp_path / "run" / "itr_2").exists()


def test_a_number_of_episodes_below_none_is_refused():
    with pytest.raises(ConfigError, match="film_episodes must not be negative, got -1"):
        Phase(name="online", num_epochs=1, film_episodes=-1)
