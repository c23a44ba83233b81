"""From a dataset file to an EpisodeStore, in pieces that keep the memory small."""

import logging
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from lifelong_rl.data.datasets.files import DatasetFile, Shape
from lifelong_rl.data.datasets.layouts import check_and_segment, layout_of
from lifelong_rl.data.datasets.segments import Segments
from lifelong_rl.data.episodes import EpisodeStore
from lifelong_rl.types import TaskSpec

ROWS_AT_ONCE = 1 << 18


def load_dataset(path: str | Path, spec: TaskSpec, device: torch.device | str = "cpu") -> EpisodeStore:
    """All transitions of a file, in a store of just that size. Anything unusable raises DatasetError with one line."""
    with DatasetFile(path) as file:
        segments = check_and_segment(file, row_shapes(spec))
        _report_short_episodes(file, segments)
        store = EpisodeStore(int(segments.is_transition.sum()), device=device)
        for first in range(0, file.num_rows, ROWS_AT_ONCE):
            end = min(first + ROWS_AT_ONCE, file.num_rows)
            columns = _read_columns(file, spec, segments, first, end)
            if len(columns["ended"]):
                store.extend(columns, columns["ended"])
    return store


def row_shapes(spec: TaskSpec) -> dict[str, Shape]:
    """Shape of one row of each column that a task determines."""
    action_shape = () if spec.discrete else (spec.action_size,)
    return {
        "observations": spec.observation_shape,
        "next_observations": spec.observation_shape,
        "actions": action_shape,
        "goals": spec.goal_shape,
        "infos/goal": spec.goal_shape,
    }


def _read_columns(file: DatasetFile, spec: TaskSpec, segments: Segments, first: int, end: int) -> dict[str, Tensor]:
    """Columns of the transitions among rows [first, end)."""
    layout = layout_of(file)
    rows = np.flatnonzero(segments.is_transition[first:end])
    last = min(end + 1, file.num_rows)  # one row more: the next observation of the last

    observation = _observations(file.numbers("observations", first, last), spec)
    if "next_observations" in file.keys:
        next_observation = _observations(file.numbers("next_observations", first, end), spec)[rows]
    else:
        next_observation = observation[rows + 1]
    columns = {
        "observation": observation[rows],
        "next_observation": next_observation,
        "action": _actions(file, spec, first, end)[rows],
        "next_achieved_goal": spec.goal_of(next_observation) if spec.goal_of else next_observation,
        "terminated": torch.from_numpy(segments.terminated[first:end][rows]),
        "ended": torch.from_numpy(segments.ended[first:end][rows]),
    }
    if layout.GOAL in file.keys:
        goal = torch.from_numpy(file.numbers(layout.GOAL, first, end)).float()[rows]
        columns |= {"goal": goal, "desired_goal": goal}
    if "costs" in file.keys:
        columns["cost"] = torch.from_numpy(file.numbers("costs", first, end)).float()[rows]
    if "rewards" in file.keys:
        columns["reward"] = torch.from_numpy(file.numbers("rewards", first, last)).float()[rows + layout.REWARD_DELAY]
    elif "goal" in columns and spec.reward_fn is not None:
        columns["reward"] = spec.reward_fn(columns["next_achieved_goal"], columns["goal"])
    return columns


def _observations(values: np.ndarray, spec: TaskSpec) -> Tensor:
    """Pictures [rows, C, H, W] stay bytes."""
    tensor = torch.from_numpy(values)
    return tensor if tensor.dtype == torch.uint8 and len(spec.observation_shape) == 3 else tensor.float()


def _actions(file: DatasetFile, spec: TaskSpec, first: int, end: int) -> Tensor:
    if spec.discrete:
        return torch.from_numpy(file.choices("actions", spec.action_size, first, end))
    return torch.from_numpy(file.numbers("actions", first, end)).float()


def _report_short_episodes(file: DatasetFile, segments: Segments) -> None:
    short = segments.lengths == 1
    if short.any():
        row = int(segments.first_rows[short.argmax()])
        message = "%s: %d of %d episodes have one step only; the first is row %d. They are kept."
        logging.getLogger(__name__).warning(message, file.path, short.sum(), len(short), row)
