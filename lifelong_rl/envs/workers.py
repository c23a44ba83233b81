"""Environments in worker processes: the run outlives one that raises, hangs, shows NaN or dies."""

import atexit
import functools
import os
import sys
import weakref
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from types import TracebackType
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from lifelong_rl.config import ConfigError
from lifelong_rl.envs.guard import STEP_TIMEOUT
from lifelong_rl.envs.worker import Deadline, Worker, WorkerError
from lifelong_rl.envs.worker_process import Part, SharedRows, packed, unpacked
from lifelong_rl.types import EnvironmentFault, Observed, Outcome, Task, TaskSpec

MAX_RESTARTS = 3  # of a run, whichever worker
START_TIMEOUT = 120.0  # seconds: imports on a busy machine
CLOSE_SECONDS = 3.0  # what workers are given to end by themselves

Rows = dict[str, NDArray[Any]]


@dataclass(frozen=True, kw_only=True)
class WorkerConfig:
    """How many workers, and what they are allowed."""

    num_workers: int
    step_timeout: float = STEP_TIMEOUT  # seconds, for any command
    start_timeout: float = START_TIMEOUT
    max_restarts: int = MAX_RESTARTS

    def __post_init__(self) -> None:
        if self.num_workers < 1:
            raise ConfigError(f"num_workers must be at least 1, got {self.num_workers}.")


