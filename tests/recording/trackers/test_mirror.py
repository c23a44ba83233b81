"""What a tool is shown of a run: each row and each video once, whatever happens to the run or to the mirror."""

import json
import shutil
from pathlib import Path

import pytest

from lifelong_rl.recording.logger import Logger
from lifelong_rl.recording.metrics_file import Row
from lifelong_rl.recording.trackers.mirror import Mirror
from lifelong_rl.recording.trackers.sent import Sent
from lifelong_rl.recording.trackers.tracker import TrackerError
from lifelong_rl.recording.trackers.videos import Video, find_videos


class Notebook:
    """A tool that keeps what it was shown, as wandb does: nothing of it can be taken back."""

    name, place, replaces = "notebook", "here", False

    def __init__(self, is_safe_at_once: bool = True) -> None:
        self.runs: list[list[tuple[int, float]]] = []
        self.videos: list[tuple[str, int]] = []
        self.snapshots: list[str] = []
        self._is_safe_at_once = is_safe_at_once

    @property
    def lines(self) -> list[tuple[int, float]]:
        return self.runs[-1]

    def open(self, sent: Sent) -> None:
        if len(self.runs) < sent.num_runs:
            self.runs.append([])
        if sent.session is not None:
            sent.has_only(len(self.lines), [])
        sent.session = None if self._is_safe_at_once else "begun"

    def show_row(self, row: Row, sent: Sent) -> None:
        self.lines.append((row["updates"], row["trainer/loss"]))

    def show_video(self, video: Video, updates: int, sent: Sent) -> bool:
        self.videos.append((video.title, updates))
        return True

    def show_snapshot(self, snapshot: Path, sent: Sent) -> bool:
        self.snapshots.append(snapshot.name)
        return True

    def flush(self) -> bool:
        return self._is_safe_at_once

    def close(self) -> None:
        """Nothing is left to do."""


def train(logger: Logger, epochs: range, factor: float = 1.0) -> None:
    for epoch in epochs:
        logger.record("trainer/loss", factor / epoch)
        logger.record("time/update_seconds", id(logger) % 97 + epoch / 7)
        logger.dump(epoch, 0, 100 * epoch, "offline")


