"""A tracker that fails, dies or hangs does not hold up the run."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from lifelong_rl.recording.logger import Logger
from lifelong_rl.recording.trackers.sender import Sender, wandb_sender
from lifelong_rl.recording.trackers.tracker import Tracker, open_tracker


class Broken:
    """Fails after its first row."""

    def __init__(self, run_dir: Path) -> None:
        self.num_sent, self.is_closed = 0, False

    def send(self) -> None:
        self.num_sent += 1
        if self.num_sent > 1:
            raise ConnectionError("refused at https://me:hunter2@example.org\nsecond line")

    def close(self) -> None:
        self.is_closed = True
        raise OSError("closed already")


def train(logger: Logger, num_epochs: int) -> None:
    for epoch in range(1, num_epochs + 1):
        logger.dump(epoch, 0, 100 * epoch, "offline")


def test_a_tracker_that_cannot_be_made_is_a_warning(caplog: pytest.LogCaptureFixture):
    def make() -> Tracker:
        raise ImportError("No module named 'wandb'")

    assert open_tracker(make) == []
    assert caplog.messages == ["tracker not started: ImportError: No module named 'wandb'"]


def test_one_that_fails_is_closed_and_said_once_and_the_others_go_on(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    broken, sound = Broken(tmp_path), Broken(tmp_path)
    sound.num_sent = -100
    logger = Logger(tmp_path, [broken, sound])
    train(logger, 4)
    logger.close()
    assert (broken.num_sent, broken.is_closed, sound.num_sent) == (2, True, -96)
    line = "ConnectionError: refused at https://***@example.org"
    said = "a mirror ends here, the run goes on: "
    assert caplog.messages == [said + line, said + "OSError: closed already"]
    assert len((tmp_path / "metrics.jsonl").read_text().splitlines()) == 4


def test_one_that_hangs_holds_up_the_end_for_a_moment_and_no_row(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    command = [sys.executable, "-c", "import time; time.sleep(100)"]
    sender = Sender(command, tmp_path / "wandb" / "mirror.log", close_seconds=0.3)
    logger = Logger(tmp_path, [sender])
    began = time.perf_counter()
    train(logger, 5)
    for _ in range(100_000):  # more than its pipe holds
        sender.send()
    assert time.perf_counter() - began < 3.0
    logger.close()
    assert time.perf_counter() - began < 5.0
    late = f"not all was sent within 0.3 s; scripts/mirror.py sends the rest: {tmp_path}"
    assert caplog.messages == [f"a mirror ends here, the run goes on: {late}"]


def test_one_that_dies_leaves_its_last_words(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    command = [sys.executable, "-c", "import sys; sys.stdin.read(1); print('no room'); sys.exit(1)"]
    logger = Logger(tmp_path, [Sender(command, tmp_path / "mirror.log")])
    train(logger, 1)
    logger.close()
    assert caplog.messages == ["a mirror ends here, the run goes on: no room"]


def test_one_whose_run_had_no_row_ends_at_once_and_sends_nothing(tmp_path: Path):
    (tmp_path / "metrics.jsonl").write_text('{"updates": 1}\n')  # another attempt's, which may be cut back
    wandb_sender(tmp_path, "maze").close()
    assert [path.name for path in (tmp_path / "wandb").iterdir()] == ["mirror.log"]


@pytest.mark.engines
def test_a_run_that_is_killed_is_sent_to_its_last_row(tmp_path: Path):
    pytest.importorskip("wandb")
    trained = (
        "import os, sys, time; from pathlib import Path; from lifelong_rl.recording.logger import Logger\n"
        "from lifelong_rl.recording.trackers.sender import wandb_sender\n"
        "logger = Logger(Path(sys.argv[1]), [wandb_sender(Path(sys.argv[1]), 'maze')])\n"
        "[logger.dump(i, 0, 100 * i, 'offline') for i in range(1, 8)]; os.kill(os.getpid(), 9)"
    )
    root = Path(__file__).parents[3]
    environment = os.environ | {"WANDB_MODE": "offline", "HOME": str(tmp_path), "PYTHONPATH": str(root)}
    ended = subprocess.run([sys.executable, "-c", trained, str(tmp_path)], env=environment, timeout=60)
    assert ended.returncode == -signal.SIGKILL
    state = tmp_path / "wandb" / "mirror.json"
    deadline = time.monotonic() + 30
    while not (state.exists() and '"session": null' in state.read_text()) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert '"next_step": 7' in state.read_text()