class WorkerTask:
    """N environments in W processes, as one Task; each process holds a task of its own over N / W of them.

    `builder`, "module:function", makes such a task from `options` (plain values), `num_envs` and `generator`. Close
    this, or use it in a `with`; in any case no worker outlives its parent. Steps are counted from 1.

    A worker that fails is replaced, at most `max_restarts` times in a run, and its environments begin new episodes.
    Of the step in which it failed nothing is known: to report the last observation once more, with no reward, would
    invent a transition. So that step has no outcome. It raises an `EnvironmentFault` that is `recovered`, and who steps
    the task ends all open episodes (the others' step went unseen as well) and calls `reset`. Beyond the limit the
    fault is final and the workers are gone.
    """

    def __init__(
        self, builder: str, options: Mapping[str, Any], *, num_envs: int, seed: int, config: WorkerConfig
    ) -> None:
        if num_envs < config.num_workers:
            raise ConfigError(f"num_workers must be at most num_envs, got {config.num_workers} for {num_envs}.")
        self.config, self.num_envs = config, num_envs
        self.num_steps, self.num_restarts = 0, 0
        edges = [num_envs * index // config.num_workers for index in range(config.num_workers + 1)]
        self._parts = [
            Part(
                builder=builder, options=options, first=first, stop=stop, seed=seed, stream=(index, 0),
                step_timeout=config.step_timeout, parent=os.getpid(),
            )
            for index, (first, stop) in enumerate(pairwise(edges))
        ]  # fmt: skip
        local = replace(self._parts[0], stop=1, stream=(config.num_workers, 0)).build()  # never stepped
        self.spec: TaskSpec = local.spec
        self._shared = SharedRows(num_envs, _rows_like(local))
        self._rows: Rows = self._shared.arrays()
        self._command_number = 0

        self._workers: list[Worker] = []
        self._end = functools.partial(_end_all, self._workers)
        atexit.register(self._end)  # before multiprocessing's own, which waits for them
        weakref.finalize(self, self._end).atexit = False
        self._start_all()

    def reset(self) -> Observed:
        try:
            self._ask(self._workers, "reset")
        except EnvironmentFault as fault:
            if not fault.recovered:
                raise  # a worker just started has begun new episodes: nothing else was asked for
        return self._observed()

    def step(self, action: Tensor) -> Outcome:
        values = action.detach().cpu().numpy()
        if not np.isfinite(values).all():
            index = int(np.argwhere(~np.isfinite(values))[0, 0])
            raise ValueError(f"{self.spec.name}: action of environment {index} must be finite, got {values[index]}.")
        self._rows["action"][:] = values
        self.num_steps += 1
        self._ask(self._workers, "step")
        return Outcome(
            observed=self._observed(), reward=self._tensor("reward"), terminated=self._tensor("terminated"),
            truncated=self._tensor("truncated"), success=self._tensor("success"),
        )  # fmt: skip

    def reset_where(self, ended: Tensor) -> Observed:
        where = self._rows["ended"]
        where[:] = ended.cpu().numpy()
        concerned = [worker for worker in self._workers if where[worker.part.first : worker.part.stop].any()]
        self._ask(concerned, "reset_where")
        return self._observed()

    def sim_state(self) -> Tensor:
        return self._tensor("sim_state")

    def state_dict(self) -> dict[str, Any]:
        states = self._ask(self._workers, "state_dict")
        workers = {str(index): unpacked(state) for index, state in enumerate(states)}
        return {"workers": workers, "num_steps": self.num_steps, "num_restarts": self.num_restarts}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Exact for the same number of environments and workers."""
        workers = state["workers"]
        if len(workers) != len(self._workers):
            ours = f"{len(self._workers)} workers"
            raise ValueError(f"{self.spec.name}: the state of {len(workers)} workers does not fit {ours}.")
        payloads = [packed(workers[str(index)]) for index in range(len(workers))]
        self.num_steps, self.num_restarts = state["num_steps"], state["num_restarts"]
        self._ask(self._workers, "load_state_dict", payloads)

    def close(self) -> None:
        """Ends all workers and what they have started."""
        self._end()
        atexit.unregister(self._end)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _ask(self, workers: Sequence[Worker], command: str, payloads: Sequence[Any] | None = None) -> list[Any]:
        if not self._workers:
            raise ValueError(f"{self.spec.name}: its workers are closed.")
        self._command_number += 1
        for worker, payload in zip(workers, payloads or [None] * len(workers), strict=True):
            worker.send(self._command_number, command, payload)

        deadline = Deadline(self.config.step_timeout)
        answers: list[Any] = []
        failures: list[tuple[Worker, str]] = []
        for worker in workers:
            try:
                answers.append(worker.answer(self._command_number, deadline))
            except WorkerError as failure:
                failures.append((worker, str(failure)))
        if failures:
            raise self._recovered(failures)
        return answers

    def _recovered(self, failures: list[tuple[Worker, str]]) -> EnvironmentFault:
        """Replaces the workers, and those that fail as they start, while that is allowed."""
        lost, lines = torch.zeros(self.num_envs, dtype=torch.bool), []
        while failures:
            worker, cause = failures.pop(0)
            lines.append(f"{self.spec.name}: {worker.label} at step {self.num_steps}: {cause}")
            if self.num_restarts >= self.config.max_restarts:
                self.close()
                return EnvironmentFault(f"{lines[-1]}; workers were restarted {self.num_restarts} times before.")
            self.num_restarts += 1
            count = f"{self.num_restarts} of at most {self.config.max_restarts} restarts"
            print(f"warning: {lines[-1]}; new episodes in a new process ({count}).", file=sys.stderr, flush=True)

            lost[worker.part.first : worker.part.stop] = True
            worker.end()
            fresh = self._start(worker.index)
            self._workers[worker.index] = fresh
            try:
                fresh.answer(0, Deadline(self.config.start_timeout))
            except WorkerError as failure:
                failures.append((fresh, str(failure)))
        return EnvironmentFault("; ".join(lines), lost=lost, recovered=True)

    def _start(self, index: int) -> Worker:
        return Worker(index, replace(self._parts[index], stream=(index, self.num_restarts)), self._shared)

    def _start_all(self) -> None:
        for index in range(self.config.num_workers):
            self._workers.append(self._start(index))
        deadline = Deadline(self.config.start_timeout)
        for worker in self._workers:
            try:
                worker.answer(0, deadline)
            except WorkerError as failure:
                self.close()
                raise EnvironmentFault(f"{self.spec.name}: {worker.label} cannot start: {failure}.") from None

    def _observed(self) -> Observed:
        return Observed(
            observation=self._tensor("observation"), achieved_goal=self._tensor("achieved_goal"),
            desired_goal=self._tensor("desired_goal"),
        )  # fmt: skip

    def _tensor(self, name: str) -> Tensor:
        return torch.from_numpy(self._rows[name].copy())


def _rows_like(task: Task) -> Rows:
    """One row of everything that workers share, of the right shape and type."""
    action = torch.zeros(1, dtype=torch.int64) if task.spec.discrete else torch.zeros(1, task.spec.action_size)
    flags = ("terminated", "truncated", "success", "ended")
    rows = {
        **vars(task.reset()), "sim_state": task.sim_state(), "action": action, "reward": torch.zeros(1),
        **{name: torch.zeros(1, dtype=torch.bool) for name in flags},
    }  # fmt: skip
    return {name: value.numpy() for name, value in rows.items()}


def _end_all(workers: list[Worker]) -> None:
    for worker in workers:
        worker.send(0, "close")
    deadline = Deadline(CLOSE_SECONDS)
    for worker in workers:
        worker.end(deadline.left())
    workers.clear()
