"""The pictures of a store, each held once, though up to five columns of a step and its neighbours show it."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from lifelong_rl.data.ring import ring_log, write_ring
from lifelong_rl.types import RowLog

READ_AT_ONCE = 1024  # pictures of a snapshot in memory twice

# Where a column's picture may have been seen: in the same step, or in the same environment's step before
SAME = {"next_achieved_goal": ("next_observation",), "desired_goal": ("goal",)}
BEFORE = {"observation": ("next_observation",), "goal": ("goal",), "desired_goal": ("desired_goal",)}


class Frames:
    """A ring of pictures [P, H, W, C]. A picture's number counts those stored before it; P grows where it must.

    One that is `lifetime` pictures old is stored anew when it is shown again: a goal that never changes would else
    keep all that came after it.

        step            0        1        2        an episode of three steps, as five columns of numbers
        observation     0        1        4        1, 4 and 5 are what the step before led to
        next            1        4        5
        achieved next   1        4        5        the same picture
        goal            2        2        2        told and asked for
        desired goal    3        3        3

    A number is never smaller than the smallest one of the step before, so that what is older than the smallest one of
    the oldest step held is in no step held.
    """

    def __init__(self, shape: tuple[int, ...], room: int, lifetime: int, device: torch.device) -> None:
        self.shape, self._lifetime = shape, lifetime
        self.first = 0  # number of the oldest picture that is needed
        self.last = 0  # number of the next one
        self._ring = torch.empty((room, *shape), dtype=torch.uint8, device=device)

    @property
    def room(self) -> int:
        return len(self._ring)

    def at(self, number: Tensor) -> Tensor:
        """[B] to [B, H, W, C]."""
        return self._ring.index_select(0, number % self.room)

    def add(self, pictures: Mapping[str, Tensor], before: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Numbers [N] of one step's pictures [N, H, W, C], by column; `before`: those of the step before, if any."""
        numbers: dict[str, Tensor] = {}
        for name in sorted(pictures, key=lambda name: name in SAME):
            seen = [numbers[other] for other in SAME.get(name, ()) if other in numbers]
            seen += [before[other] for other in BEFORE.get(name, ()) if other in before]
            numbers[name] = self._number(pictures[name].to(self._ring.device), seen)
        return numbers

    def keep_from(self, first: int) -> None:
        """Older ones are needed no more."""
        self.first = max(self.first, first)

    def state_dict(self) -> dict[str, Any]:
        return {"pictures": ring_log(self._ring, self.first, self.last)}

    @classmethod
    def restored(cls, state: dict[str, Any], room: int, lifetime: int, device: torch.device) -> "Frames":
        log: RowLog = state["pictures"]
        sample = log.read(log.first, log.first + 1) if log.first < log.last else torch.empty(0)
        if not is_picture(sample, 1):
            found = f"{list(sample.shape)} {sample.dtype}"
            raise ValueError(f"EpisodeStore: saved pictures are {found}, expected [T, H, W, C] torch.uint8.")
        frames = cls(tuple(sample.shape[1:]), max(room, log.last - log.first), lifetime, device)
        frames.first, frames.last = log.first, log.last
        for first in range(log.first, log.last, READ_AT_ONCE):
            write_ring(frames._ring, first, log.read(first, min(log.last, first + READ_AT_ONCE)))
        return frames

    def _number(self, pictures: Tensor, seen: list[Tensor]) -> Tensor:
        number = torch.full((len(pictures),), -1, device=pictures.device)
        for candidate in seen:
            same = (self.at(candidate) == pictures).flatten(1).all(1) & (candidate >= self.last - self._lifetime)
            number = torch.where((number < 0) & same, candidate, number)
        fresh = (number < 0).nonzero().squeeze(1)
        self._make_room(len(fresh))
        number[fresh] = torch.arange(self.last, self.last + len(fresh), device=pictures.device)
        write_ring(self._ring, self.last, pictures[fresh])
        self.last += len(fresh)
        return number

    def _make_room(self, count: int) -> None:
        needed = self.last - self.first + count
        if needed <= self.room:
            return
        held = torch.arange(self.first, self.last, device=self._ring.device)
        grown = torch.empty((needed + needed // 2, *self.shape), dtype=torch.uint8, device=self._ring.device)
        for part in held.split(READ_AT_ONCE):
            write_ring(grown, int(part[0]), self.at(part))
        self._ring = grown


def is_picture(value: Tensor, lead: int) -> bool:
    """Whether it is [.., H, W, C] uint8, with `lead` axes before."""
    return value.dtype == torch.uint8 and value.ndim == lead + 3
