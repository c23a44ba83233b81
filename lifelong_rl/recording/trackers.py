"""Mirrors of a run's rows in other tools (Weights & Biases, TensorBoard), with what looks like a credential masked.

A mirror that fails never stops a run.
"""

import hashlib
import logging
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol

from lifelong_rl.recording.metrics_file import Row
from lifelong_rl.secrets import mask_secrets, mask_values

_log = logging.getLogger(__name__)


class Tracker(Protocol):
    """Is shown every row that the logger writes."""

    def log(self, row: Row) -> None: ...
    def close(self) -> None: ...


class TrackerGroup:
    """Several trackers; one that raises is dropped with a warning, and training goes on."""

    def __init__(self, trackers: Sequence[Tracker]) -> None:
        self._trackers = list(trackers)

    def log(self, row: Row) -> None:
        self._trackers = [tracker for tracker in self._trackers if _survives(tracker, "log", lambda t: t.log(row))]

    def close(self) -> None:
        for tracker in self._trackers:
            _survives(tracker, "close", lambda t: t.close())
        self._trackers = []


def open_tracker(make: Callable[[], Tracker]) -> list[Tracker]:
    """`[make()]`, or `[]` with a warning where it cannot be made (package missing, no disk, no network)."""
    try:
        return [make()]
    except Exception as error:  # whatever a third party raises, the run is worth more than its mirror
        _log.warning("tracker not started: %s", _one_line(error))
        return []


class TensorBoardTracker:
    """Scalars over updates, in `run_dir/tensorboard`."""

    def __init__(self, run_dir: Path) -> None:
        from torch.utils.tensorboard import SummaryWriter

        self._writer: Any = SummaryWriter(str(run_dir / "tensorboard"))

    def log(self, row: Row) -> None:
        for name, value in row.items():
            if not isinstance(value, str):
                self._writer.add_scalar(mask_secrets(name), value, global_step=row["updates"])
        self._writer.flush()

    def close(self) -> None:
        self._writer.close()


class WandbTracker:
    """A Weights & Biases run that bears the run directory's name; the same directory continues the same run.

    Offline where `WANDB_MODE=offline` says so or no API key is known: nothing asks for one, and `wandb sync` sends
    the run later. It is given masked values only, and gathers nothing by itself: not what is printed, nor the command
    line, code, git remote or packages, which are in `stdout.log` and `run.json`.
    """

    def __init__(self, run_dir: Path, project: str, variant: dict[str, Any]) -> None:
        import wandb

        mode: Any = os.environ.get("WANDB_MODE") or _mode_that_asks_nothing()
        self._run = wandb.init(
            project=project,
            name=run_dir.name,
            group=run_dir.parent.name,
            id=hashlib.sha256(str(run_dir.absolute()).encode()).hexdigest()[:16],
            resume="allow",
            dir=str(run_dir),
            config=mask_values(variant),
            mode=mode,
            settings=_settings_that_gather_nothing(),
        )
        self._run.define_metric("*", step_metric="updates")

    def log(self, row: Row) -> None:
        self._run.log(mask_values(row))

    def close(self) -> None:
        self._run.finish()


def _settings_that_gather_nothing() -> Any:
    import wandb

    return wandb.Settings(
        init_timeout=60, silent=True, console="off", save_code=False, disable_code=True, disable_git=True,
        disable_job_creation=True, x_disable_meta=True, x_save_requirements=False,
    )  # fmt: skip


def _mode_that_asks_nothing() -> str:
    import wandb

    try:
        return "online" if wandb.Api().api_key else "offline"
    except wandb.errors.UsageError:
        return "offline"


def _survives(tracker: Tracker, verb: str, act: Callable[[Tracker], None]) -> bool:
    try:
        act(tracker)
    except Exception as error:  # see open_tracker
        _log.warning("%s.%s failed, its mirror ends here: %s", type(tracker).__name__, verb, _one_line(error))
        return False
    return True


def _one_line(error: Exception) -> str:
    return f"{type(error).__name__}: {str(error).strip().splitlines()[0] if str(error).strip() else ''}"
