"""Signals that ask a run to stop: the step at hand is finished and a snapshot taken; a second signal does not wait."""

import contextlib
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from types import FrameType, TracebackType
from typing import Any, Self

STOPS = (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1)
SAME_SECONDS = 0.5  # a group and its leader are often told both: what comes so soon after is no second signal
REQUEUE, INTERRUPTED = 75, 130  # exit statuses: "run me again", and stopped by Ctrl-C


class Interrupts:
    """While entered, in the main thread, a signal of STOPS raises KeyboardInterrupt, at once or at the next `check`.

    `last_words(exit_status)` is called before a second signal ends the process, whatever it is doing.
    """

    def __init__(self, last_words: Callable[[int], None] = lambda exit_status: None) -> None:
        self.first: int | None = None  # the signal that came
        self._when = 0.0
        self._is_deferred = False
        self._last_words = last_words
        self._previous: dict[int, Any] = {}

    @property
    def exit_status(self) -> int:
        """What a process that was stopped ends with: batch systems send SIGTERM or SIGUSR1 and start it again."""
        return INTERRUPTED if self.first in (None, signal.SIGINT) else REQUEUE

    @contextlib.contextmanager
    def deferred(self, is_deferred: bool = True) -> Iterator[None]:
        """Inside, a signal waits for the next `check` (or, within that, does not wait again: `deferred(False)`)."""
        before, self._is_deferred = self._is_deferred, is_deferred
        try:
            if not is_deferred:
                self.check()
            yield
        finally:
            self._is_deferred = before

    def check(self) -> None:
        """Raises KeyboardInterrupt if a signal came."""
        if self.first is not None:
            raise KeyboardInterrupt

    def _note(self, number: int, frame: FrameType | None) -> None:
        now = time.monotonic()
        if self.first is None:
            self.first, self._when = number, now
            if not self._is_deferred:
                raise KeyboardInterrupt
        elif now - self._when > SAME_SECONDS:
            self._last_words(self.exit_status)
            os._exit(self.exit_status)

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            self._previous = {number: signal.signal(number, self._note) for number in STOPS}
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._previous.items():
            signal.signal(number, handler)
        self._previous = {}
