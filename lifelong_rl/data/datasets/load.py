"""From a dataset file to an EpisodeStore, in pieces that keep the memory small."""

import logging
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from lifelong_rl.data.datasets.files import DatasetError, DatasetFile, Shape
from lifelong_rl.data.datasets.layouts import check_and_segment, layout_of
from lifelong_rl.data.datasets.segments import Segments
from lifelong_rl.data.episodes import EpisodeStore
from lifelong_rl.types import TaskSpec

ROWS_AT_ONCE = 1 << 18  # at most
GOALS = ("goals", "infos/goal", "desired_goals", "achieved_goals", "next_achieved_goals")


def load_dataset(path: str | Path, spec: TaskSpec, device: torch.device | str = "cpu") -> EpisodeStore:
    """All transitions of a file, in a store of just that size. Anything unusable raises DatasetError with one line."""
    with DatasetFile(path) as file:
        segments = check_and_segment(file, row_shapes(spec))
        _check_goals(file, spec)
        _report_short_episodes(file, segments)
        store = EpisodeStore(int(segments.is_transition.sum()), device=device)
        for first, end in file.pieces(*file.keys, most_rows=ROWS_AT_ONCE):
            columns = _read_columns(file, spec, segments, first, end)
            if len(columns["ended"]):
                store.extend(columns, columns["ended"])
    return store


def row_shapes(spec: TaskSpec) -> dict[str, Shape | None]:
    """Shape of one row of each column that a task determines (None: any)."""
    action_shape = () if spec.discrete else (spec.action_size,)
    observations = dict.fromkeys(("observations", "next_observations"), spec.observation_shape)
    goals = dict.fromkeys(GOALS, None if spec.reward_fn is None else spec.goal_shape)
    return {**observations, **goals, "actions": action_shape}


def _check_goals(file: DatasetFile, spec: TaskSpec) -> None:
    """What a task needs to know of goals and rewards follows from something that the file has."""
    goals = [key for key in GOALS if key in file.keys]
    has_goals, are_observations = spec.reward_fn is not None, spec.goal_shape == spec.observation_shape
    if goals and not has_goals:
        raise DatasetError(f"{file.path}: {goals[0]!r} is there, but {spec.name} has no goals; expected none.")
    if not has_goals and "rewards" not in file.keys:
        raise DatasetError(f"{file.path}: key 'rewards' is missing; {spec.name} has no goals that they follow from.")
    achieved = "achieved_goals" if file.is_minari else "next_achieved_goals"
    if has_goals and spec.goal_of is None and not are_observations and achieved not in file.keys:
        raise DatasetError(f"{file.path}: key {achieved!r} is missing; observations of {spec.name} do not tell it.")


def _read_columns(file: DatasetFile, spec: TaskSpec, segments: Segments, first: int, end: int) -> dict[str, Tensor]:
    """Columns of the transitions among rows [first, end)."""
    layout = layout_of(file)
    rows = np.flatnonzero(segments.is_transition[first:end])
    last = min(end + 1, file.num_rows)  # one row more: the next observation of the last

    observation = _shown(file.numbers("observations", first, last), spec.observation_shape)
    if "next_observations" in file.keys:
        next_observation = _shown(file.numbers("next_observations", first, end), spec.observation_shape)[rows]
    else:
        next_observation = observation[rows + 1]
    columns = {
        "observation": observation[rows],
        "next_observation": next_observation,
        "action": _actions(file, spec, first, end)[rows],
        "terminated": torch.from_numpy(segments.terminated[first:end][rows]),
        "ended": torch.from_numpy(segments.ended[first:end][rows]),
        **_goals(file, spec, rows, first, end, next_observation),
    }
    if "costs" in file.keys:
        columns["cost"] = torch.from_numpy(file.numbers("costs", first, end)).float()[rows]
    if "sim_states" in file.keys:
        columns["sim_state"] = torch.from_numpy(file.read("sim_states", first, end)[rows]).double()
    if "rewards" in file.keys:
        columns["reward"] = torch.from_numpy(file.numbers("rewards", first, last)).float()[rows + layout.REWARD_DELAY]
    elif "goal" in columns and spec.reward_fn is not None:
        columns["reward"] = spec.reward_fn(columns["next_achieved_goal"], columns["goal"])
    return columns


def _goals(
    file: DatasetFile, spec: TaskSpec, rows: np.ndarray, first: int, end: int, next_observation: Tensor
) -> dict[str, Tensor]:
    """What was achieved, followed and asked for; a file that tells only one of the last two means both."""
    if spec.reward_fn is None:
        return dict.fromkeys(("next_achieved_goal", "goal", "desired_goal"), torch.zeros(len(rows), *spec.goal_shape))
    if "next_achieved_goals" in file.keys:
        achieved = _shown(file.numbers("next_achieved_goals", first, end), spec.goal_shape)[rows]
    elif "achieved_goals" in file.keys:
        last = min(end + 1, file.num_rows)
        achieved = _shown(file.numbers("achieved_goals", first, last), spec.goal_shape)[rows + 1]
    else:
        achieved = spec.goal_of(next_observation) if spec.goal_of else next_observation

    given = [key for key in (layout_of(file).GOAL, "desired_goals") if key in file.keys]
    goals = [_shown(file.numbers(key, first, end), spec.goal_shape)[rows] for key in given]
    named = {"goal": goals[0], "desired_goal": goals[-1]} if goals else {}
    return {"next_achieved_goal": achieved, **named}


def _shown(values: np.ndarray, shape: Shape) -> Tensor:
    """Observations or goals; pictures [rows, H, W, C] stay bytes."""
    tensor = torch.from_numpy(values)
    return tensor if tensor.dtype == torch.uint8 and len(shape) == 3 else tensor.float()


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
