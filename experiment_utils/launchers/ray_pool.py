"""Runs side by side by Ray Core: on this machine, on its GPUs, or on a cluster that runs already.

A Ray task holds a run's CPU and GPU slots while a subprocess of its own does the job, so a crash or a leak of one run
touches no other. A task whose node is lost is started again elsewhere, and its run goes on from its newest snapshot.
"""

import logging
import os
import secrets
import signal
import time
from collections import deque
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

from experiment_utils.job import HELD
from experiment_utils.launchers.driven import Driven
from experiment_utils.launchers.gpus import chosen_gpus
from experiment_utils.launchers.node import run_on_node
from experiment_utils.launchers.options import Options
from experiment_utils.launchers.ray_settings import check_address, set_for_this_process
from experiment_utils.run_directory import RunDirectory
from experiment_utils.stores import Store, store_address, store_of
from experiment_utils.submissions import Submission
from experiment_utils.threads import thread_variables
from lifelong_rl.config import ConfigError
from lifelong_rl.training.interrupts import INTERRUPTED, REQUEUE

POLL_SECONDS = 0.5
HELD_SECONDS = 5.0  # until a run that another process works in is asked for again
QUEUED_TASKS = 64  # beyond the slots: enough for a cluster to see that it should grow
OBJECT_STORE_BYTES = 100 << 20  # a task's result is a number
STOP_SECONDS = 130.0  # for snapshots


class RayLauncher(Driven):
    """On the cluster at `options.address`; RAY_ADDRESS and Ray's own default stand where that is None."""

    mode: ClassVar[str] = "ray"

    def __init__(self, options: Options) -> None:
        self._options = options
        self._running: dict[Any, Path] = {}
        self._store_url: str | None = None
        self._store: Store | None = None

    def check(self) -> None:
        set_for_this_process()
        try:
            import ray  # noqa: F401
        except ImportError:
            raise ConfigError(f"--mode {self.mode} needs Ray: pip install -e '.[ray]'.") from None
        if self.mode == "ray":
            check_address(self._options.address or os.environ.get("RAY_ADDRESS"))
        if self._options.store is not None:
            store_of(self._options.store).check()

    def plan(self, run_dirs: Sequence[Path]) -> list[str]:
        share = f" and {self._gpu_share():.3g} of a GPU" if self._gpu_share() else ""
        each = f"{self._options.num_cpu} CPU slot{'s' * (self._options.num_cpu > 1)}{share}"
        return [f"{len(run_dirs)} runs by Ray on {self._place()}, {each} each", *self._limits()]

    def submit(self, run_dirs: Sequence[Path], submission: Submission) -> int:
        self._connect()
        if self._options.store is not None:
            self._store_url = store_address(self._options.store, submission.experiment_dir)
            self._store = store_of(self._store_url)
        waiting, held = deque(run_dirs), deque[tuple[float, Path]]()
        total, started = len(run_dirs), 0
        try:
            while waiting or held or self._running:
                while held and held[0][0] <= time.monotonic():
                    waiting.append(held.popleft()[1])
                while waiting and len(self._running) < self._most_tasks():
                    self._start(waiting.popleft())
                    started += 1
                for path, status in self._ended():
                    if status == REQUEUE:
                        waiting.append(path)
                    elif status == HELD:
                        held.append((time.monotonic() + HELD_SECONDS, path))
                    else:
                        print(_line(path, total - len(waiting) - len(held) - len(self._running), total), flush=True)
        except KeyboardInterrupt:
            self._stop()
            return INTERRUPTED
        return 0

    def _connect(self) -> None:
        cluster = self._cluster()
        set_for_this_process()
        import ray

        heeded = signal.getsignal(signal.SIGTERM)
        try:
            ray.init(logging_level=logging.ERROR, log_to_driver=False, **cluster)
        except (ray.exceptions.RayError, RuntimeError, ValueError, OSError) as error:
            last = str(error).strip().splitlines()[-1]
            raise ConfigError(f"Ray on {self._place()} did not answer: {last}") from None
        signal.signal(signal.SIGTERM, heeded)  # Ray's own would end this process before the snapshots
        remote: Any = ray.remote
        self._task = remote(run_on_node)

    def _cluster(self) -> dict[str, Any]:
        return {"address": self._options.address or "auto"}

    def _start(self, path: Path) -> None:
        if self._store is not None:
            self._store.push(path)
        task = self._task.options(
            num_cpus=self._options.num_cpu, num_gpus=self._gpu_share(), max_retries=-1, name=path.name,
            **self._task_options(),
        )  # fmt: skip
        environment: Mapping[str, str] = thread_variables(self._options.num_cpu)
        reference = task.remote(self._path_there(path), environment=environment, store_url=self._store_url)
        self._running[reference] = path

    def _path_there(self, path: Path) -> Path:
        """Of a run, on the node that is to run it."""
        return path.absolute()

    def _task_options(self) -> dict[str, Any]:
        return {}

    def _ended(self) -> list[tuple[Path, int | None]]:
        """Runs and their exit statuses; None where the task itself came to grief."""
        import ray

        if not self._running:
            time.sleep(POLL_SECONDS)
            return []
        references, _ = ray.wait(list(self._running), num_returns=1, timeout=POLL_SECONDS)
        ended: list[tuple[Path, int | None]] = []
        for reference in references:
            path = self._running.pop(reference)
            try:
                if self._store is not None:
                    self._store.pull(path)
                ended.append((path, ray.get(reference)))
            except ray.exceptions.RayError as error:
                RunDirectory(path).write_status("failed", f"its Ray task failed: {str(error).strip().splitlines()[-1]}")
                ended.append((path, None))
        return ended

    def _stop(self) -> None:
        """Every job takes its snapshot; tasks that have not begun are taken back."""
        import ray

        print("stopping: each run takes a snapshot first (once more to kill)", flush=True)
        for reference in self._running:
            ray.cancel(reference)  # KeyboardInterrupt in the task, which passes SIGTERM on
        end = time.monotonic() + STOP_SECONDS
        while time.monotonic() < end and any(RunDirectory(path).is_held() for path in self._running.values()):
            time.sleep(POLL_SECONDS)  # Ray calls a task cancelled before its job has ended

    def _most_tasks(self) -> int:
        return self._options.max_concurrent or self._num_slots() + QUEUED_TASKS

    def _num_slots(self) -> int:
        import ray

        return int(ray.cluster_resources().get("CPU", 1)) // self._options.num_cpu

    def _gpu_share(self) -> float:
        return 1 / self._options.exps_per_gpu if self._options.num_gpu else 0.0

    def _place(self) -> str:
        return f"the cluster at {self._options.address or os.environ.get('RAY_ADDRESS', 'auto')}"

    def _limits(self) -> list[str]:
        most = self._options.max_concurrent
        return [f"at most {most} at a time"] if most else []


