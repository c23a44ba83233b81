"""Notices the first metric that is not finite, without reading every update's tensors at once."""

import math

import torch
from torch import Tensor

from lifelong_rl.types import DivergenceError, Metrics

CHECK_EVERY = 100  # updates


class DivergenceWatch:
    """`see` each update's metrics; now and then, and at `check`, the first not finite one raises DivergenceError."""

    def __init__(self) -> None:
        self._seen: list[tuple[int, Metrics]] = []

    def see(self, update: int, metrics: Metrics) -> None:
        self._seen.append((update, metrics))
        if len(self._seen) >= CHECK_EVERY:
            self.check()

    def check(self) -> None:
        seen, self._seen = self._seen, []
        values = [value for _, metrics in seen for value in metrics.values()]
        tensors = [value.reshape(()) for value in values if isinstance(value, Tensor)]
        numbers_are_finite = all(math.isfinite(value) for value in values if not isinstance(value, Tensor))
        if numbers_are_finite and (not tensors or bool(torch.isfinite(torch.stack(tensors)).all())):
            return
        for update, metrics in seen:
            for name, value in metrics.items():
                if not math.isfinite(float(value)):
                    raise DivergenceError(f"update {update}: trainer/{name} is {float(value)}; training stopped.")
