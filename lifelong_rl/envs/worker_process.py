"""What runs in a worker process of `WorkerTask`: some of its environments, which obey commands until the parent ends.

Commands and answers travel through a pipe, as (number, command, payload) and (number, cause of failure, answer); what
the environments show stands in memory that both processes share.
"""

import multiprocessing
import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from multiprocessing.connection import Connection
from types import FrameType
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from lifelong_rl.config import resolve
from lifelong_rl.envs.guard import not_finite, one_line
from lifelong_rl.types import Observed, Task

STOPS = (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1)  # the parent decides what they mean
GRACE_SECONDS = 5.0  # a worker ends itself so long after the parent should have done so
LOOK_SECONDS = 0.5  # between two looks at whether the parent lives


@dataclass(frozen=True, kw_only=True)
class Part:
    """One worker's share: environments `first` to `stop` - 1 of a task, and how to make them."""

    builder: str  # "module:function"
    options: Mapping[str, Any]
    first: int
    stop: int
    seed: int
    stream: tuple[int, ...]  # which child of the seed the worker's generator is
    step_timeout: float
    parent: int  # process id

    def build(self) -> Task:
        task: Task = resolve(self.builder)(
            num_envs=self.stop - self.first, generator=seeded(self.seed, self.stream), **self.options
        )
        return task


class SharedRows:
    """Named arrays [N, ...] in memory without a name, which is gone as soon as the last process that uses it is."""

    def __init__(self, num_envs: int, like: Mapping[str, NDArray[Any]]) -> None:
        self._shapes = {name: (num_envs, *value.shape[1:]) for name, value in like.items()}
        self._types = {name: value.dtype.str for name, value in like.items()}
        self._blocks = {name: _block(self._shapes[name], value.dtype) for name, value in like.items()}

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Views of the shared memory, in whichever process this is called."""
        return {
            name: np.frombuffer(block, self._types[name], count=_size(self._shapes[name])).reshape(self._shapes[name])
            for name, block in self._blocks.items()
        }


def seeded(seed: int, stream: tuple[int, ...]) -> np.random.Generator:
    """The generator of one child of the seed."""
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=stream))


def serve(connection: Connection, rows: SharedRows, part: Part) -> None:
    """Obeys until the parent says so, closes the pipe or dies; a failure is the last that is answered."""
    os.setpgid(0, 0)  # so that whatever the environments start ends with them
    threading.Thread(target=_end_with, args=(part.parent,), daemon=True).start()
    for stop in STOPS:
        signal.signal(stop, _ignore)  # unlike SIG_IGN, programs that the environments start do not inherit it
    signal.pthread_sigmask(signal.SIG_UNBLOCK, STOPS)
    torch.set_num_threads(1)

    number = 0
    try:
        environments = Environments(part, rows)
        _send(connection, number, None, None)
        for number, command, payload in _commands(connection):
            # A kernel timer: should this hang while the parent is dead, no Python code could end it.
            signal.setitimer(signal.ITIMER_REAL, part.step_timeout + GRACE_SECONDS)
            answer = environments.obey(command, payload)
            signal.setitimer(signal.ITIMER_REAL, 0.0)
            _send(connection, number, None, answer)
    except _ParentGoneError:
        _end_group()
    except Exception as error:  # whatever a simulator raises
        signal.setitimer(signal.ITIMER_REAL, 0.0)
        traceback.print_exc()
        sys.stderr.flush()
        _send(connection, number, one_line(error), None)


class Environments:
    """A worker's task, and its rows of the shared arrays."""

    def __init__(self, part: Part, rows: SharedRows) -> None:
        self._first = part.first
        self._rows = {name: array[part.first : part.stop] for name, array in rows.arrays().items()}
        self._task = part.build()
        self._show(self._task.reset())

    def obey(self, command: str, payload: Any) -> Any:
        match command:
            case "step":
                self._step()
            case "reset":
                self._show(self._task.reset())
            case "reset_where":
                self._show(self._task.reset_where(torch.from_numpy(self._rows["ended"].copy())))
            case "state_dict":
                return packed(self._task.state_dict())
            case "load_state_dict":
                self._task.load_state_dict(unpacked(payload))
                self._show(self._task.reset_where(torch.zeros(self._task.num_envs, dtype=torch.bool)))
        return None

    def _step(self) -> None:
        outcome = self._task.step(torch.from_numpy(self._rows["action"].copy()))
        for name in ("reward", "terminated", "truncated", "success"):
            self._rows[name][:] = getattr(outcome, name).numpy()
        self._show(outcome.observed, outcome.reward)

    def _show(self, observed: Observed, reward: Tensor | None = None) -> None:
        complaint = not_finite(observed, reward, self._first)
        if complaint is not None:
            raise FloatingPointError(complaint)
        for name, value in vars(observed).items():
            self._rows[name][:] = value.numpy()
        self._rows["sim_state"][:] = self._task.sim_state().numpy()


@dataclass(frozen=True)
class Packed:
    """A tensor on its way through a pipe: torch would share its memory, which dies with the process that sent it."""

    array: NDArray[Any]


def packed(state: Any) -> Any:
    """A part's state with arrays in place of tensors."""
    if isinstance(state, dict):
        return {key: packed(value) for key, value in state.items()}
    if isinstance(state, list | tuple):
        return type(state)(map(packed, state))
    return Packed(state.detach().cpu().numpy()) if isinstance(state, Tensor) else state


def unpacked(state: Any) -> Any:
    """The state that `packed` was given."""
    if isinstance(state, dict):
        return {key: unpacked(value) for key, value in state.items()}
    if isinstance(state, list | tuple):
        return type(state)(map(unpacked, state))
    return torch.from_numpy(state.array) if isinstance(state, Packed) else state


class _ParentGoneError(Exception):
    """Nobody is at the other end of the pipe."""


def _send(connection: Connection, *message: Any) -> None:
    try:
        connection.send(message)
    except BrokenPipeError:
        raise _ParentGoneError from None


def _commands(connection: Connection) -> Iterator[tuple[int, str, Any]]:
    while True:
        try:
            number, command, payload = connection.recv()
        except (EOFError, ConnectionResetError):
            raise _ParentGoneError from None
        if command == "close":
            return
        yield number, command, payload


def _end_with(parent: int) -> None:
    """Looks whether the parent is gone, however that ended: a pipe may be held open by a process it has forked."""
    while os.getppid() == parent:
        time.sleep(LOOK_SECONDS)
    _end_group()


def _end_group() -> None:
    """Kills this process and all that it started."""
    os.killpg(0, signal.SIGKILL)


def _ignore(number: int, frame: FrameType | None) -> None:
    pass


def _size(shape: tuple[int, ...]) -> int:
    return int(np.prod(shape))


def _block(shape: tuple[int, ...], dtype: np.dtype[Any]) -> Any:
    return multiprocessing.get_context("spawn").RawArray("B", max(1, _size(shape) * dtype.itemsize))
