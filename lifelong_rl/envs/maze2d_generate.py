"""Makes maze2d datasets as D4RL's were made (Fu et al. 2020): the waypoint controller goes from target to target.

The public script's fault is not repeated: its row after a change of target holds the old observation once more.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from lifelong_rl.config import ConfigError
from lifelong_rl.envs.maze2d import maze2d_spec, reward_of
from lifelong_rl.envs.maze2d_config import Maze2dConfig
from lifelong_rl.envs.maze2d_grid import Floats, MazeGrid
from lifelong_rl.envs.maze2d_physics import Maze2dPhysics
from lifelong_rl.envs.waypoint import WaypointController

Columns = dict[str, NDArray[np.generic]]
D4RL_NOISE = 0.5  # what D4RL's generator adds when it is told to be noisy
GENERATOR_VERSION = 1  # raise it when the same config gives other bytes
_MAX_STREAMS = 256
_STEPS_PER_STREAM = 4000  # about; few enough streams that their cut ends do not matter


@dataclass(frozen=True, kw_only=True)
class Maze2dDatasetConfig:
    """What to generate; the same values give the same bytes."""

    task: Maze2dConfig
    size: int = 1_000_000  # transitions; D4RL's have 1, 2, 4 million for umaze, medium, large
    seed: int = 0
    noise: float = 0.0  # standard deviation of what is added to the controller's action, before it is clipped
    hold_steps: tuple[int, int] = (0, 0)  # stays at a target for a number of steps drawn from here, both ends included

    def __post_init__(self) -> None:
        if self.size < 1:
            raise ConfigError(f"dataset.size must be at least 1 transition, got {self.size}.")
        if self.noise < 0:
            raise ConfigError(f"dataset.noise must not be negative, got {self.noise}.")
        if not 0 <= self.hold_steps[0] <= self.hold_steps[1]:
            raise ConfigError(f"dataset.hold_steps must be 0 <= least <= most, got {self.hold_steps}.")


def generate_maze2d(config: Maze2dDatasetConfig, *, progress: Callable[[int, int], None] | None = None) -> Columns:
    """D4RL's columns, `size` rows each; a row is from before its step, and its reward is that of its observation.

    Streams that ran at once lie one after the other; `timeouts` marks the last row of a target and of a stream, and
    `infos/stream_end` the latter alone: the row after it does not follow it.

        row          0   1   2   3   4   5   6   7
        goal         a   a   a   b   b | c   c   d
        timeouts             x       x       x   x      stream 0 | stream 1

    `progress` is called with (rows made, rows in all).
    """
    num_streams = min(_MAX_STREAMS, max(1, round(config.size / _STEPS_PER_STREAM)))
    num_steps = -(-config.size // num_streams)
    drive = _Drive(config, num_streams)
    columns = _empty_columns(num_streams, num_steps)
    for step in range(num_steps):
        drive.record(columns, step)
        if progress is not None and (step % 50 == 49 or step == num_steps - 1):
            progress(min(config.size, (step + 1) * num_streams), config.size)
    columns["timeouts"][:, -1] = True
    columns["infos/stream_end"][:, -1] = True
    return _finish(columns, config)


class _Drive:
    """Many particles on their way, each with a target of its own."""

    def __init__(self, config: Maze2dDatasetConfig, num_streams: int) -> None:
        targets, jitter, noise = np.random.default_rng(config.seed).spawn(3)
        self._config, self._generator, self._noise = config, targets, noise
        self._horizon = maze2d_spec(config.task).horizon
        self._grid = MazeGrid.from_layout(config.task.maze.layout)
        self._physics = Maze2dPhysics(self._grid, num_envs=num_streams)
        self._controller = WaypointController(self._grid, num_envs=num_streams, generator=jitter)

        self._physics.scatter(np.arange(num_streams), targets)
        self._goal: Floats = self._grid.sample_positions(num_streams, targets)
        self._steps_to_hold = np.full(num_streams, -1)  # -1: still on its way
        self._steps_so_far = np.zeros(num_streams, dtype=np.int64)

    def record(self, columns: Columns, step: int) -> None:
        """Writes the rows [:, step], then moves on."""
        physics = self._physics
        action, solved = self._controller.act(physics.position, physics.velocity, self._goal)
        if self._config.noise > 0:
            action = action + self._config.noise * self._noise.standard_normal(action.shape)
        action = np.clip(action, -1.0, 1.0).astype(np.float32)
        ended = self._hold(solved) | (self._steps_so_far >= self._horizon)

        columns["observations"][:, step] = physics.state
        columns["actions"][:, step] = action
        columns["infos/goal"][:, step] = self._goal
        columns["timeouts"][:, step] = ended
        physics.step(action)  # the very numbers that the file holds
        self._steps_so_far += 1
        self._retarget(np.flatnonzero(ended))

    def _hold(self, solved: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Whether the target has been reached and held long enough [N]."""
        just_solved = np.flatnonzero(solved & (self._steps_to_hold < 0))
        least, most = self._config.hold_steps
        self._steps_to_hold[just_solved] = self._generator.integers(least, most + 1, size=len(just_solved))
        held = self._steps_to_hold == 0
        self._steps_to_hold[self._steps_to_hold > 0] -= 1
        return held

    def _retarget(self, where: NDArray[np.int64]) -> None:
        self._goal[where] = self._grid.sample_positions(len(where), self._generator)
        self._steps_to_hold[where] = -1
        self._steps_so_far[where] = 0


def _empty_columns(num_streams: int, num_steps: int) -> Columns:
    lead = (num_streams, num_steps)
    return {
        "observations": np.empty((*lead, 4), np.float32),
        "actions": np.empty((*lead, 2), np.float32),
        "timeouts": np.empty(lead, np.bool_),
        "infos/goal": np.empty((*lead, 2), np.float32),
        "infos/stream_end": np.zeros(lead, np.bool_),
    }


def _finish(columns: Columns, config: Maze2dDatasetConfig) -> Columns:
    """[streams, steps, ...] to [size, ...], and the columns that follow from others."""
    flat = {name: column.reshape(-1, *column.shape[2:])[: config.size] for name, column in columns.items()}
    flat["timeouts"][-1] = True
    flat["infos/stream_end"][-1] = True
    position, goal = flat["observations"][:, :2], flat["infos/goal"]
    reward_fn = reward_of(config.task)
    return {
        "observations": flat["observations"],
        "actions": flat["actions"],
        "rewards": reward_fn(torch.from_numpy(position), torch.from_numpy(goal)).numpy(),
        "terminals": np.zeros(config.size, np.bool_),
        "timeouts": flat["timeouts"],
        "infos/goal": goal,
        "infos/stream_end": flat["infos/stream_end"],
        "infos/qpos": position.copy(),
        "infos/qvel": flat["observations"][:, 2:].copy(),
    }
