"""TensorBoard's own readers, on event files of runs that were killed, resumed and begun anew."""

import io
import json
import logging
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from lifelong_rl.recording.logger import Logger
from lifelong_rl.recording.trackers.mirror import Mirror
from lifelong_rl.recording.trackers.sent import Sent
from lifelong_rl.recording.trackers.tensorboard import TensorBoard

accumulators = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
logging.getLogger("tensorboard").setLevel(logging.ERROR)  # it warns of what is hidden

KILLED = """
import os, signal, sys
from pathlib import Path
from lifelong_rl.recording.trackers.mirror import Mirror
from lifelong_rl.recording.trackers.tensorboard import TensorBoard
class Killed(TensorBoard):
    def flush(self):
        super().flush()
        os.kill(os.getpid(), signal.SIGKILL)
Mirror(Path(sys.argv[1]), Killed(Path(sys.argv[1]))).send()
"""


def read(run_dir: Path) -> "accumulators.EventAccumulator":
    events = accumulators.EventAccumulator(str(run_dir / "tensorboard"), size_guidance={accumulators.SCALARS: 0})
    return events.Reload()


def scalars(run_dir: Path, name: str = "trainer/loss") -> list[tuple[int, float]]:
    return [(event.step, event.value) for event in read(run_dir).Scalars(name)]


def write(run_dir: Path, *losses: float) -> None:
    rows = [{"epoch": i, "updates": 100 * i, "phase": "x", "trainer/loss": loss} for i, loss in enumerate(losses, 1)]
    (run_dir / "metrics.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))


def send(run_dir: Path) -> int:
    mirror = Mirror(run_dir, TensorBoard(run_dir))
    mirror.send()
    mirror.close()
    return mirror.num_rows


def test_rows_are_shown_over_updates_as_they_are_written(tmp_path: Path):
    logger = Logger(tmp_path, [Mirror(tmp_path, TensorBoard(tmp_path))])
    for epoch in (1, 2):
        logger.record("trainer/loss", epoch / 4)
        logger.dump(epoch, 0, 100 * epoch, "offline")
        assert scalars(tmp_path) == [(100, 0.25), (200, 0.5)][:epoch]
    logger.close()
    assert scalars(tmp_path, "epoch") == [(100, 1), (200, 2)]
    assert send(tmp_path) == 0
    assert len(list(tmp_path.glob("tensorboard/events*"))) == 1


def test_what_was_shown_and_not_remembered_is_seen_once(tmp_path: Path):
    write(tmp_path, 4.0, 2.0)
    send(tmp_path)
    write(tmp_path, 4.0, 2.0, 1.0)
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[3])}
    assert subprocess.run([sys.executable, "-c", KILLED, str(tmp_path)], env=environment, timeout=60).returncode == -9
    assert len(scalars(tmp_path)) == 3
    assert send(tmp_path) == 1
    assert scalars(tmp_path) == [(100, 4.0), (200, 2.0), (300, 1.0)]


def test_rows_with_other_numbers_take_the_place_of_the_old_ones(tmp_path: Path):
    write(tmp_path, 4.0, 2.0, 1.0)
    send(tmp_path)
    write(tmp_path, 4.0, 3.0)
    assert send(tmp_path) == 1
    assert scalars(tmp_path) == [(100, 4.0), (200, 3.0)]
    write(tmp_path, 8.0)
    assert send(tmp_path) == 1
    assert scalars(tmp_path) == [(100, 8.0)]


def test_a_number_that_is_none_and_a_late_key_are_shown_as_they_are(tmp_path: Path):
    rows = [{"updates": 1, "a": float("nan")}, {"updates": 2, "a": float("inf"), "late": 3}]
    (tmp_path / "metrics.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    send(tmp_path)
    assert np.array_equal(scalars(tmp_path, "a"), [(1, np.nan), (2, np.inf)], equal_nan=True)
    assert scalars(tmp_path, "late") == [(2, 3.0)]


def test_a_gif_is_a_picture_that_moves_and_hides_no_row(tmp_path: Path):
    write(tmp_path, 4.0, 2.0)
    send(tmp_path)
    frames = [Image.fromarray(np.full((6, 8, 3), value, np.uint8)) for value in (0, 120, 240)]
    (tmp_path / "videos").mkdir()
    frames[0].save(tmp_path / "videos" / "itr_1_policy.gif", save_all=True, append_images=frames[1:])
    (tmp_path / "videos" / "itr_1_policy.json").write_text('{"snapshot": "itr_1", "updates": 100}')
    (tmp_path / "videos" / "itr_1_other.mp4").write_bytes(b"....ftypisom")
    for _ in range(2):
        send(tmp_path)
    events = read(tmp_path)
    assert events.Tags()["images"] == ["videos/policy"]
    (shown,) = events.Images("videos/policy")
    assert (shown.step, shown.width, shown.height) == (100, 8, 6)
    assert Image.open(io.BytesIO(shown.encoded_image_string)).n_frames == 3
    assert scalars(tmp_path) == [(100, 4.0), (200, 2.0)]


def test_no_credential_is_told(tmp_path: Path):
    tool = TensorBoard(tmp_path)
    tool.show_row({"updates": 1, "loss of ghp_hunter2hunter2hunter2": 0.5, "phase": "api_key = hunter2"}, Sent())
    tool.close()
    (events,) = tmp_path.glob("tensorboard/*")
    assert b"loss of ***" in events.read_bytes()
    assert b"hunter2" not in events.read_bytes()
