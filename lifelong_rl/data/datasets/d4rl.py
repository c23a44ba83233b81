"""D4RL's maze2d files (Fu et al. 2020, arXiv:2004.07219): one long run towards ever new goals, as HDF5.

    observations (rows, O)   actions (rows, A)   rewards (rows,)   terminals (rows,)   timeouts (rows,)
    infos/goal (rows, G)     infos/qpos (rows, Q)   infos/qvel (rows, V)

* Row t + 1 follows row t physically, also where the goal changes: row t's next observation is that of row t + 1. So an
  episode of L steps has L + 1 observations, and the last row of the file is no transition.
* rewards[t] belongs to observations[t], not to what the action led to (Farama-Foundation/D4RL issue 194): the reward of
  transition t is rewards[t + 1].
* An episode ends where the goal changes, or where `timeouts` or `terminals` say so. The released files mark goals
  reached as timeouts; the public generator writes no timeouts and sets terminals there. Neither ends the task for good.
  A mark within one row of a change of goal is the same event.
* Our addition, absent in the original files: `infos/stream_end` (rows,) is true where row t + 1 does *not* follow
  row t, because runs made side by side were written one after another. Such a row is no transition either. What we
  write must have it.
"""

from collections.abc import Mapping
from pathlib import Path

import h5py
import numpy as np

from lifelong_rl.data.datasets.files import DatasetError, DatasetFile
from lifelong_rl.data.datasets.segments import Segments, cut_into_segments
from lifelong_rl.data.datasets.whole import whole

REQUIRED = ("observations", "actions", "rewards", "infos/goal")
OPTIONAL = ("terminals", "timeouts", "costs", "infos/qpos", "infos/qvel", "infos/stream_end")
GOAL = "infos/goal"
REWARD_DELAY = 1  # rows until the reward of a transition is written
GOAL_CHANGE = 1e-5  # summed over the goal's coordinates; below it the goal is the same
CHUNK_ROWS = 65536


def find_segments(file: DatasetFile) -> Segments:
    """Episodes of a file whose keys and shapes have been checked."""
    stream_end = file.flags("infos/stream_end")
    stream_end[-1] = True

    goal = file.numbers(GOAL).reshape(file.num_rows, -1)
    change = np.zeros(file.num_rows, bool)
    change[:-1] = np.abs(np.diff(goal, axis=0)).sum(axis=1) > GOAL_CHANGE
    near_change = change.copy()
    near_change[1:] |= change[:-1]
    near_change[:-1] |= change[1:]

    marked = file.flags("timeouts") | file.flags("terminals")
    ended = change | (marked & ~near_change)
    return cut_into_segments(ended, ~stream_end, np.zeros_like(ended))


def write_d4rl(
    path: str | Path, columns: Mapping[str, np.ndarray], *, task: str, seed: int, generator_version: str
) -> None:
    """Writes a file under a temporary name that is then renamed; equal columns give equal bytes."""
    path = Path(path)
    _check_columns(path, columns)
    with whole(path) as temporary, h5py.File(temporary, "w") as file:
        file.attrs.update({"task": task, "seed": seed, "generator_version": generator_version})
        for key, values in columns.items():
            values = values.astype(np.float32) if values.dtype == np.float64 else values
            chunks = (min(len(values), CHUNK_ROWS), *values.shape[1:])
            file.create_dataset(key, data=values, chunks=chunks, fletcher32=True)


def _check_columns(path: Path, columns: Mapping[str, np.ndarray]) -> None:
    """What is written can be read again."""
    for key in (*REQUIRED, "infos/stream_end"):  # who forgets the ends of streams writes steps that jump
        if key not in columns:
            raise DatasetError(f"{path}: key {key!r} is missing; got {', '.join(columns)}.")
    num_rows = len(columns["observations"])
    for key, values in columns.items():
        if key not in REQUIRED + OPTIONAL:
            raise DatasetError(f"{path}: unknown key {key!r}. Valid: {', '.join(sorted(REQUIRED + OPTIONAL))}.")
        if len(values) != num_rows or values.size == 0:
            raise DatasetError(f"{path}: {key!r} has shape {values.shape}; expected ({num_rows}, ...), not empty.")
