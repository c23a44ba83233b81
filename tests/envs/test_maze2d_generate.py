"""Generated datasets follow D4RL's conventions, without the fault of the script that made those."""

import numpy as np
import pytest

from lifelong_rl.config import ConfigError
from lifelong_rl.envs.maze2d_config import Maze2dConfig
from lifelong_rl.envs.maze2d_generate import Columns, Maze2dDatasetConfig, generate_maze2d
from lifelong_rl.envs.maze2d_grid import MazeGrid
from lifelong_rl.envs.maze2d_physics import Maze2dPhysics


def generate(size: int = 30_000, maze: str = "umaze", **options) -> Columns:
    return generate_maze2d(Maze2dDatasetConfig(task=Maze2dConfig(name=f"maze2d-{maze}-v1"), size=size, **options))


@pytest.fixture(scope="module")
def columns() -> Columns:
    return generate()


def replay_errors(columns: Columns) -> np.ndarray:
    """How far each next row is from what the simulator makes of the row before it [rows - 1]."""
    observation = columns["observations"].astype(np.float64)
    physics = Maze2dPhysics(MazeGrid.from_layout(Maze2dConfig().maze.layout), num_envs=len(observation) - 1)
    physics.state[:] = observation[:-1]
    physics.step(columns["actions"][:-1].astype(np.float64))
    return np.abs(physics.state - observation[1:]).max(axis=1)


def test_columns_have_the_names_types_and_rows_of_d4rl(columns):
    shapes = {name: (column.dtype.name, column.shape) for name, column in columns.items()}
    assert shapes == {
        "observations": ("float32", (30_000, 4)),
        "actions": ("float32", (30_000, 2)),
        "rewards": ("float32", (30_000,)),
        "terminals": ("bool", (30_000,)),
        "timeouts": ("bool", (30_000,)),
        "infos/goal": ("float32", (30_000, 2)),
        "infos/qpos": ("float32", (30_000, 2)),
        "infos/qvel": ("float32", (30_000, 2)),
        "infos/stream_end": ("bool", (30_000,)),
    }
    assert not columns["terminals"].any()
    assert np.array_equal(np.hstack([columns["infos/qpos"], columns["infos/qvel"]]), columns["observations"])


def test_every_row_leads_to_the_next_even_where_the_target_changes(columns):
    breaks = np.flatnonzero(replay_errors(columns) > 1e-4)
    assert len(breaks) == 8 - 1  # between eight streams, and nowhere else
    assert columns["timeouts"][breaks].all()
    assert not (columns["observations"][1:] == columns["observations"][:-1]).all(axis=1).any()


def test_timeouts_mark_the_last_row_of_each_target(columns):
    switches = np.abs(np.diff(columns["infos/goal"], axis=0)).sum(axis=1) > 1e-5
    assert np.array_equal(columns["timeouts"][:-1], switches)
    assert columns["timeouts"][-1]


def test_a_target_ends_when_the_particle_is_within_a_tenth_of_its_cell(columns):
    ends = np.flatnonzero(columns["timeouts"])
    away = np.linalg.norm(columns["infos/qpos"] - np.round(columns["infos/goal"]), axis=1)
    assert (away[ends] < 0.1).sum() >= len(ends) - 8  # streams are cut off on their way


def test_a_row_is_rewarded_for_its_own_observation(columns):
    near = np.linalg.norm(columns["infos/qpos"] - columns["infos/goal"], axis=1) <= 0.5
    assert np.array_equal(columns["rewards"], near.astype(np.float32))
    assert 0.05 < near.mean() < 0.6


@pytest.mark.parametrize(("maze", "length"), [("umaze", 74), ("medium", 155)])
def test_segments_are_as_long_and_as_fast_as_known(maze, length):
    columns = generate(200_000, maze)
    assert 200_000 / columns["timeouts"].sum() == pytest.approx(length, rel=0.06)
    assert 3.0 < np.linalg.norm(columns["infos/qvel"], axis=1).mean() < 3.6


def test_the_same_seed_and_size_give_the_same_bytes_and_another_seed_does_not():
    first, again, other = generate(9_000), generate(9_000), generate(9_000, seed=1)
    assert all(np.array_equal(first[name], again[name]) for name in first)
    assert not np.array_equal(first["observations"], other["observations"])


def test_noise_is_in_the_actions_that_were_taken():
    noisy = generate(5_000, noise=0.5)
    assert np.abs(noisy["actions"]).max() == 1.0
    assert np.flatnonzero(replay_errors(noisy) > 1e-4).tolist() == []
    assert np.diff(noisy["actions"], axis=0).std() > 2 * np.diff(generate(5_000)["actions"], axis=0).std()


def test_holding_keeps_the_particle_at_its_target_for_the_steps_asked_for():
    columns = generate(20_000, hold_steps=(30, 40))
    away = np.linalg.norm(columns["infos/qpos"] - np.round(columns["infos/goal"]), axis=1)
    segments = np.split(away < 0.45, np.flatnonzero(columns["timeouts"])[:-1] + 1)
    held = [int(np.argmin(near[::-1])) if not near.all() else len(near) for near in segments[1:-1]]
    assert np.mean(np.array(held) >= 30) > 0.9
    assert columns["rewards"].mean() > 0.35


@pytest.mark.parametrize("size", [1, 7, 6_001])
def test_any_size_gives_just_that_many_rows_and_progress_reaches_it(size):
    seen = []
    config = Maze2dDatasetConfig(task=Maze2dConfig(), size=size)
    columns = generate_maze2d(config, progress=lambda rows, total: seen.append((rows, total)))
    assert {len(column) for column in columns.values()} == {size}
    assert seen[-1] == (size, size)
    assert columns["timeouts"][-1]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"size": 0}, "dataset.size must be at least 1 transition, got 0."),
        ({"noise": -1.0}, "dataset.noise must not be negative, got -1.0."),
        ({"hold_steps": (5, 2)}, "dataset.hold_steps must be 0 <= least <= most, got (5, 2)."),
    ],
)
def test_impossible_wishes_are_refused(options, message):
    with pytest.raises(ConfigError) as error:
        Maze2dDatasetConfig(task=Maze2dConfig(), **options)
    assert str(error.value) == message
