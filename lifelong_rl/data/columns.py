"""Named columns of a store: rings of rows [T, N, ...], and of numbers of pictures where they show pictures."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from lifelong_rl.data.frames import Frames, is_picture
from lifelong_rl.data.ring import ring_log, write_ring
from lifelong_rl.types import RowLog

LOADED_AT_ONCE = 65_536  # rows of a snapshot in memory twice


class Columns:
    """Row `time % T` holds what was written at `time`. Which columns there are, the first rows written decide.

    Columns of pictures of one shape are kept in `Frames`: see there.
    """

    def __init__(self, num_steps: int, num_envs: int, device: torch.device) -> None:
        self.num_steps, self.num_envs, self.device = num_steps, num_envs, device
        self._rings: dict[str, Tensor] = {}
        self._frames: Frames | None = None
        self._pictured: set[str] = set()

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self._rings)

    def at(self, name: str, slot: Tensor) -> Tensor:
        """[B] of T * N to [B, ...]."""
        rows = self._rings[name].flatten(0, 1).index_select(0, slot)
        return self._frames.at(rows) if self._frames is not None and name in self._pictured else rows

    def write_row(self, time: int, values: Mapping[str, Tensor], oldest: int) -> None:
        """One row [N, ...] of each; `oldest` is the time of the oldest one held."""
        if any(is_picture(value, 1) for value in values.values()):
            values = self._numbered(time, values, oldest)
        self._match(values, lead=1)
        for name, value in values.items():
            self._rings[name][time % self.num_steps].copy_(value)

    def write_rows(self, time: int, values: Mapping[str, Tensor], oldest: int) -> None:
        """At most T rows [R, N, ...] of each, from `time` on."""
        if any(is_picture(value, 2) for value in values.values()):
            for row in range(len(next(iter(values.values())))):
                held = max(oldest, time + row - self.num_steps)
                self.write_row(time + row, {name: value[row] for name, value in values.items()}, held)
            return
        self._match(values, lead=2)
        for name, value in values.items():
            write_ring(self._rings[name], time, value)

    def state_dict(self, oldest: int, time: int) -> dict[str, Any]:
        """Rows from `oldest` to before `time`."""
        state: dict[str, Any] = {"columns": {n: ring_log(ring, oldest, time) for n, ring in self._rings.items()}}
        if self._frames is not None:
            self._frames.keep_from(self._first_picture(oldest))
            state["frames"] = self._frames.state_dict() | {"columns": sorted(self._pictured)}
        return state

    def load_state_dict(self, state: dict[str, Any], oldest: int, time: int) -> None:
        logs: dict[str, RowLog] = state["columns"]
        self._check_saved(logs)
        self._rings, self._frames, self._pictured = {}, None, set()
        if "frames" in state:
            self._frames = Frames.restored(state["frames"], *self._room(), self.device)
            self._pictured = set(state["frames"]["columns"])
        for first in range(oldest, time, LOADED_AT_ONCE):
            rows = {name: log.read(first, min(time, first + LOADED_AT_ONCE)) for name, log in logs.items()}
            self._match(rows, lead=2)
            self._check_numbers(rows)
            for name, value in rows.items():
                write_ring(self._rings[name], first, value)

    def _numbered(self, time: int, values: Mapping[str, Tensor], oldest: int) -> dict[str, Tensor]:
        """Numbers in place of pictures."""
        if self._frames is None:
            shape = next(tuple(value.shape[1:]) for value in values.values() if is_picture(value, 1))
            self._frames = Frames(shape, *self._room(), self.device)
        frames = self._frames
        pictures = {n: v for n, v in values.items() if is_picture(v, 1) and tuple(v.shape[1:]) == frames.shape}
        if not self._rings:
            self._pictured = set(pictures)
        if set(pictures) != self._pictured:
            expected = f"{', '.join(sorted(self._pictured))} as pictures of shape {frames.shape}"
            raise ValueError(f"EpisodeStore: got {_shapes(values)}; the store holds {expected}.")

        if frames.last - frames.first + len(pictures) * self.num_envs > frames.room and time > oldest:
            frames.keep_from(self._first_picture(oldest))
        row = (time - 1) % self.num_steps
        before = {name: self._rings[name][row] for name in self._pictured} if time > oldest else {}
        return {**values, **frames.add(pictures, before)}

    def _first_picture(self, oldest: int) -> int:
        return min(int(self._rings[name][oldest % self.num_steps].min()) for name in self._pictured)

    def _room(self) -> tuple[int, int]:
        """Pictures of episodes of 16 steps with two goals each, and their lifetime; memory is used as it is written."""
        rows = self.num_steps * self.num_envs
        lifetime = max(rows // 16, 16 * self.num_envs)
        return rows + rows // 8 + lifetime, lifetime

    def _match(self, values: Mapping[str, Tensor], *, lead: int) -> None:
        """Allocates the rings on first use; afterwards names and shapes must stay what they were."""
        if not self._rings:
            for name, value in values.items():
                shape = (self.num_steps, self.num_envs, *value.shape[lead:])
                self._rings[name] = torch.empty(shape, dtype=value.dtype, device=self.device)
        if values.keys() != self._rings.keys():
            got, expected = ", ".join(sorted(values)), ", ".join(sorted(self._rings))
            raise ValueError(f"EpisodeStore: got the columns {got}; the store holds {expected}.")
        for name, value in values.items():
            shape, wanted = tuple(value.shape[lead - 1 :]), (self.num_envs, *self._rings[name].shape[2:])
            if shape != wanted:
                raise ValueError(f"EpisodeStore: column {name!r} of one step must have shape {wanted}, got {shape}.")

    def _check_saved(self, logs: Mapping[str, RowLog]) -> None:
        """That rows already here have the saved ones' shapes."""
        for name, log in logs.items():
            if name not in self._rings or log.first == log.last:
                continue
            ours, theirs = tuple(self._rings[name].shape[2:]), tuple(log.read(log.first, log.first + 1).shape[2:])
            if ours != theirs:
                raise ValueError(f"EpisodeStore: column {name!r} has shape {ours}, the snapshot's {theirs}.")

    def _check_numbers(self, rows: Mapping[str, Tensor]) -> None:
        """That saved rows name pictures that were saved as well."""
        for name in self._pictured:
            frames, numbers = self._frames, rows.get(name, torch.empty(0))
            assert frames is not None
            known = numbers.dtype == torch.int64 and numbers.numel() > 0
            if not known or int(numbers.min()) < frames.first or int(numbers.max()) >= frames.last:
                held = f"it holds pictures {frames.first} to {frames.last - 1}"
                raise ValueError(f"EpisodeStore: column {name!r} names pictures that the snapshot lacks; {held}.")


def _shapes(values: Mapping[str, Tensor]) -> str:
    return ", ".join(f"{name} {tuple(value.shape[1:])}" for name, value in sorted(values.items()))
