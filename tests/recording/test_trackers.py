"""The mirrors, with the real packages."""

import subprocess
import sys
from pathlib import Path

import pytest

from lifelong_rl.recording.logger import Logger
from lifelong_rl.recording.trackers import TensorBoardTracker, Tracker, open_tracker

WANDB_RUN = """
import sys
from pathlib import Path
from lifelong_rl.recording.logger import Logger
from lifelong_rl.recording.trackers import WandbTracker, open_tracker

folder = Path(sys.argv[1])
trackers = open_tracker(lambda: WandbTracker(folder, "test", {"seed": 0}))
assert trackers
logger = Logger(folder, trackers)
logger.record("trainer/loss", 0.25)
logger.dump(1, 0, 100, "offline")
logger.close()
"""


def test_tensorboard_shows_the_rows_over_updates(tmp_path: Path):
    accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    logger = Logger(tmp_path, open_tracker(lambda: TensorBoardTracker(tmp_path)))
    for epoch in (1, 2):
        logger.record("trainer/loss", epoch / 4)
        logger.dump(epoch, 0, 100 * epoch, "offline")
    logger.close()

    events = accumulator.EventAccumulator(str(tmp_path / "tensorboard"))
    events.Reload()
    assert [(event.step, event.value) for event in events.Scalars("trainer/loss")] == [(100, 0.25), (200, 0.5)]


@pytest.mark.slow
def test_wandb_without_network_leaves_a_run_that_can_be_sent_later(tmp_path: Path):
    pytest.importorskip("wandb")
    environment = {"WANDB_MODE": "offline", "HOME": str(tmp_path), "PATH": "/usr/bin:/bin"}
    command = [sys.executable, "-c", WANDB_RUN, str(tmp_path)]
    root = Path(__file__).parents[2]
    subprocess.run(command, check=True, env=environment, cwd=root, timeout=100)
    (recorded,) = tmp_path.glob("wandb/offline-run-*/run-*.wandb")
    assert b"trainer/loss" in recorded.read_bytes()


def test_a_tracker_that_cannot_be_made_is_a_warning(caplog: pytest.LogCaptureFixture):
    def make() -> Tracker:
        raise ImportError("No module named 'wandb'")

    assert open_tracker(make) == []
    assert caplog.messages == ["tracker not started: ImportError: No module named 'wandb'"]
