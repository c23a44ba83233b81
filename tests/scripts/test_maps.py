"""What an agent knows of its maze, and the ways that it takes, become pictures that show them where they are."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from PIL import Image

from experiment_configs.loading import load_run
from experiment_configs.stored_steps import stored_trajectories
from experiment_configs.trajectories import MISSED, REACHED, Trajectory, draw_trajectories, trajectories_of
from lifelong_rl.envs.registry import make_task
from scripts.maps import main
from tests.scripts.tiny_snapshots import HORIZON, make_run, refusal


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> Path:
    return make_run(tmp_path_factory.mktemp("experiment"))


def draw(*words: Any) -> None:
    assert main([*map(str, words)]) == 0


def where(path: Path, colour: str) -> np.ndarray:
    """Rows and columns of the pixels of a colour, drawn over white at three quarters of its strength."""
    picture = np.asarray(Image.open(path).convert("RGB")).astype(float)
    drawn = 255 * (0.75 * np.array(to_rgb(colour)) + 0.25)
    return np.argwhere(np.abs(picture - drawn).max(-1) < 12)


def test_a_value_map_and_trajectories_are_drawn_beside_the_run(run, capsys):
    draw(run / "itr_2")
    paths = [run / "pictures" / f"itr_2_{name}.png" for name in ("value_map", "trajectories")]
    assert capsys.readouterr().out.splitlines() == list(map(str, paths))
    assert all(np.asarray(Image.open(path)).std() > 10 for path in paths)


@pytest.mark.parametrize("picture", ["reach_map", "stored_trajectories"])
def test_other_pictures_are_drawn_when_asked_for_in_any_format(run, tmp_path, picture):
    draw(run / "itr_2", "--picture", picture, "--output", tmp_path / "a.pdf")
    assert (tmp_path / "a.pdf").read_bytes().startswith(b"%PDF")


def test_trajectories_lie_where_they_led_in_the_colour_of_their_success(tmp_path):
    task = make_task("maze2d-umaze-v1", num_envs=1, generator=np.random.default_rng(0))
    path, (low, high) = tmp_path / "ways.png", (0.3, 3.3)  # the floor's edges

    def along(x: float) -> np.ndarray:
        states = np.zeros((20, 7))
        states[:, 0], states[:, 1] = x, np.linspace(1, 3, 20)
        return states

    ways = [Trajectory(states=along(1.0), has_reached=True), Trajectory(states=along(3.0), has_reached=False)]
    draw_trajectories(path, task, ways, "two")
    dark = np.asarray(Image.open(path).convert("L")) < 70
    rows, columns = (np.flatnonzero(dark.sum(axis) > 200) for axis in (1, 0))  # of walls: letters have fewer
    for x, colour in ((1.0, REACHED), (3.0, MISSED)):
        spot = where(path, colour)
        spot = spot[spot[:, 0] < rows[-1]]  # not the legend's
        share = (np.median(spot[:, 0]) - rows[0]) / np.ptp(rows)
        assert share == pytest.approx((x - low) / (high - low), abs=0.02)
        assert np.ptp(spot[:, 1]) == pytest.approx(2 / (high - low) * np.ptp(columns), rel=0.04)


def test_stored_trajectories_are_the_newest_whole_episodes(run):
    loaded = load_run(run / "itr_2")
    found = stored_trajectories(loaded, 5)
    assert len(found) == 5
    for trajectory in found:
        assert trajectory.states[:, 6].tolist() == list(range(HORIZON))
    assert len(stored_trajectories(loaded, 1000)) == 4 * 3  # 100 steps of 4 environments are held


def test_an_episode_that_ended_at_its_success_counts_although_its_last_state_is_not_stored():
    states = np.zeros((3, 1, 7))
    states[:, 0, 6], states[:, 0, 4] = range(3), 3.0
    success, ended = np.array([[0], [0], [1]], bool), np.array([[0], [0], [1]], bool)
    (trajectory,) = trajectories_of(states, success, ended)
    assert trajectory.has_reached and len(trajectory.states) == 3
    assert trajectories_of(states, success, np.zeros_like(ended)) == []  # it goes on


@pytest.mark.parametrize(
    ("snapshot", "words", "part"),
    [
        ("itr_2", ["--picture", "reach_map", "--start", "9,9"], "start: (9, 9) is not on the floor"),
        ("itr_2", ["--picture", "reach_map", "--start", "1"], "--start: expected two numbers such as 1,2.5"),
        ("itr_2", ["--start", "1,1"], "--start is for --picture reach_map"),
        ("itr_2", ["--picture", "value_map", "--goals", "single"], "--goals is for --picture trajectories"),
        ("itr_2", ["--output", "a.png"], "--output names one file, but 2 pictures are asked for"),
        ("itr_2", ["--picture", "value_map", "--output", "a.gif"], "expected a name that ends in .png"),
        ("offline_itr_1", ["--picture", "stored_trajectories"], "holds no env steps"),
    ],
)
def test_what_cannot_be_drawn_is_refused_in_one_line(run, capsys, snapshot, words, part):
    assert part in refusal(main, capsys, run / snapshot, *words)
