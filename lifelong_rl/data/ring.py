"""A ring of rows: a tensor [T, ...] whose row `time % T` holds what was written at `time`, until T rows later."""

import torch
from torch import Tensor

from lifelong_rl.types import RowLog


def write_ring(ring: Tensor, time: int, rows: Tensor) -> None:
    """Copies at most T rows [R, ...] into the ring from `time` on, in one piece or two."""
    row = time % len(ring)
    fits = min(len(rows), len(ring) - row)
    ring[row : row + fits].copy_(rows[:fits])
    ring[: len(rows) - fits].copy_(rows[fits:])


def ring_log(ring: Tensor, first: int, last: int) -> RowLog:
    """What was written from time `first` to before `last`, for a snapshot."""

    def read(start: int, stop: int) -> Tensor:
        row, count = start % len(ring), stop - start
        ahead = ring[row : row + count]
        return ahead if len(ahead) == count else torch.cat([ahead, ring[: count - len(ahead)]])

    return RowLog(first, last, read)
