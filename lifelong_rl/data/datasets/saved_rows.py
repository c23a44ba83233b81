"""The rows of a store as a snapshot holds them, episode by episode, with a block of them in memory at a time."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np

from lifelong_rl.types import RowLog

BLOCK_BYTES = 16 << 20
Columns = dict[str, np.ndarray]


@dataclass(frozen=True, kw_only=True)
class SavedRows:
    """Times [first, last) of N environments, named and shaped as in EpisodeStore."""

    columns: Mapping[str, RowLog]  # [T, N, ...], or numbers of pictures [T, N]
    pictures: RowLog | None  # [P, H, W, C], each held once, see lifelong_rl/data/frames.py
    pictured: frozenset[str]  # columns that are such numbers
    episode: RowLog  # [T, N], counted by each environment for itself
    num_envs: int
    first: int
    last: int

    @classmethod
    def of(cls, state: Mapping[str, Any]) -> Self:
        """Of `EpisodeStore.state_dict()`."""
        episode, frames = state["episode"], state.get("frames", {})
        return cls(
            columns=state["columns"], pictures=frames.get("pictures"), pictured=frozenset(frames.get("columns", ())),
            episode=episode, num_envs=len(state["count"]), first=episode.first, last=episode.last,
        )  # fmt: skip

    def __len__(self) -> int:
        return (self.last - self.first) * self.num_envs

    def newest(self, count: int) -> Self:
        """The last `count` rows, or the fewest whole steps of all environments that are as many."""
        return replace(self, first=max(self.first, self.last - -(-count // self.num_envs)))

    def oldest(self, count: int) -> Self:
        """The first `count` rows, likewise."""
        return replace(self, last=min(self.last, self.first + -(-count // self.num_envs)))

    def sample(self) -> Columns:
        """One row of each column, for shapes and types; columns without numbers (goals where there are none) left out.

        There must be rows.
        """
        rows = {name: self._read(name, self.first, self.first + 1)[0, 0] for name in self.columns}
        return {name: row for name, row in rows.items() if row.size}

    def episodes(self) -> Iterator[Columns]:
        """In the order of their ends: [steps, ...] each. `ended` is true in the last row alone, and always there.

        So an episode that was still running, or that was cut because environments failed, ends with its last row.
        """
        names = tuple(self.sample()) if len(self) else ()
        begun: list[list[Columns]] = [[] for _ in range(self.num_envs)]
        for first, last in self._blocks():
            block = {name: self._read(name, first, last) for name in names}
            starts = [0] * self.num_envs
            for row, env in np.argwhere(self._cuts(first, last)).tolist():
                begun[env].append({name: values[starts[env] : row + 1, env] for name, values in block.items()})
                yield _whole_episode(begun[env])
                begun[env], starts[env] = [], row + 1
            for env, start in enumerate(starts):  # copied: the block is let go
                begun[env].append({name: values[start:, env].copy() for name, values in block.items()})

    def _read(self, name: str, first: int, last: int) -> np.ndarray:
        """Times [first, last) of a column: [R, N, ...]."""
        rows = self.columns[name].read(first, last).cpu()
        if self.pictures is not None and name in self.pictured:
            lowest = int(rows.min())
            rows = self.pictures.read(lowest, int(rows.max()) + 1).cpu()[rows - lowest]
        values: np.ndarray = rows.numpy()
        return values

    def _blocks(self) -> Iterator[tuple[int, int]]:
        if not len(self):
            return
        bytes_of_step = self.num_envs * sum(row.nbytes for row in self.sample().values())
        steps = max(1, BLOCK_BYTES // bytes_of_step)
        for first in range(self.first, self.last, steps):
            yield first, min(first + steps, self.last)

    def _cuts(self, first: int, last: int) -> np.ndarray:
        """Whether each row of times [first, last) is its episode's last one among those asked for: [R, N] bool."""
        episode = self.episode.read(first, min(last + 1, self.last)).cpu().numpy()
        cuts = np.ones((last - first, self.num_envs), bool)
        cuts[: len(episode) - 1] = episode[1:] != episode[:-1]
        return cuts


def _whole_episode(parts: list[Columns]) -> Columns:
    columns = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    columns["ended"] = np.zeros(len(columns["ended"]), bool)
    columns["ended"][-1] = True
    return columns
