"""TensorBoard: scalars over updates and animated gifs, in `RUN/tensorboard`."""

import time
from pathlib import Path
from typing import Any

from lifelong_rl.recording.metrics_file import Row
from lifelong_rl.recording.trackers.sent import Sent
from lifelong_rl.recording.trackers.tracker import TrackerError
from lifelong_rl.recording.trackers.videos import Video
from lifelong_rl.secrets import mask_secrets

HIDE_NOTHING = 1 << 62  # updates
MOST_TRIES = 50  # a tenth of a second each


class TensorBoard:
    """A session is an event file. It begins with a mark: what older files say of its first row's updates, or of later
    ones, is hidden. So rows that a crash left in an event file, or that have other numbers now, are seen once.
    """

    name, place, replaces = "tensorboard", "files", True

    def __init__(self, run_dir: Path) -> None:
        self._folder = run_dir / self.name
        self._writer: Any = None
        self._has_mark = False
        self._tags: dict[str, str] = {}  # masking takes its time, and names come again with every row

    def open(self, sent: Sent) -> None:
        """The event file is begun with the first row or video."""
        self._has_mark = False

    def show_row(self, row: Row, sent: Sent) -> None:
        """Its numbers; what they are called is masked like all that leaves a run."""
        from tensorboard.compat.proto.summary_pb2 import Summary

        if not self._has_mark:
            self._begin(row["updates"])
            self._has_mark = True
        numbers = {name: float(value) for name, value in row.items() if not isinstance(value, str)}
        self._tags |= {name: mask_secrets(name) for name in numbers if name not in self._tags}
        values = [Summary.Value(tag=self._tags[name], simple_value=value) for name, value in numbers.items()]
        self._add(row["updates"], summary=Summary(value=values))

    def show_video(self, video: Video, updates: int, sent: Sent) -> bool:
        """A gif as it is, which TensorBoard plays. It has no player for mp4."""
        from tensorboard.compat.proto.summary_pb2 import Summary

        gif = video.path.read_bytes()
        if gif[:4] != b"GIF8":
            return False
        if self._writer is None:
            self._begin(HIDE_NOTHING)
        width, height = int.from_bytes(gif[6:8], "little"), int.from_bytes(gif[8:10], "little")
        image = Summary.Image(height=height, width=width, colorspace=3, encoded_image_string=gif)
        self._add(updates, summary=Summary(value=[Summary.Value(tag=mask_secrets(video.title), image=image)]))
        return True

    def show_snapshot(self, snapshot: Path, sent: Sent) -> bool:
        return False

    def flush(self) -> bool:
        self._writer.flush()
        return True

    def close(self) -> None:
        if self._writer is not None:
            self._writer.close()
        self._writer = None

    def _begin(self, hide_from: int) -> None:
        from tensorboard.compat.proto.event_pb2 import SessionLog

        self.close()
        self._open_last_file()
        self._add(hide_from, session_log=SessionLog(status=SessionLog.START))

    def _open_last_file(self) -> None:
        """Files are read in the order of their names, which are made of second, host, process and a count."""
        from tensorboard.summary.writer.event_file_writer import EventFileWriter

        before = self._files()
        for _ in range(MOST_TRIES):
            self._writer = EventFileWriter(str(self._folder))
            if self._files()[: len(before)] == before:
                return
            self.close()
            (set(self._files()) - set(before)).pop().unlink()
            time.sleep(0.1)
        raise TrackerError(f"{self._folder}: its newest file is of a later time than this machine's clock says.")

    def _files(self) -> list[Path]:
        return sorted(self._folder.glob("events.out.tfevents.*"))

    def _add(self, updates: int, *, summary: Any = None, session_log: Any = None) -> None:
        from tensorboard.compat.proto.event_pb2 import Event

        event = Event(wall_time=time.time(), step=updates, summary=summary, session_log=session_log)
        self._writer.add_event(event)
