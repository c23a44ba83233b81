"""Columns of our own layout (lifelong_rl/data/datasets/arrays.py) from what old `.pkl` datasets held.

a dict of arrays         observations, actions, rewards, terminals, next_observations, ...
a list of paths          such a dict for each episode
one array (rows, W)      a row is observation, action, reward, terminal, next observation (lifelong_rl's agent_data)
"""

from typing import Any

import numpy as np

from experiment_utils.conversion.pickled import OldFileError

COLUMNS = ("observations", "actions", "rewards", "terminals", "timeouts", "next_observations", "costs", "goals")
OF_ONE_NUMBER = ("rewards", "terminals", "timeouts", "costs")
Columns = dict[str, np.ndarray]


def to_columns(data: Any, observation_size: int | None) -> tuple[Columns, list[str]]:
    """The columns, and what a person should know of how they came to be."""
    if isinstance(data, np.ndarray):
        columns, dropped = _split(data, observation_size), set()
    elif isinstance(data, dict):
        columns, dropped = _columns(data), set(data) - set(COLUMNS)
    elif isinstance(data, list | tuple) and data and all(isinstance(path, dict) for path in data):
        columns, dropped = _join(data), set().union(*data) - set(COLUMNS)
    else:
        raise OldFileError(f"holds a {type(data).__name__}; expected a dict of arrays, a list of such, or one array")

    notes = [f"left out: {', '.join(sorted(map(str, dropped)))}"] if dropped else []
    if "next_observations" in columns and "timeouts" not in columns:
        columns["timeouts"] = jumps = _jumps(columns)
        notes.append(f"timeouts: {jumps.sum()} rows whose next observation is not that of the row below; check that")
    return columns, notes


def _columns(data: dict[Any, Any]) -> Columns:
    columns = {key: _column(key, data[key]) for key in COLUMNS if key in data}
    for key in ("observations", "actions"):
        if key not in columns:
            raise OldFileError(f"lacks {key!r}; it has {', '.join(map(repr, list(data)[:20])) or 'nothing'}")
    rows = {key: len(column) for key, column in columns.items()}
    if len(set(rows.values())) > 1 or not rows["observations"]:
        raise OldFileError(f"has columns of these lengths: {rows}; expected one length, at least 1")
    return columns


def _column(key: str, value: Any) -> np.ndarray:
    column = np.asarray(value)
    if column.dtype.kind not in "biuf" or not column.ndim:
        raise OldFileError(f"{key!r} is of type {column.dtype} and shape {column.shape}; expected rows of numbers")
    return column.reshape(len(column)) if key in OF_ONE_NUMBER and column.shape[1:] == (1,) else column


def _join(paths: Any) -> Columns:
    """One below the other; each path's last row is an end."""
    parts = [_columns(path) for path in paths]
    if any(part.keys() != parts[0].keys() for part in parts):
        raise OldFileError("has paths with different keys; expected the same in each")
    columns = {key: np.concatenate([part[key] for part in parts]) for key in parts[0]}
    ended = np.zeros(len(columns["observations"]), bool)
    ended[np.cumsum([len(part["observations"]) for part in parts]) - 1] = True
    if "timeouts" in columns:
        ended |= columns["timeouts"] != 0
    if "terminals" in columns:
        ended &= columns["terminals"] == 0
    return columns | {"timeouts": ended}


def _split(rows: np.ndarray, observation_size: int | None) -> Columns:
    if observation_size is None:
        raise OldFileError(f"holds one array of shape {rows.shape}: say --observation_size, so that it can be split")
    actions = rows.shape[-1] - 2 * observation_size - 2
    if rows.ndim != 2 or actions < 1:
        expected = f"(rows, 2 * {observation_size} + actions + 2)"
        raise OldFileError(f"holds one array of shape {rows.shape}; expected {expected}")
    ends = np.cumsum([observation_size, actions, 1, 1])
    observations, action, reward, terminal, following = np.split(rows, ends, axis=1)
    return _columns(
        {"observations": observations, "actions": action, "rewards": reward, "terminals": terminal}
        | {"next_observations": following}
    )


def _jumps(columns: Columns) -> np.ndarray:
    """Rows where an episode must have ended: what the next row shows is not what this one led to."""
    differs = columns["next_observations"][:-1] != columns["observations"][1:]
    jumps = np.append(differs.any(axis=tuple(range(1, differs.ndim))), True)
    return jumps & (columns["terminals"] == 0) if "terminals" in columns else jumps
