"""How a run is doing: a bar on a terminal, one plain line per epoch anywhere else."""

import time
from types import TracebackType
from typing import TextIO

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

from lifelong_rl.recording.metrics_file import Row

# Of evaluation/..., in this order
_SHOWN = ("success_rate", "success_at_end_rate", "return_mean", "normalized_score", "steps_to_goal_mean")
_MAX_LOSSES = 3
_REDRAW_SECONDS = 0.2


class Progress:
    """Shows each epoch's row. `epochs_before` and `updates_before` are those of a run that goes on."""

    def __init__(
        self, num_epochs: int, *, epochs_before: int = 0, updates_before: int = 0, stream: TextIO | None = None
    ) -> None:
        self._console = Console(file=stream, highlight=False)
        self._num_epochs, self._num_before, self._num_shown = num_epochs, epochs_before, epochs_before
        self._updates = updates_before
        self._start = self._epoch_start = self._last_drawn = time.perf_counter()
        columns = (BarColumn(20), MofNCompleteColumn(), TimeElapsedColumn(), TimeRemainingColumn())
        text = TextColumn("{task.description}", markup=False)
        self._bar = Bar(*columns, text, console=self._console, redirect_stderr=False)
        self._task = self._bar.add_task("", total=num_epochs, completed=epochs_before)

    def __enter__(self) -> "Progress":
        if self._console.is_terminal:
            self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._console.is_terminal:
            self._bar.stop()

    def tick(self, epoch_fraction: float) -> None:
        """Moves the bar within an epoch; costs next to nothing, so it may be called at every update."""
        if self._console.is_terminal and (now := time.perf_counter()) - self._last_drawn > _REDRAW_SECONDS:
            self._last_drawn = now
            self._bar.update(self._task, completed=self._num_shown + min(epoch_fraction, 0.99))

    def show(self, row: Row) -> None:
        """Counts one more epoch and shows the row that the logger's `dump` returned."""
        now = time.perf_counter()
        rate = (row["updates"] - self._updates) / max(now - self._epoch_start, 1e-9)
        self._updates, self._epoch_start = row["updates"], now
        self._num_shown += 1

        text = "  ".join([row["phase"], *key_metrics(row), f"{rate:.3g} updates/s"])
        if self._console.is_terminal:
            self._bar.update(self._task, completed=self._num_shown, description=text)
            return
        per_epoch = (now - self._start) / (self._num_shown - self._num_before)
        left = _clock(per_epoch * max(self._num_epochs - self._num_shown, 0))
        line = f"epoch {self._num_shown}/{self._num_epochs}  {text}  ETA {left}"
        self._console.print(line, markup=False, soft_wrap=True)


def key_metrics(row: Row) -> list[str]:
    """The few numbers worth a line: `multi/success_rate 0.98`, `critic_loss 0.123`."""
    chosen = [name for ending in _SHOWN for name in row if name.startswith("evaluation/") and name.endswith(ending)]
    chosen += [name for name in row if name.startswith("trainer/") and name.endswith("loss")][:_MAX_LOSSES]
    return [f"{name.split('/', 1)[1]} {row[name]:.4g}" for name in chosen]


def _clock(seconds: float) -> str:
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{seconds:02d}"
