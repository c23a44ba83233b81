"""The columns of a Minari folder (see minari.py): the datasets of its episodes, one after the other."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import h5py
import numpy as np

from lifelong_rl.data.datasets.errors import DatasetError, naming
from lifelong_rl.data.datasets.hdf5 import check_column, extent_of, follow
from lifelong_rl.data.datasets.limits import Extent, check_extents
from lifelong_rl.data.datasets.spaces import flattened, read_spaces

MAIN_FILE, METADATA_FILE = "data/main_data.hdf5", "data/metadata.json"
SHOWN = {"observation": "observations", "achieved_goal": "achieved_goals", "desired_goal": "desired_goals"}
OF_STEPS = {"actions": "actions", "rewards": "rewards", "terminations": "terminals", "truncations": "timeouts"}
INFOS = {"followed_goal": "goals", "cost": "costs", "sim_state": "sim_states"}  # name in the file: column
LAST_ROW = "is_last_row"
MAX_NAMES = 200  # characters of them in a complaint
_EPISODE = re.compile(r"episode_(\d{1,9})")

Encode = Callable[[np.ndarray], np.ndarray]


class Part(NamedTuple):
    """A dataset that has been checked, and is closed again: the library holds 40 kB for each open one."""

    name: str
    shape: tuple[int, ...]
    dtype: np.dtype
    extent: Extent


Members = dict[str, Part]


class EpisodeColumn:
    """The datasets of all episodes as one array; an episode that stores fewer rows than it has ends in zeros."""

    def __init__(self, file: h5py.File, parts: list[Part], starts: np.ndarray, encode: Encode) -> None:
        self._file, self._names = file, [part.name for part in parts]
        self._starts, self._encode = starts, encode  # starts: [episodes + 1]
        sample = encode(np.zeros((1, *parts[0].shape[1:]), parts[0].dtype))
        self.dtype = sample.dtype
        self.shape = (int(starts[-1]), *sample.shape[1:])
        self.ndim, self.size = len(self.shape), int(np.prod(self.shape))

    def __getitem__(self, rows: slice) -> np.ndarray:
        first, stop, _ = rows.indices(self.shape[0])
        values = np.zeros((max(0, stop - first), *self.shape[1:]), self.dtype)
        at, episode = first, int(np.searchsorted(self._starts, first, "right")) - 1
        while at < stop:
            begin, end = (int(row) for row in self._starts[episode : episode + 2])
            part = self._file[self._names[episode]][at - begin : min(stop, end) - begin]
            values[at - first : at - first + len(part)] = self._encode(part)
            at, episode = min(stop, end), episode + 1
        return values


def minari_columns(folder: Path, file: h5py.File) -> dict[str, EpisodeColumn | np.ndarray]:
    """All of them, none of them read yet, by the names of our own layout."""
    shown, taken = read_spaces(folder / METADATA_FILE)
    episodes = [_members(folder, name, file) for name in _episode_names(folder, file)]
    keys = [key for key in episodes[0] if all(key in members for members in episodes)]
    for key in keys:
        if len({(members[key].shape[1:], members[key].dtype) for members in episodes}) > 1:
            raise DatasetError(f"{folder}: {key!r} differs in shape or type between episodes; expected rows alike.")
    check_extents(folder, {key: _total([members[key] for members in episodes]) for key in keys})

    starts = np.concatenate([[0], np.cumsum([members["actions"].shape[0] + 1 for members in episodes])])
    encode: dict[str, Encode] = {"observations": shown.to_row, "actions": taken.to_unit}
    encode |= dict.fromkeys(("achieved_goals", "desired_goals", "goals"), flattened)
    columns: dict[str, EpisodeColumn | np.ndarray] = {}
    for key in keys:
        with naming(folder, key):
            parts = [members[key] for members in episodes]
            columns[key] = EpisodeColumn(file, parts, starts, encode.get(key, np.asarray))
    columns[LAST_ROW] = is_last = np.zeros(starts[-1], bool)
    is_last[starts[1:] - 1] = True
    return columns


def _episode_names(folder: Path, file: h5py.File) -> list[str]:
    numbers = sorted(int(match[1]) for name in file if (match := _EPISODE.fullmatch(name)))
    if not numbers:
        raise DatasetError(f"{folder / MAIN_FILE}: zero episodes; expected groups episode_0, episode_1, ...")
    return [f"episode_{number}" for number in numbers]


def _members(folder: Path, name: str, file: h5py.File) -> Members:
    """The datasets of one episode by their columns; their lengths fit together."""
    members: Members = dict(_find(folder, name, follow(folder, name, file, name)))
    for key in ("observations", *OF_STEPS.values()):
        if key not in members:
            names = {column: stored for stored, column in OF_STEPS.items()}
            raise DatasetError(f"{folder}: '{name}/{names.get(key, key)}' is missing; expected Minari's layout.")
    steps = members["actions"].shape[0]
    for key, part in members.items():
        expected = (steps if key in OF_STEPS.values() else steps + 1, *part.shape[1:])
        if part.shape != expected:
            raise DatasetError(f"{folder}: {part.name.lstrip('/')!r} has shape {part.shape}; expected {expected}.")
    return members


def _find(folder: Path, name: str, episode: h5py.HLObject) -> Iterator[tuple[str, Part]]:
    if not isinstance(episode, h5py.Group):
        raise DatasetError(f"{folder}: {name!r} is no group; expected one of observations, actions, rewards, ...")
    groups = {key: _group(folder, name, episode, key) for key in ("observations", "infos")}
    shown, infos = groups["observations"], groups["infos"]
    if shown is None:
        yield from _columns(folder, name, episode, {"observations": "observations"})
    else:
        held = set(shown)
        if "observation" not in held or held - set(SHOWN):
            names = f"{', '.join(sorted(held))[:MAX_NAMES]}; expected {', '.join(SHOWN)}, or numbers alone"
            raise DatasetError(f"{folder}: '{name}/observations' holds {names}.")
        yield from _columns(folder, f"{name}/observations", shown, SHOWN)
    yield from _columns(folder, name, episode, OF_STEPS)
    if infos is not None:
        yield from _columns(folder, f"{name}/infos", infos, INFOS)


def _group(folder: Path, name: str, episode: h5py.Group, key: str) -> h5py.Group | None:
    if key not in set(episode):
        return None
    item = follow(folder, f"{name}/{key}", episode, key)
    return item if isinstance(item, h5py.Group) else None


def _columns(
    folder: Path, prefix: str, group: h5py.Group, names: dict[str, str]
) -> Iterator[tuple[str, Part]]:
    held = set(group)  # `name in group` would follow links
    for name in (name for name in names if name in held):
        key = f"{prefix}/{name}"
        with naming(folder, key):
            item = follow(folder, key, group, name)
            check_column(folder, key, item)
            part = Part(item.name, tuple(item.shape), item.dtype, extent_of(item))
        yield names[name], part


def _total(parts: list[Part]) -> Extent:
    declared = sum(part.extent.declared for part in parts)
    return Extent(declared=declared, stored=sum(part.extent.stored for part in parts))
