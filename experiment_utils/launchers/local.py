"""One subprocess a run on this machine: in turn, or as many at a time as the GPUs were said to hold."""

import os
import signal
import subprocess
import sys
import time
from collections import deque
from collections.abc import Sequence
from pathlib import Path

from experiment_utils.job import HELD
from experiment_utils.launchers.launcher import Resources
from experiment_utils.run_directory import RunDirectory
from lifelong_rl.training.interrupts import INTERRUPTED, REQUEUE

POLL_SECONDS = 0.05
ROOT = Path(__file__).parents[2]  # a checkout works without being installed


class LocalLauncher:
    """A crash, a kill or a leak of one run leaves the others alone. Ctrl-C waits for snapshots, a second one kills."""

    def __init__(self, resources: Resources) -> None:
        self._free: list[str | None] = list(resources.slots)
        self._alone = len(self._free) == 1
        self._running: dict[Path, tuple[subprocess.Popen[bytes], str | None]] = {}

    def submit(self, run_dirs: Sequence[Path]) -> int:
        waiting = deque(enumerate(run_dirs, 1))
        stopped = _Stopped()
        previous = [signal.signal(number, stopped.raise_it) for number in (signal.SIGTERM, signal.SIGHUP)]
        try:
            while waiting or self._running:
                while waiting and self._free:
                    number, path = waiting.popleft()
                    print(f"[{number}/{len(run_dirs)}] {path}", flush=True)
                    self._start(path)
                self._collect()
                time.sleep(POLL_SECONDS)
        except KeyboardInterrupt:
            self._stop_all(signal.SIGTERM if stopped.number else signal.SIGINT)
            return REQUEUE if stopped.number else INTERRUPTED
        finally:
            signal.signal(signal.SIGTERM, previous[0])
            signal.signal(signal.SIGHUP, previous[1])
        return 0

    def _start(self, path: Path) -> None:
        gpu = self._free.pop()
        folders = filter(None, [str(ROOT), os.environ.get("PYTHONPATH")])
        environment = os.environ | {"PYTHONPATH": os.pathsep.join(folders)}
        if gpu is not None:
            environment["CUDA_VISIBLE_DEVICES"] = gpu
        # A process group of its own: Ctrl-C reaches it once, through _stop_all, and never again in its snapshot.
        process = subprocess.Popen(
            [sys.executable, "-m", "experiment_utils.job", str(path)], env=environment, process_group=0,
            stdin=subprocess.DEVNULL, stdout=None if self._alone else subprocess.DEVNULL,
        )  # fmt: skip
        self._running[path] = (process, gpu)

    def _collect(self) -> None:
        ended = [(path, process, gpu) for path, (process, gpu) in self._running.items() if process.poll() is not None]
        for path, process, gpu in ended:
            del self._running[path]
            self._free.append(gpu)
            _mark_if_it_could_not(RunDirectory(path), process.returncode)

    def _stop_all(self, number: signal.Signals) -> None:
        print("stopping: each run takes a snapshot first (Ctrl-C again to kill)", flush=True)
        for process, _ in self._running.values():
            process.send_signal(number)
        try:
            while self._running:
                self._collect()
                time.sleep(POLL_SECONDS)
        except KeyboardInterrupt:
            for process, _ in self._running.values():
                process.kill()
                process.wait()
            self._collect()


def _mark_if_it_could_not(run: RunDirectory, returncode: int) -> None:
    """A process that was killed, or died before it could write its status, says nothing itself."""
    if returncode in (0, HELD) or (run.status is not None and run.status.state not in ("queued", "running")):
        return
    if returncode == -signal.SIGINT:
        run.write_status("interrupted")
    elif returncode in (REQUEUE, -signal.SIGTERM, -signal.SIGUSR1):
        run.write_status("queued")
    else:
        killed = returncode < 0
        error = f"killed by {signal.Signals(-returncode).name}" if killed else f"died with exit status {returncode}"
        run.write_status("failed", error)
        print(f"failed: {run.path}: {error}", file=sys.stderr)


class _Stopped:
    number = 0

    def raise_it(self, number: int, frame: object) -> None:
        self.number = number
        raise KeyboardInterrupt
