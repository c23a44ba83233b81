"""Sends a run to Weights & Biases in a process of its own: what hangs or dies there is not the run.

The process reads the run's files. A byte on its input says that they have grown, the end of its input that the run
ended, however it did.
"""

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from lifelong_rl.recording.trackers.tracker import TrackerError, one_line

CLOSE_SECONDS = 15.0  # that the end of a run may wait for the last rows to arrive
ROOT = Path(__file__).parents[3]


class Sender:
    """The training process's end: it never waits for the other one but at the end, and then not long."""

    def __init__(self, command: Sequence[str], log: Path, close_seconds: float = CLOSE_SECONDS) -> None:
        log.parent.mkdir(parents=True, exist_ok=True)
        self._log, self._close_seconds = log, close_seconds
        with log.open("wb") as output:
            self._process = subprocess.Popen(
                command, cwd=ROOT, stdin=subprocess.PIPE, stdout=output, stderr=output, start_new_session=True
            )
        assert self._process.stdin is not None
        self._input = self._process.stdin.fileno()
        os.set_blocking(self._input, False)

    def send(self) -> None:
        """Says that there is more. A sender that is busy needs no second word: it reads the files."""
        if self._process.poll() is not None:
            raise TrackerError(self._last_words())
        with contextlib.suppress(BlockingIOError):
            os.write(self._input, b"\n")

    def close(self) -> None:
        """Waits for the last rows to arrive, a limited time."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            if self._process.wait(self._close_seconds):
                raise TrackerError(self._last_words())
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
            late = f"not all was sent within {self._close_seconds:g} s"
            raise TrackerError(f"{late}; scripts/mirror.py sends the rest: {self._log.parent.parent}") from None

    def _last_words(self) -> str:
        lines = self._log.read_text(encoding="utf-8", errors="replace").split("\n")
        return next((line for line in reversed(lines) if line), f"exit status {self._process.returncode}")


def wandb_sender(run_dir: Path, project: str) -> Sender:
    """A tracker for a run that trains in this process."""
    command = [sys.executable, "-m", __name__, str(run_dir.absolute()), project]
    return Sender(command, run_dir / "wandb" / "mirror.log")


def main() -> None:
    """The sending process. It begins with the first byte: before that the run may still cut its files back."""
    from lifelong_rl.recording.trackers.mirror import Mirror
    from lifelong_rl.recording.trackers.wandb import Wandb

    mirror, run_dir = None, Path(sys.argv[1])
    while os.read(sys.stdin.fileno(), 1 << 16):
        mirror = mirror or Mirror(run_dir, Wandb(run_dir, sys.argv[2], CLOSE_SECONDS - 3), wait_seconds=60)
        mirror.send()
    signal.alarm(int(CLOSE_SECONDS))  # nothing else ends it where the run was killed
    if mirror is not None:
        mirror.close()


if __name__ == "__main__":
    try:
        main()
    except Exception as error:  # whatever it is, the run is told one line
        print(one_line(error), flush=True)
        os._exit(1)  # wandb would go on trying at exit
