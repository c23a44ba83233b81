"""A ring of steps that knows where each step's episode begins and ends, whatever the number of environments."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

import torch
from torch import Tensor

from lifelong_rl.data.columns import LOADED_AT_ONCE, Columns
from lifelong_rl.data.ring import ring_log, write_ring
from lifelong_rl.types import RowLog, Step

Device = torch.device | str


class EpisodeStore:
    """Columns of shape [T, N, ...]; the newest T steps of N environments, T = capacity // N.

    A transition is named by its absolute flat index: time * N + environment, with time counted from the first step ever
    stored. The same environment's next step is `index + N`. Times and indices never wrap; only slots do.

        N = 2, T = 4, six steps stored        time            2  3  4  5
                                              slot (row)      2  3  0  1
        environment 0, one long episode       index           4  6  8 10        end_of_episode 6 6 6 6 (open: now)
        environment 1, ends after time 3      index           5  7  9 11        end_of_episode 4 4 6 6

    Each environment counts its own episodes, so that at most T + 1 consecutive counts are alive in it and
    `count % (T + 1)` addresses the tables of starts and ends without a clash, however long another one's episodes are.
    """

    def __init__(self, capacity: int, num_envs: int = 1, device: Device = "cpu") -> None:
        if num_envs < 1 or capacity < num_envs:
            raise ValueError(f"EpisodeStore: capacity {capacity} holds no step of {num_envs} environments.")
        self.num_envs = num_envs
        self.num_steps = capacity // num_envs
        self.device = torch.device(device)

        self._columns = Columns(self.num_steps, num_envs, self.device)
        self._time = 0  # steps ever stored
        self._oldest = 0  # time of the oldest step held
        self._env = torch.arange(num_envs, device=self.device)
        self._count = torch.zeros(num_envs, dtype=torch.int64, device=self.device)  # episodes before the current
        self._start = torch.zeros(num_envs, dtype=torch.int64, device=self.device)  # time of the current one's first
        self._episode = torch.empty(self.num_steps, num_envs, dtype=torch.int64, device=self.device)
        self._starts = torch.empty(self.num_steps + 1, num_envs, dtype=torch.int64, device=self.device)
        self._ends = torch.empty(self.num_steps + 1, num_envs, dtype=torch.int64, device=self.device)

    @property
    def capacity(self) -> int:
        """Transitions that fit."""
        return self.num_steps * self.num_envs

    @property
    def num_steps_added(self) -> int:
        """Transitions ever stored, also those that newer ones have replaced."""
        return self._time * self.num_envs

    @property
    def num_episodes(self) -> int:
        """Episodes ever ended."""
        return int(self._count.sum())

    @property
    def column_names(self) -> tuple[str, ...]:
        """What `at` can read; `cost` can always be read."""
        return self._columns.names

    def __len__(self) -> int:
        return (self._time - self._oldest) * self.num_envs

    # ---- writing

    def add(self, step: Step) -> None:
        """Stores one step of all environments."""
        values = {f.name: getattr(step, f.name) for f in fields(Step) if getattr(step, f.name) is not None}
        self._columns.write_row(self._time, values, self._oldest)

        slot = self._count % (self.num_steps + 1)
        self._episode[self._time % self.num_steps] = self._count
        self._starts[slot, self._env] = self._start
        self._advance(1)
        self._ends[slot, self._env] = self._time
        self._begin_episodes(step.ended.to(self.device))

    def extend(self, columns: Mapping[str, Tensor], ended: Tensor) -> None:
        """Stores many steps at once: columns [T, ...] and ended [T] where N is 1, else [T, N, ...] and [T, N]."""
        rows = len(ended)
        ended = ended.reshape(rows, self.num_envs)
        shaped = {n: c.reshape(rows, self.num_envs, *c.shape[1 + (self.num_envs > 1) :]) for n, c in columns.items()}
        for first in range(0, rows, self.num_steps):
            part = slice(first, first + self.num_steps)
            self._extend({n: c[part] for n, c in shaped.items()} | {"ended": ended[part]})

    def cut(self) -> None:
        """Ends every open episode, as when the environments were reset for a reason that no step shows."""
        self._begin_episodes(self._start < self._time)

    # ---- reading

    def at(self, name: str, index: Tensor) -> Tensor:
        """Values of a column at absolute flat indices [B]: [B, ...]."""
        if name == "cost" and name not in self._columns.names:
            return torch.ones(len(index), device=self.device)
        if name not in self._columns.names:
            raise KeyError(f"EpisodeStore: no column {name!r}; it holds {', '.join(self._columns.names)}.")
        return self._columns.at(name, index % self.capacity)

    def end_of_episode(self, index: Tensor) -> Tensor:
        """Time one past the last step of each index's episode; the time now where it is open."""
        return self._from_table(self._ends, index)

    def start_of_episode(self, index: Tensor) -> Tensor:
        """Time of the first step of each index's episode that is still held."""
        return self._from_table(self._starts, index).clamp_(min=self._oldest)

    def steps_left(self, index: Tensor) -> Tensor:
        """Steps from each index to its episode's end, its own included: `index + k * num_envs`, k = 0, 1, .."""
        return self.end_of_episode(index) - index // self.num_envs

    def random_indices(self, generator: torch.Generator, count: int) -> Tensor:
        """`count` indices of held transitions, all equally likely, with replacement."""
        if not self._time:
            raise ValueError("EpisodeStore: nothing to draw from; no step has been stored yet.")
        low, high = self._oldest * self.num_envs, self._time * self.num_envs
        return torch.randint(low, high, (count,), generator=generator, device=self.device)

    def indices(self) -> Tensor:
        """All held indices in order of time, then environment."""
        return torch.arange(self._oldest * self.num_envs, self._time * self.num_envs, device=self.device)

    def episode_of(self, index: int) -> Tensor:
        """Indices of all held steps of the episode that `index` is in, in order."""
        asked = torch.tensor([index], device=self.device)
        env = index % self.num_envs
        first, last = int(self.start_of_episode(asked)), int(self.end_of_episode(asked))
        return torch.arange(first, last, device=self.device) * self.num_envs + env

    def first_indices(self) -> Tensor:
        """Index of the first held step of each held episode, in order of time."""
        index = self.indices()
        return index[self.start_of_episode(index) == index // self.num_envs]

    # ---- snapshots

    def state_dict(self) -> dict[str, Any]:
        """The rows held, and what is needed to go on writing. Valid until the next step is stored."""
        return {
            **self._columns.state_dict(self._oldest, self._time),
            "episode": ring_log(self._episode, self._oldest, self._time),
            "count": self._count.clone(),
            "start": self._start.clone(),
            "time": self._time,
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Takes over a saved store's rows; the number of environments must agree, and the rows must fit."""
        episode: RowLog = state["episode"]
        held, num_envs = episode.last - episode.first, len(state["count"])
        if num_envs != self.num_envs or held > self.num_steps:
            room = f"{self.num_steps} steps of {self.num_envs}"
            raise ValueError(f"EpisodeStore: {held} saved steps of {num_envs} environments do not fit {room}.")
        self._columns.load_state_dict(state, episode.first, int(state["time"]))
        self._oldest, self._time = episode.first, int(state["time"])
        self._count, self._start = state["count"].to(self.device).clone(), state["start"].to(self.device).clone()
        start = torch.full_like(self._start, self._oldest)
        for first in range(self._oldest, self._time, LOADED_AT_ONCE):
            stop = min(self._time, first + LOADED_AT_ONCE)
            write_ring(self._episode, first, episode.read(first, stop))
        if held:
            self._tabulate(episode.read(self._oldest, self._time).to(self.device), self._oldest, start)

    # ---- private

    def _extend(self, columns: Mapping[str, Tensor]) -> None:
        """At most T steps: columns [R, N, ...]."""
        ended = columns["ended"].to(self.device)
        self._columns.write_rows(self._time, columns, self._oldest)
        episode = self._count + ended.cumsum(0) - ended.long()
        write_ring(self._episode, self._time, episode)
        self._tabulate(episode, self._time, self._start)

        self._advance(len(ended))
        self._count = episode[-1]
        self._start = self._starts[self._count % (self.num_steps + 1), self._env]
        self._begin_episodes(ended[-1])

    def _tabulate(self, episode: Tensor, time: int, start: Tensor) -> None:
        """Enters starts and ends of episodes [R, N] written from `time` on; the first row's began at `start` [N]."""
        size = self.num_steps + 1
        row, env = (episode[1:] != episode[:-1]).nonzero(as_tuple=True)
        self._starts[episode[0] % size, self._env] = start
        self._starts[episode[row + 1, env] % size, env] = time + row + 1
        self._ends[episode[row, env] % size, env] = time + row + 1
        self._ends[episode[-1] % size, self._env] = time + len(episode)

    def _advance(self, steps: int) -> None:
        self._time += steps
        self._oldest = max(self._oldest, self._time - self.num_steps)

    def _begin_episodes(self, ended: Tensor) -> None:
        self._count = self._count + ended.long()
        self._start = torch.where(ended, self._time, self._start)

    def _from_table(self, table: Tensor, index: Tensor) -> Tensor:
        episode = self._episode.flatten().index_select(0, index % self.capacity)
        slot = episode % (self.num_steps + 1) * self.num_envs + index % self.num_envs
        return table.flatten().index_select(0, slot)