class LocalParLauncher(RayLauncher):
    """On this machine's processors, as many at a time as there are slots."""

    mode: ClassVar[str] = "local_par"

    def check(self) -> None:
        super().check()
        if self._options.num_cpu > num_cpus():
            raise ConfigError(f"--num_cpu {self._options.num_cpu}: this machine has {num_cpus()} processors.")

    def _cluster(self) -> dict[str, Any]:
        os.environ["RAY_AUTH_TOKEN"] = secrets.token_hex(32)  # of this cluster alone, and in memory alone
        return {
            "address": "local", "num_cpus": num_cpus(), "num_gpus": 0, "include_dashboard": False,
            "object_store_memory": OBJECT_STORE_BYTES,
        }  # fmt: skip

    def _place(self) -> str:
        return f"this machine, {num_cpus() // self._options.num_cpu} at a time"


class MultiGpuLauncher(LocalParLauncher):
    """On this machine's GPUs, `exps_per_gpu` runs to each."""

    mode: ClassVar[str] = "multi_gpu"

    def __init__(self, options: Options, gpus: tuple[str, ...] | None = None) -> None:
        super().__init__(options)
        self._gpus = gpus

    def check(self) -> None:
        super().check()
        if not self._devices():
            raise ConfigError("--mode multi_gpu needs --num_gpu of at least 1.")

    def _cluster(self) -> dict[str, Any]:
        os.environ["CUDA_VISIBLE_DEVICES"] = ",".join(self._devices())  # Ray gives out these, by their names
        slots = len(self._devices()) * self._options.exps_per_gpu * self._options.num_cpu
        return super()._cluster() | {"num_gpus": len(self._devices()), "num_cpus": max(num_cpus(), slots)}

    def _gpu_share(self) -> float:
        return 1 / self._options.exps_per_gpu

    def _place(self) -> str:
        devices = ", ".join(self._devices())
        return f"GPUs {devices} of this machine, {self._options.exps_per_gpu} to each at a time"

    def _devices(self) -> tuple[str, ...]:
        if self._gpus is None:
            self._gpus = chosen_gpus(self._options)
        return self._gpus


def num_cpus() -> int:
    """That this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _line(path: Path, ended: int, total: int) -> str:
    status = RunDirectory(path).status
    state = "lost" if status is None else status.state
    error = f": {status.error}" if status is not None and status.error else ""
    return f"[{ended}/{total}] {state} {path}{error}"
