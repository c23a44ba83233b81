"""What an agent did can be watched: stored simulator states, or fresh episodes, as a film of the right length."""

import dataclasses
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
import torch
from PIL import Image

from experiment_configs.loading import load_run
from experiment_configs.measures import build_evaluator
from experiment_configs.stored_steps import stored_footage
from scripts.viz_hist import main
from tests.envs.gymnasium_fixtures import robotics
from tests.experiment_configs.tiny_variant import ONLINE, tiny_build
from tests.scripts.tiny_snapshots import ENV_STEPS, HELD, HORIZON, NUM_ENVS, make_run, refusal
from tests.source_tree import ROOT


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> Path:
    return make_run(tmp_path_factory.mktemp("experiment"))


def film(*words: Any) -> None:
    assert main([*map(str, words)]) == 0


def frames_of(path: Path) -> list[np.ndarray]:
    with av.open(str(path)) as container:
        return [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]


def test_by_default_all_stored_steps_up_to_a_thousand_are_filmed_into_the_runs_videos(run, capsys):
    film("--snapshot", run / "itr_2")
    path = run / "videos" / f"itr_2_{ENV_STEPS - HELD}_{ENV_STEPS}.mp4"
    assert str(path) in capsys.readouterr().out
    frames = frames_of(path)
    assert len(frames) == HELD // NUM_ENVS
    assert any((frame != frames[0]).any() for frame in frames[1:])


def test_the_states_filmed_are_those_that_the_store_holds(run):
    loaded = load_run(run / "itr_2")
    log = loaded.snapshot.parts["replay"]["columns"]["sim_state"]
    stored = log.read(log.first, log.last).numpy()
    oldest, drawn = ENV_STEPS - HELD, []

    def draw(state: np.ndarray, trail: np.ndarray) -> np.ndarray:
        drawn.append(state)
        return np.zeros((2, 2, 3), np.uint8)

    footage, name = stored_footage(loaded, oldest + 40, oldest + 80, draw=draw)
    assert len(list(footage.pictures)) == len(footage.step) == 10 and name == "240_280"
    assert np.array_equal(np.reshape(drawn, (10, NUM_ENVS, 7)), stored[10:20])
    assert footage.step.tolist() == stored[10:20, :, 6].astype(int).tolist()

    drawn.clear()
    footage, name = stored_footage(loaded, -8, None, env=2, draw=draw)
    assert len(list(footage.pictures)) == 2 and name == "592_600_env_2"
    assert np.array_equal(drawn, stored[-2:, 2])


def test_steps_can_be_chosen_from_either_end_and_shown_slowly(run, tmp_path):
    film(
        "--snapshot", run / "itr_2", "--start", 300, "--end", -200, "--time_delay", 0.5, "--output", tmp_path / "a.mp4"
    )
    with av.open(str(tmp_path / "a.mp4")) as container:
        assert container.streams.video[0].average_rate == 2
    assert len(frames_of(tmp_path / "a.mp4")) == 100 // NUM_ENVS


def test_one_environment_alone_is_drawn_larger_than_in_the_grid(run, tmp_path):
    for name, words in {"grid": [], "one": ["--env", 1]}.items():
        film("--snapshot", run / "itr_2", "--start", -20, *words, "--output", tmp_path / f"{name}.gif")
    with Image.open(tmp_path / "grid.gif") as grid, Image.open(tmp_path / "one.gif") as one:
        assert grid.n_frames == one.n_frames == 3  # every other one of five
        assert one.width < grid.width < 2 * one.width  # two tiles beside each other, each of them smaller


def test_fresh_episodes_are_filmed_with_their_returns_beside_them(run, tmp_path):
    words = ("--policy", "--goals", "single", "--num_episodes", 3, "--seed", 4, "--output", tmp_path / "fresh.mp4")
    film("--snapshot", run / "itr_2", *words)
    assert len(frames_of(tmp_path / "fresh.mp4")) == HORIZON + 1

    loaded = load_run(run / "itr_2")
    report = json.loads((tmp_path / "fresh.json").read_text())
    assert (report["goals"], report["seed"], len(report["episodes"])) == ("single", 4, 3)
    assert (report["run"], report["snapshot"], report["task"]) == ("run", "itr_2", "maze2d-umaze-v1")
    assert (report["env_steps"], report["epoch"]) == (ENV_STEPS, 2)
    config = dataclasses.replace(loaded.config, evaluation=dataclasses.replace(loaded.config.evaluation, seed=4))
    played = build_evaluator(config, "single", num_episodes=3).play(loaded.agent.policy(explore=False))
    assert [episode["return"] for episode in report["episodes"]] == played.rewards.sum(0).tolist()
    assert [episode["success"] for episode in report["episodes"]] == played.success.any(0).tolist()


def test_a_film_and_a_gif_of_it_can_be_had_at_once(run, tmp_path, capsys):
    film("--snapshot", run / "itr_2", "--start", -40, "--gif", "--output", tmp_path / "a.mp4")
    assert str(tmp_path / "a.gif") in capsys.readouterr().out
    with Image.open(tmp_path / "a.gif") as image:
        assert image.n_frames == 5 and max(image.size) <= 640 and image.info["duration"] == 80
    assert len(frames_of(tmp_path / "a.mp4")) == 10


def test_more_episodes_than_tiles_are_all_counted(run):
    film("--snapshot", run / "itr_2", "--policy", "--num_episodes", 11)
    assert len(json.loads((run / "videos" / "itr_2_policy_multi.json").read_text())["episodes"]) == 11
    assert frames_of(run / "videos" / "itr_2_policy_multi.mp4")


