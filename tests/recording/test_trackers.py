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

VARIANT = {"seed": 0, "api_key": "hunter2", "num_tokens": 3, "dataset": "https://me:hunter2@example.org/x"}
folder = Path(sys.argv[1])
trackers = open_tracker(lambda: WandbTracker(folder, "test", VARIANT))
assert trackers
print("Printed by the run")
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


def test_tensorboard_is_told_no_credential(tmp_path: Path):
    pytest.importorskip("tensorboard")
    tracker = TensorBoardTracker(tmp_path)
    tracker.log({"updates": 1, "loss of ghp_hunter2hunter2hunter2": 0.5, "phase": "api_key = hunter2"})
    tracker.close()
    (events,) = tmp_path.glob("tensorboard/*")
    assert b"loss of ***" in events.read_bytes()
    assert b"hunter2" not in events.read_bytes()


@pytest.mark.slow
def test_wandb_without_network_leaves_a_run_that_can_be_sent_later(tmp_path: Path):
    pytest.importorskip("wandb")
    environment = {"WANDB_MODE": "offline", "HOME": str(tmp_path), "PATH": "/usr/bin:/bin"}
    environment["WANDB_API_KEY"] = "0123456789" * 4
    command = [sys.executable, "-c", WANDB_RUN, str(tmp_path), "--password", "hunter2"]
    root = Path(__file__).parents[2]
    subprocess.run(command, check=True, env=environment, cwd=root, timeout=100)
    (recorded,) = tmp_path.glob("wandb/offline-run-*/run-*.wandb")
    assert b"trainer/loss" in recorded.read_bytes()
    assert b"num_tokens" in recorded.read_bytes()
    everything = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    for secret in (b"hunter2", b"0123456789", b"Printed by the run"):
        assert secret not in everything
    assert not list(tmp_path.rglob("wandb-metadata.json"))


def test_a_tracker_that_cannot_be_made_is_a_warning(caplog: pytest.LogCaptureFixture):
    def make() -> Tracker:
        raise ImportError("No module named 'wandb'")

    assert open_tracker(make) == []
    assert caplog.messages == ["tracker not started: ImportError: No module named 'wandb'"]