def write(run_dir: Path, *losses: float) -> None:
    rows = [{"epoch": i, "updates": 100 * i, "trainer/loss": loss} for i, loss in enumerate(losses, 1)]
    (run_dir / "metrics.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))


def sent_to(tool: Notebook, run_dir: Path) -> int:
    """How many rows and videos were new to it."""
    mirror = Mirror(run_dir, tool)
    mirror.send()
    mirror.close()
    return mirror.num_rows + mirror.num_videos


def test_rows_are_shown_as_they_are_written_and_never_again(tmp_path: Path):
    tool = Notebook()
    logger = Logger(tmp_path, [Mirror(tmp_path, tool)])
    for epoch in (1, 2, 3):
        train(logger, range(epoch, epoch + 1))
        assert len(tool.lines) == epoch
    logger.close()

    assert sent_to(tool, tmp_path) == 0
    train_more = Logger(tmp_path)
    train_more.load_state_dict(logger.state_dict())
    train(train_more, range(4, 6))
    assert sent_to(tool, tmp_path) == 2
    assert tool.lines == [(100 * epoch, 1 / epoch) for epoch in range(1, 6)]


@pytest.mark.parametrize("is_safe_at_once", [True, False])
@pytest.mark.parametrize("epochs_redone", [0, 1, 3])
def test_rows_that_exact_resume_writes_again_are_not_shown_again(tmp_path: Path, epochs_redone, is_safe_at_once):
    tool = Notebook(is_safe_at_once)
    killed = Mirror(tmp_path, tool)
    before = Logger(tmp_path, [killed])
    train(before, range(1, 4))
    state = before.state_dict()
    train(before, range(4, 4 + epochs_redone))
    killed._lock.release()  # as the end of its process would

    after = Logger(tmp_path, [Mirror(tmp_path, tool)])
    after.load_state_dict(state)
    train(after, range(4, 9))
    after.close()
    assert tool.runs == [[(100 * epoch, 1 / epoch) for epoch in range(1, 9)]]
    assert sent_to(tool, tmp_path) == 0


def test_rows_with_other_numbers_are_said_once_and_those_that_follow_are_shown(tmp_path: Path, caplog):
    tool = Notebook()
    write(tmp_path, 1.0, 0.5, 0.25)
    sent_to(tool, tmp_path)
    write(tmp_path, 1.0, 0.4, 0.2, 0.1)
    assert sent_to(tool, tmp_path) == 1
    assert sent_to(tool, tmp_path) == 0
    assert tool.lines == [(100, 1.0), (200, 0.5), (300, 0.25), (400, 0.1)]
    (said,) = caplog.messages
    assert "rows from epoch 2 on" in said
    assert "notebook keeps those that it was shown first." in said


def test_a_run_that_began_anew_is_another_run_to_the_tool(tmp_path: Path, caplog):
    tool = Notebook()
    for factor in (1.0, 3.0, 3.0):
        logger = Logger(tmp_path, [Mirror(tmp_path, tool)])
        train(logger, range(1, 3), factor)
        logger.close()
    assert tool.runs == [[(100, 1.0), (200, 0.5)], [(100, 3.0), (200, 1.5)]]
    assert len(caplog.messages) == 1
    assert "began anew with other numbers" in caplog.messages[0]
    assert (tmp_path / "metrics.previous.jsonl").exists()


def test_a_tool_that_has_more_or_less_than_we_think_gets_what_it_lacks(tmp_path: Path):
    tool = Notebook(is_safe_at_once=False)
    write(tmp_path, 1.0, 0.5, 0.25)
    sent_to(tool, tmp_path)
    state = tmp_path / "notebook" / "mirror.json"
    for num_there in (0, 2, 3):
        del tool.lines[num_there:]
        sent = Sent.read(state)
        sent.session, sent.rows = "begun", sent.rows[:1]
        sent.write(state)
        assert sent_to(tool, tmp_path) == 3 - num_there
        assert [loss for _, loss in tool.lines] == [1.0, 0.5, 0.25]


def test_a_line_that_is_being_written_waits_and_a_number_that_is_none_is_told(tmp_path: Path):
    tool = Notebook()
    write(tmp_path, 1.0, float("nan"))
    path = tmp_path / "metrics.jsonl"
    whole = path.read_bytes()
    path.write_bytes(whole[:-5])
    assert sent_to(tool, tmp_path) == 1
    path.write_bytes(whole)
    assert sent_to(tool, tmp_path) == 1
    assert str(tool.lines) == "[(100, 1.0), (200, nan)]"


def test_a_damaged_row_and_a_damaged_state_are_one_line_each(tmp_path: Path):
    (tmp_path / "metrics.jsonl").write_text('{"updates": 1, "trainer/loss": 2}\nnonsense\n')
    with pytest.raises(TrackerError, match=r"metrics.jsonl, row 2: expected a JSON object .* got b'nonsense'"):
        sent_to(Notebook(), tmp_path)
    (tmp_path / "notebook" / "mirror.json").write_text('{"rows": 3')
    with pytest.raises(TrackerError, match=r"mirror.json is not what a mirror wrote. Remove it"):
        sent_to(Notebook(), tmp_path)


def test_two_processes_do_not_send_one_run_at_once(tmp_path: Path):
    write(tmp_path, 1.0)
    first = Mirror(tmp_path, Notebook())
    first.send()
    with pytest.raises(TrackerError, match="another process is sending it to notebook"):
        Mirror(tmp_path, Notebook(), wait_seconds=0.1).send()
    first.close()
    assert sent_to(Notebook(), tmp_path) == 0


def test_videos_are_shown_once_each_at_the_updates_of_their_snapshot(tmp_path: Path):
    tool = Notebook()
    write(tmp_path, 1.0, 0.5)
    folder = tmp_path / "videos"
    folder.mkdir()
    for name in ("itr_2_policy_multi.mp4", "offline_itr_1_policy_multi.gif", "odd.GIF", ".new.part.mp4", "notes.txt"):
        (folder / name).write_bytes(b"GIF89a")
    (folder / "link.mp4").symlink_to(tmp_path / "metrics.jsonl")
    (folder / "itr_2_policy_multi.json").write_text(json.dumps({"snapshot": "data/x/itr_2", "updates": 200}))
    (folder / "offline_itr_1_policy_multi.json").write_text('{"snapshot": "offline_itr_1", "updates": 100, "x": [')
    (folder / "odd.json").write_text('{"snapshot": 3, "updates": "many"}')
    assert sent_to(tool, tmp_path) == 2 + 3
    assert sorted(tool.videos) == [
        ("videos/odd", 200), ("videos/offline_itr_1_policy_multi", 200), ("videos/policy_multi", 200),
    ]  # fmt: skip
    assert sent_to(tool, tmp_path) == 0

    shutil.copy(folder / "odd.GIF", folder / "itr_3_policy_multi.gif")
    (folder / "itr_3_policy_multi.json").write_text('{"snapshot": "itr_3", "updates": 300}')
    assert sent_to(tool, tmp_path) == 1
    assert tool.videos[-1] == ("videos/policy_multi", 300)
    assert [video.updates for video in find_videos(tmp_path)] == [None, None, 200, 300]


def test_a_snapshot_is_sent_once(tmp_path: Path):
    tool = Notebook()
    write(tmp_path, 1.0)
    for expected in (True, False):
        mirror = Mirror(tmp_path, tool)
        mirror.send()
        assert mirror.send_snapshot(tmp_path / "itr_4") is expected
        mirror.close()
    assert tool.snapshots == ["itr_4"]
