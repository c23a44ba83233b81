"""Notices the first metric that is not finite, without reading every update's tensors at once."""

import math

import torch
from torch import Tensor

from lifelong_rl.types import DivergenceError, Metrics

CHECK_EVERY = 100  # updates


class DivergenceWatch:
    """`see` each update's metrics; every so often, and at `check`, raises DivergenceError at the first that is not finite."""

    def __init__(self) -> None:
        self._seen: list[tuple[int, Metrics]] = []

    def see(self, update: int, metrics: Metrics) -> None:
        self._seen.append((update, metrics))
        if len(self._seen) >= CHECK_EVERY:
            self.check()

    def check(self) -> None:
        seen, self._seen = self._seen, []
        tensors = [value for _, metrics in seen for value in metrics.values() if isinstance(value, Tensor)]
        if tensors and bool(torch.isfinite(torch.stack(tensors)).all()):
            return
        for update, metrics in seen:
            for name, value in metrics.items():
                if not math.isfinite(float(value)):
                    raise DivergenceError(f"update {update}: trainer/{name} is {float(value)}; training stopped.")
