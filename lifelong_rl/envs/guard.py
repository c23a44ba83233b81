"""A task that says what went wrong in it: an exception, a number that is not finite, or a step that never ends."""

import faulthandler
import math
import os
import sys
import tempfile
import threading
import weakref
from collections.abc import Callable
from typing import TypeVar

import torch
from torch import Tensor

from lifelong_rl.envs.wrapper import TaskWrapper
from lifelong_rl.types import EnvironmentFault, Observed, Outcome, Task

STEP_TIMEOUT = 25.0  # seconds: what hangs is found, named and stopped within 30
TICKS = 20  # looks of a watchdog in that time

T = TypeVar("T")


class Guarded(TaskWrapper):
    """The task itself, but for its failures; snapshots and simulator states pass through unchanged.

    A hang ends the process, since a call cannot be broken off from within it; `on_hang` is told the line before.

    What an exception or a number that is not finite leaves behind in a simulator of this process is unknown, so these
    faults are final. Where faults are to be outlived, let `WorkerTask` run the environments.
    Steps are counted from 1, since the guard was made.
    """

    def __init__(
        self, task: Task, timeout: float = STEP_TIMEOUT, on_hang: Callable[[str], None] = lambda line: None
    ) -> None:
        super().__init__(task)
        self.num_steps = 0
        self._watchdog = Watchdog(task.spec.name, timeout, on_hang)
        weakref.finalize(self, self._watchdog.end)

    def reset(self) -> Observed:
        observed = self._call("reset after step", self.task.reset)
        self._check(observed)
        return observed

    def step(self, action: Tensor) -> Outcome:
        self.num_steps += 1
        outcome = self._call("step", lambda: self.task.step(action))
        self._check(outcome.observed, outcome.reward)
        return outcome

    def reset_where(self, ended: Tensor) -> Observed:
        observed = self._call("reset after step", lambda: self.task.reset_where(ended))
        self._check(observed)
        return observed

    def _call(self, what: str, work: Callable[[], T]) -> T:
        self._watchdog.work = (what, self.num_steps)
        try:
            return work()
        except EnvironmentFault:
            raise
        except Exception as error:  # whatever a simulator raises
            raise EnvironmentFault(f"{self.spec.name}: {what} {self.num_steps}: {one_line(error)}") from error
        finally:
            self._watchdog.work = None

    def _check(self, observed: Observed, reward: Tensor | None = None) -> None:
        complaint = not_finite(observed, reward)
        if complaint is not None:
            raise EnvironmentFault(f"{self.spec.name}: step {self.num_steps}: {complaint}.")


class Watchdog:
    """A thread that ends the process, with status 1, where one piece of `work` takes longer than `timeout` seconds.

    It counts its own ticks instead of reading a clock: a process that was suspended goes on unharmed. A call that hangs
    while it holds Python's lock stops this thread as well; such a simulator belongs into a `WorkerTask`.
    """

    def __init__(self, name: str, timeout: float, on_hang: Callable[[str], None]) -> None:
        self.work: tuple[str, int] | None = None  # what is under way, as a new tuple each time
        self._name, self._timeout, self._on_hang = name, timeout, on_hang
        self._ended = threading.Event()
        threading.Thread(target=self._watch, name=f"watchdog of {name}", daemon=True).start()

    def end(self) -> None:
        self._ended.set()

    def _watch(self) -> None:
        seen, ticks = None, 0
        while not self._ended.wait(self._timeout / TICKS):
            work = self.work
            ticks = ticks + 1 if work is seen and work is not None else 0
            seen = work
            if work is not None and ticks >= TICKS:
                self._stop_the_process(f"{self._name}: {work[0]} {work[1]} hangs, {self._timeout:g} s so far.")

    def _stop_the_process(self, line: str) -> None:
        faulthandler.dump_traceback_later(5.0, exit=True, file=2)  # should what follows hang as well
        try:
            print(f"{line} The process ends here:\n{_stacks()}", file=sys.stderr, flush=True)
            self._on_hang(line)
        finally:
            os._exit(1)


def not_finite(observed: Observed, reward: Tensor | None = None, first: int = 0) -> str | None:
    """ "reward of environment 5 is nan", for the first such number; environments are counted from `first`."""
    for key, value in (*vars(observed).items(), ("reward", reward)):
        # A sum is not finite where a number is not, and costs less than looking at each.
        if value is None or not value.is_floating_point() or math.isfinite(value.sum().item()):
            continue
        wrong = (~torch.isfinite(value)).nonzero()
        if len(wrong):
            index = wrong[0].tolist()
            return f"{key} of environment {first + index[0]} is {value[tuple(index)].item()}"
    return None


def one_line(error: BaseException) -> str:
    """ "RuntimeError: what it says"."""
    return f"{type(error).__name__}: {' '.join(str(error).split())}".removesuffix(": ")


def _stacks() -> str:
    """The stacks of all threads, by way of a file: faulthandler knows no other, and stderr may be logged."""
    with tempfile.TemporaryFile("w+") as file:
        faulthandler.dump_traceback(file=file)
        file.seek(0)
        return file.read()
