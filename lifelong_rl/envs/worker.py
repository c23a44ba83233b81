"""The parent's end of one worker process: starts it, asks it, says how it died, and leaves nothing of it behind."""

import contextlib
import multiprocessing
import os
import signal
import time
from multiprocessing import resource_tracker
from multiprocessing.connection import wait
from typing import Any

from lifelong_rl.envs.worker_process import STOPS, Part, SharedRows, serve

DEATH_SECONDS = 1.0  # between a closed pipe and the end of its process


class WorkerError(RuntimeError):
    """The cause, as the last part of a line."""


class Deadline:
    """`seconds` from now."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._end = time.monotonic() + seconds

    def left(self) -> float:
        return max(0.0, self._end - time.monotonic())


class Worker:
    """Answers may lag behind: one to a command that was given up is passed over."""

    def __init__(self, index: int, part: Part, rows: SharedRows) -> None:
        self.index, self.part = index, part
        context = multiprocessing.get_context("spawn")
        self._connection, theirs = context.Pipe()
        self._process = context.Process(target=serve, args=(theirs, rows, part), name=f"worker {index}")
        resource_tracker.ensure_running()  # first, since it unblocks signals
        before = signal.pthread_sigmask(signal.SIG_BLOCK, STOPS)  # the new process is born with them blocked
        try:
            self._process.start()
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
        theirs.close()
        self.pid = self._process.pid or 0
        self._has_ended = False

    @property
    def label(self) -> str:
        first, last = self.part.first, self.part.stop - 1
        which = f"environment {first}" if first == last else f"environments {first}-{last}"
        return f"{which} (worker {self.index}, pid {self.pid})"

    def send(self, number: int, command: str, payload: Any = None) -> None:
        with contextlib.suppress(OSError):  # it is dead: `answer` says so
            self._connection.send((number, command, payload))

    def answer(self, number: int, deadline: Deadline) -> Any:
        """The answer to command `number`; WorkerError where there will be none."""
        while True:
            ready = wait([self._connection, self._process.sentinel], deadline.left())
            if not ready and self._process.exitcode is None:
                raise WorkerError(f"hangs, no answer in {deadline.seconds:g} s")
            if self._connection not in ready:
                raise WorkerError(self._death())
            try:
                of, failure, answer = self._connection.recv()
            except (EOFError, OSError):
                raise WorkerError(self._death()) from None
            if failure is not None:
                raise WorkerError(failure)
            if of == number:
                return answer

    def end(self, patience: float = 0.0) -> None:
        """Waits so many seconds, then kills it; what it started is killed in any case."""
        if self._has_ended:
            return
        self._has_ended = True
        wait([self._process.sentinel], patience)
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)
        self._process.kill()
        self._process.join()
        self._connection.close()

    def _death(self) -> str:
        self.end(DEATH_SECONDS)
        code = self._process.exitcode or 0
        if code >= 0:
            return f"ended with status {code}"
        name = next((known.name for known in signal.Signals if known == -code), f"signal {-code}")
        return f"died by {name}" + (" (out of memory?)" if name == "SIGKILL" else "")
