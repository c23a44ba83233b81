"""What the logger knows of mirrors. One that fails is dropped with a warning and never stops a run."""

import contextlib
import logging
from collections.abc import Callable, Sequence
from typing import Protocol

from lifelong_rl.secrets import mask_secrets

_log = logging.getLogger(__name__)


class Tracker(Protocol):
    """Follows a run's files: `send` says that `metrics.jsonl` has grown, `close` that it will not grow any more."""

    def send(self) -> None: ...
    def close(self) -> None: ...


class TrackerError(RuntimeError):
    """A mirror cannot go on; the line says why."""


class TrackerGroup:
    """Several trackers; one that raises is dropped with a warning, and training goes on."""

    def __init__(self, trackers: Sequence[Tracker]) -> None:
        self._trackers = list(trackers)

    def send(self) -> None:
        for tracker in list(self._trackers):
            if not _survives(tracker.send):
                self._trackers.remove(tracker)
                with contextlib.suppress(Exception):  # it said already what is wrong
                    tracker.close()

    def close(self) -> None:
        for tracker in self._trackers:
            _survives(tracker.close)
        self._trackers = []


def open_tracker(make: Callable[[], Tracker]) -> list[Tracker]:
    """`[make()]`, or `[]` with a warning where it cannot be made (package missing, no disk)."""
    try:
        return [make()]
    except Exception as error:  # whatever a third party raises, the run is worth more than its mirror
        _log.warning("tracker not started: %s", one_line(error))
        return []


def one_line(error: Exception) -> str:
    """What went wrong, without credentials; an error of ours speaks for itself."""
    text = mask_secrets((str(error).strip() or type(error).__name__).splitlines()[0])
    return text if isinstance(error, TrackerError) else f"{type(error).__name__}: {text}"


def _survives(act: Callable[[], None]) -> bool:
    try:
        act()
    except Exception as error:  # see open_tracker
        _log.warning("a mirror ends here, the run goes on: %s", one_line(error))
        return False
    return True
