"""The process that keeps a sweep going: `python -m experiment_utils.driver SUBMISSION.json`.

It has a session of its own, so that it outlives the terminal. Who started it follows its log; Ctrl-C there stops the
sweep, closing the terminal does not.
"""

import argparse
import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from experiment_utils.checkout import python_path
from experiment_utils.launchers import launcher_of
from experiment_utils.submissions import Submission, read_submission
from lifelong_rl.config import ConfigError
from lifelong_rl.training.interrupts import INTERRUPTED, REQUEUE

POLL_SECONDS = 0.1
START_SECONDS = 30.0


def main() -> None:
    """Holds the submission's lock and drives its engine until all is over."""
    parser = argparse.ArgumentParser(prog="python -m experiment_utils.driver", description="Drives one submission.")
    parser.add_argument("submission", type=Path, metavar="SUBMISSION.json")
    path = parser.parse_args().submission
    stopped = _Stopped()
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, stopped.raise_it)
    submission = read_submission(path)
    with submission.lock:
        submission = submission.write(pid=os.getpid())
        try:
            status = launcher_of(submission.mode, submission.options).submit(submission.run_dirs, submission)
        except KeyboardInterrupt:
            status = INTERRUPTED
        except ConfigError as error:
            print(f"error: {error}", file=sys.stderr)
            status = 2
    sys.exit(REQUEUE if status == INTERRUPTED and stopped.number else status)


def start(submission: Submission) -> subprocess.Popen[bytes]:
    """Returns when the driver lives, or has ended already."""
    with submission.log.open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-u", "-m", "experiment_utils.driver", str(submission.path)], stdin=subprocess.DEVNULL,
            stdout=log, stderr=subprocess.STDOUT, start_new_session=True,
            env=os.environ | {"PYTHONPATH": python_path()},
        )  # fmt: skip
    limit = time.monotonic() + START_SECONDS
    while not submission.is_driven_now() and process.poll() is None and time.monotonic() < limit:
        time.sleep(POLL_SECONDS / 5)
    return process


def follow(process: subprocess.Popen[bytes], log: Path) -> int:
    """Prints the log as it grows, until the driver ends; its exit status. Ctrl-C and SIGTERM go on to the driver."""
    previous = signal.signal(signal.SIGTERM, lambda *_: process.send_signal(signal.SIGTERM))
    try:
        with log.open("r", encoding="utf-8", errors="replace") as file:
            while True:
                try:
                    has_ended = process.poll() is not None
                    print(file.read(), end="", flush=True)
                    if has_ended:
                        return process.returncode
                    time.sleep(POLL_SECONDS)
                except KeyboardInterrupt:
                    with contextlib.suppress(ProcessLookupError):
                        process.send_signal(signal.SIGINT)
    finally:
        signal.signal(signal.SIGTERM, previous)


class _Stopped:
    number = 0

    def raise_it(self, number: int, frame: object) -> None:
        self.number = number
        raise KeyboardInterrupt


if __name__ == "__main__":
    main()
