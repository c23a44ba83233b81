"""What engines execute where a run is to go on: the job in a subprocess, and results back where no folder is shared.

Plain code that knows no engine.
"""

import contextlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path

from experiment_utils.checkout import python_path
from experiment_utils.job import FAILED, HELD
from experiment_utils.launchers.results import Results
from experiment_utils.parents import VARIABLE
from experiment_utils.run_directory import HeldError, RunDirectory
from experiment_utils.stores.store import Store, StoreError
from lifelong_rl.training.interrupts import INTERRUPTED, REQUEUE

POLL_SECONDS = 0.5
STOPPED = (REQUEUE, INTERRUPTED, -signal.SIGTERM, -signal.SIGUSR1, -signal.SIGINT)  # exit statuses: to be started again


def run_on_node(
    run_dir: Path, *, environment: Mapping[str, str], store_url: str | None = None, push_seconds: float = 60.0,
    stop_grace_seconds: float = 120.0, shows_output: bool = False,
) -> int:  # fmt: skip
    """The job's exit status; 75 where a signal stopped it, or results could not be brought or sent.

    KeyboardInterrupt (Ctrl-C, Ray's cancel) and SystemExit (Ray's SIGTERM) go on to the job as SIGTERM and are raised
    again after its snapshot; where nobody else heeds SIGTERM, it does the same and 75 is returned.
    """
    run, results = RunDirectory(run_dir), Results(_store(store_url), run_dir, push_seconds)
    try:
        results.bring()
    except (HeldError, StoreError) as error:
        print(f"not started: {run_dir}: {error}", file=sys.stderr, flush=True)
        return HELD if isinstance(error, HeldError) else REQUEUE
    if run.stop_file.exists():
        run.write_status("interrupted")
        return INTERRUPTED
    try:
        with _heeding_sigterm(), results:
            status = _run_job(run, _started(run_dir, environment, shows_output), stop_grace_seconds)
            results.are_ours = status != HELD
    except _Terminated:
        return REQUEUE
    return status if results.are_sent else REQUEUE


def _run_job(run: RunDirectory, process: "subprocess.Popen[bytes]", grace_seconds: float) -> int:
    returncode = REQUEUE
    try:
        while not _has_ended(process):
            if run.stop_file.exists():
                _stop(process, grace_seconds)
                run.write_status("interrupted")
                return INTERRUPTED
        returncode = process.returncode
    except BaseException:
        _stop(process, grace_seconds)
        raise
    finally:
        mark_if_it_could_not(run, returncode)
    return _exit_status(returncode)


def mark_if_it_could_not(run: RunDirectory, returncode: int) -> None:
    """A process that was killed, or died before it could write its status, says nothing itself."""
    if returncode in (0, HELD) or (run.status is not None and run.status.state not in ("queued", "running")):
        return
    if returncode in STOPPED:
        run.write_status("queued")
        return
    error = f"killed by {signal.Signals(-returncode).name}" if returncode < 0 else f"died with status {returncode}"
    run.write_status("failed", error)
    print(f"failed: {run.path}: {error}", file=sys.stderr)


def _started(run_dir: Path, environment: Mapping[str, str], shows_output: bool) -> "subprocess.Popen[bytes]":
    own = {"PYTHONPATH": python_path(), VARIABLE: str(os.getpid())}
    # A process group of its own: Ctrl-C reaches it once, through _stop, and never again in its snapshot.
    return subprocess.Popen(
        [sys.executable, "-m", "experiment_utils.job", str(run_dir)], env={**os.environ, **environment, **own},
        process_group=0, stdin=subprocess.DEVNULL, stdout=None if shows_output else subprocess.DEVNULL,
        stderr=None if shows_output else subprocess.DEVNULL,
    )  # fmt: skip


def _has_ended(process: "subprocess.Popen[bytes]") -> bool:
    try:
        process.wait(POLL_SECONDS)
    except subprocess.TimeoutExpired:
        return False
    return True


def _stop(process: "subprocess.Popen[bytes]", grace_seconds: float) -> None:
    """SIGTERM, for its snapshot; SIGKILL when it takes too long or at a second Ctrl-C."""
    process.terminate()
    try:
        process.wait(grace_seconds)
    except (subprocess.TimeoutExpired, KeyboardInterrupt):
        process.kill()
        process.wait()


def _exit_status(returncode: int) -> int:
    if returncode >= 0:
        return returncode
    return REQUEUE if returncode in STOPPED else FAILED


class _Terminated(KeyboardInterrupt):
    """By SIGTERM."""


@contextlib.contextmanager
def _heeding_sigterm() -> Iterator[None]:
    """Raises, where SIGTERM would end this process; an engine's or a driver's own handler stays."""
    is_main = threading.current_thread() is threading.main_thread()
    is_ours = is_main and signal.getsignal(signal.SIGTERM) == signal.SIG_DFL

    def raise_it(number: int, frame: object) -> None:
        raise _Terminated

    if is_ours:
        signal.signal(signal.SIGTERM, raise_it)
    try:
        yield
    finally:
        if is_ours:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _store(url: str | None) -> Store | None:
    if url is None:
        return None
    from experiment_utils.stores import store_of  # boto3 and the like, where they are needed

    return store_of(url)
