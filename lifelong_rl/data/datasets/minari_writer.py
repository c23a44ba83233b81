"""Writes the rows of a run as a folder that Minari's own package opens (minari.py says what is in it)."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from lifelong_rl.data.datasets.minari_columns import MAIN_FILE, METADATA_FILE
from lifelong_rl.data.datasets.saved_rows import Columns, SavedRows
from lifelong_rl.data.datasets.spaces import SavedSpace, box
from lifelong_rl.data.datasets.whole import whole

VERSION, VERSION_OF_PICTURES = "0.5.0", "0.5.4"  # before the second one, pictures had to be lossy


@dataclass(frozen=True, kw_only=True)
class MinariDescription:
    """What Minari wants to know beyond the rows. `goal_of` [T, ...]: None where observations do not tell the goal."""

    dataset_id: str
    algorithm: str
    action_space: dict[str, Any]  # the environment's own, as JSON
    env_spec: str | None  # of gymnasium, as JSON
    goal_of: Callable[[np.ndarray], np.ndarray] | None


def write_minari(
    folder: Path, rows: SavedRows, description: MinariDescription, advance_to: Callable[[int], None]
) -> int:
    """The number of episodes in it."""
    actions, written, count = SavedSpace.of(description.action_space), 0, 0
    with whole(folder) as temporary:
        (temporary / MAIN_FILE).parent.mkdir(parents=True)
        with h5py.File(temporary / MAIN_FILE, "w") as file:
            for count, episode in enumerate(rows.episodes(), 1):
                group = file.create_group(f"episode_{count - 1}")
                steps = len(episode["ended"])
                group.attrs.update({"id": count - 1, "total_steps": steps})
                episode["action"] = actions.from_unit(episode["action"])
                if not actions.num_choices:
                    episode["action"] = episode["action"].reshape(steps, *description.action_space["shape"])
                _write_episode(group, episode, description.goal_of)
                written += steps
                advance_to(written)
        size = (temporary / MAIN_FILE).stat().st_size
        metadata = _metadata(rows, description) | {"total_episodes": count, "dataset_size": round(size / 1e6, 1)}
        (temporary / METADATA_FILE).write_text(json.dumps(metadata), encoding="utf-8")
    return count


def _write_episode(group: h5py.Group, episode: Columns, goal_of: Callable[[np.ndarray], np.ndarray] | None) -> None:
    observations = np.concatenate([episode["observation"], episode["next_observation"][-1:]])
    if "goal" in episode:
        achieved = episode["next_achieved_goal"]
        start = achieved[:1] if goal_of is None else goal_of(observations[:1])
        _write(group, "observations/observation", observations)
        _write(group, "observations/achieved_goal", np.concatenate([start, achieved]))
        _write(group, "observations/desired_goal", _one_more(episode["desired_goal"]))
    else:
        _write(group, "observations", observations)
    _write(group, "actions", episode["action"])
    _write(group, "rewards", episode["reward"])
    _write(group, "terminations", episode["terminated"])
    _write(group, "truncations", episode["ended"] & ~episode["terminated"])
    infos = {"followed_goal": "goal", "cost": "cost", "sim_state": "sim_state"}
    for name, column in infos.items():
        if column in episode:
            _write(group, f"infos/{name}", _one_more(episode[column]))


def _write(group: h5py.Group, name: str, values: np.ndarray) -> None:
    """Pictures are packed; of the rest there is little in one episode."""
    packed = {"compression": "gzip", "compression_opts": 1} if values.ndim > 2 else {}
    group.create_dataset(name, data=values, **packed)


def _one_more(values: np.ndarray) -> np.ndarray:
    """An episode has one observation more than steps; what was not seen of it is as it was before."""
    return np.concatenate([values, values[-1:]])


def _metadata(rows: SavedRows, description: MinariDescription) -> dict[str, Any]:
    row = rows.sample()
    shown = _space_of(row["observation"])
    if "goal" in row:
        goals = {name: _space_of(row["desired_goal"]) for name in ("achieved_goal", "desired_goal")}
        shown = {"type": "Dict", "subspaces": {**goals, "observation": shown}}
    has_pictures = row["observation"].ndim == 3
    metadata = {
        "dataset_id": description.dataset_id,
        "minari_version": VERSION_OF_PICTURES if has_pictures else VERSION,
        "data_format": "hdf5",
        "jpeg_encoding": False,
        "total_steps": len(rows),
        "observation_space": json.dumps(shown),
        "action_space": json.dumps(description.action_space),
        "algorithm_name": description.algorithm,
    }
    return metadata if description.env_spec is None else metadata | {"env_spec": description.env_spec}


def _space_of(row: np.ndarray) -> dict[str, Any]:
    bounds = (0, 255) if row.dtype == np.uint8 else (-np.inf, np.inf)
    return box(row.shape, str(row.dtype), *bounds)