def test_episodes_without_goals_are_filmed_until_the_last_one_is_over(tmp_path, capsys):
    """The lamp's choice 1 ends an episode."""
    tiny_build(
        tmp_path, "run", agent={"name": "dqn", "hidden_sizes": [8]}, task={"name": "tests.envs.lamp:Lamp-v0"},
        dataset=None, phases=[ONLINE | {"offline_fraction": 0.0, "num_epochs": 1}], evaluation={"num_episodes": 1},
    ).train()  # fmt: skip
    film("--snapshot", tmp_path / "run", "--policy", "--num_episodes", 3)
    report = json.loads((tmp_path / "run" / "videos" / "itr_1_policy_multi.json").read_text())
    steps = [episode["steps"] for episode in report["episodes"]]
    assert [episode["return"] for episode in report["episodes"]] == steps
    assert set(report["episodes"][0]) == {"return", "steps"}
    assert len(frames_of(tmp_path / "run" / "videos" / "itr_1_policy_multi.mp4")) == max(steps) + 1
    assert "is not simulated by MuJoCo" in refusal(main, capsys, "--snapshot", tmp_path / "run")


@robotics
def test_fetch_draws_itself_in_fresh_episodes_and_in_stored_steps(tmp_path, opengl, capsys):
    agent = {"name": "ddpg", "network": {"name": "monolithic", "hidden_sizes": [8]}, "actor": {"hidden_sizes": [8]}}
    tiny_build(
        tmp_path, "run", agent=agent, task={"name": "FetchReach-v4", "horizon": 4}, dataset=None, num_envs=2,
        phases=[ONLINE | {"offline_fraction": 0.0, "num_epochs": 1}], evaluation={"num_episodes": 1},
    ).train()  # fmt: skip
    film("--snapshot", tmp_path / "run", "--policy", "--num_episodes", 2, "--output", tmp_path / "fresh.mp4")
    film("--snapshot", tmp_path / "run", "--start", -6, "--output", tmp_path / "stored.mp4")
    fresh, stored = (frames_of(tmp_path / f"{name}.mp4") for name in ("fresh", "stored"))
    assert len(fresh) == 5 and len(stored) == 3 and fresh[0].shape == stored[0].shape
    assert "success" in json.loads((tmp_path / "fresh.json").read_text())["episodes"][0]
    words = ("--snapshot", tmp_path / "run", "--renderer", "mujoco")
    assert "--renderer: is for mazes; FetchReach-v4 draws itself." in refusal(main, capsys, *words)


def test_an_offline_snapshot_can_be_filmed_by_its_policy_only(run, capsys, tmp_path):
    assert "--policy" in refusal(main, capsys, "--snapshot", run / "offline_itr_1")
    film("--snapshot", run / "offline_itr_1", "--policy", "--num_episodes", 1, "--output", tmp_path / "a.gif")
    assert (tmp_path / "a.gif").exists()


@pytest.mark.parametrize(
    ("words", "part"),
    [
        (["--start", 100], "start: 100 is not among the env steps 200 to 600"),
        (["--end", 900], "end: 900 is not among"),
        (["--start", -700], "start: -100 is not among"),
        (["--start", 500, "--end", 400], "start: 500 must lie before end, 400"),
        (["--env", 4], "no environment 4, they are 0 to 3"),
        (["--policy", "--num_episodes", 2, "--env", 2], "no episode 2"),
        (["--time_delay", 0], "--time_delay: expected seconds"),
        (["--output", "film.avi"], ".mp4 or .gif"),
        (["--goals", "single"], "--goals is for fresh episodes"),
        (["--policy", "--start", 300], "--start is not for --policy"),
        (["--ouput", "film.mp4"], "Did you mean '--output'?"),
    ],
)
def test_what_cannot_be_filmed_is_refused_in_one_line(run, capsys, words, part):
    assert part in refusal(main, capsys, "--snapshot", run / "itr_2", *words)
    assert not list(run.glob("videos/.*"))


def test_the_simulators_scene_can_be_drawn_instead(run, tmp_path, opengl):
    film("--snapshot", run / "itr_2", "--start", -12, "--renderer", "mujoco", "--output", tmp_path / "scene.mp4")
    frames = frames_of(tmp_path / "scene.mp4")
    assert len(frames) == 3 and frames[0].std() > 10


@pytest.mark.engines
def test_without_a_graphics_library_the_package_to_install_is_named(run, tmp_path):
    environment = {k: v for k, v in os.environ.items() if k not in ("DISPLAY", "WAYLAND_DISPLAY")} | {
        "MUJOCO_GL": "glfw"
    }
    words = ["--snapshot", str(run / "itr_2"), "--renderer", "mujoco", "--output", str(tmp_path / "a.mp4")]
    done = subprocess.run(
        [sys.executable, "scripts/viz_hist.py", *words], cwd=ROOT, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 2 and "libosmesa6" in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr


def test_the_film_can_be_repeated_from_the_states_alone(run, tmp_path):
    """The picture of a stored state shows the particle where the state says it is."""
    film("--snapshot", run / "itr_2", "--start", -4, "--env", 0, "--output", tmp_path / "a.mp4")
    (frame,) = frames_of(tmp_path / "a.mp4")
    state = load_run(run / "itr_2").snapshot.parts["replay"]["columns"]["sim_state"].read(149, 150)[0, 0]
    scale = frame.shape[1] / 5  # the umaze has 5 cells a side
    row, column = ((state[:2] + 0.7) * scale).round().to(torch.int64).tolist()
    top = frame.shape[0] - frame.shape[1]  # strips of text
    red, green, blue = (int(value) for value in frame[top + row, column])
    assert red > 150 > green > blue
