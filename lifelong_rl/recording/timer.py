"""Where an epoch's time went: a stopwatch with named sections."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from lifelong_rl.types import Metrics


class Timer:
    """Adds up seconds per section on a clock that never goes back. A section inside another counts in both."""

    def __init__(self) -> None:
        self._seconds: dict[str, float] = {}
        self._epoch_start = time.perf_counter()
        self._total = 0.0

    @contextmanager
    def section(self, name: str) -> Iterator[None]:
        """`with timer.section("evaluate"):` becomes the metric `time/evaluate_seconds`."""
        start = time.perf_counter()
        try:
            yield
        finally:
            self._seconds[name] = self._seconds.get(name, 0.0) + time.perf_counter() - start

    def read(self) -> Metrics:
        """Seconds of each section since the last reading, of the whole epoch, and of the run so far."""
        now = time.perf_counter()
        epoch = now - self._epoch_start
        self._total += epoch
        metrics: Metrics = {f"time/{name}_seconds": seconds for name, seconds in self._seconds.items()}
        self._seconds, self._epoch_start = {}, now
        return metrics | {"time/epoch_seconds": epoch, "time/total_seconds": self._total}

    def state_dict(self) -> dict[str, Any]:
        return {"total_seconds": self._total}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self._total = state["total_seconds"]
        self._epoch_start = time.perf_counter()
