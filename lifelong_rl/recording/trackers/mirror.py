"""Keeps a tool abreast of a run. The run's files are what is true; the live row is never sent, only read from them.

`RUN/<tool>/mirror.json` says how far the tool is. So a run can be sent while it trains, after a crash, after it ended,
or twice: the tool is shown each row once.
"""

import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import filelock

from lifelong_rl.recording.metrics_file import Row
from lifelong_rl.recording.trackers.sent import UNKNOWN, Sent, digest
from lifelong_rl.recording.trackers.tracker import TrackerError
from lifelong_rl.recording.trackers.videos import Video, find_videos

WAIT_SECONDS = 1.0  # for another process that sends the same run, such as that of a run which was killed

_log = logging.getLogger(__name__)


class Tool(Protocol):
    """Weights & Biases, TensorBoard. It may be opened again after it was closed."""

    @property
    def name(self) -> str: ...
    @property
    def place(self) -> str: ...
    @property
    def replaces(self) -> bool:
        """Whether rows that it was shown are hidden by what is shown for them later."""
        ...

    def open(self, sent: Sent) -> None:
        """Begins a session. Where `sent` speaks of another place, or of a session that did not end, corrects it."""
        ...

    def show_row(self, row: Row, sent: Sent) -> None: ...
    def show_video(self, video: Video, updates: int, sent: Sent) -> bool:
        """False if it cannot show videos of this kind."""
        ...

    def show_snapshot(self, snapshot: Path, sent: Sent) -> bool:
        """False if it has no place for one."""
        ...

    def flush(self) -> bool:
        """True if what it was shown is safe now, False if that is known only when the session has ended."""
        ...

    def close(self) -> None: ...


class Mirror:
    """A tracker: one run directory in one tool, which is opened only if there is something to show."""

    def __init__(self, run_dir: Path, tool: Tool, wait_seconds: float = WAIT_SECONDS) -> None:
        self._run_dir, self._tool, self._wait_seconds = run_dir, tool, wait_seconds
        self._path = run_dir / tool.name / "mirror.json"
        self._lock: filelock.BaseFileLock | None = None
        self._sent = Sent()
        self._offset = self._num_read = 0  # bytes and rows of metrics.jsonl
        self._updates = 0  # of the last row
        self._is_open = self._has_warned = False
        self.num_rows = self.num_videos = 0  # shown by this mirror

    def send(self) -> None:
        """Shows the tool what is new since the last time, in this process or any other."""
        if self._lock is None:
            self._begin()
        before = self.num_rows + self.num_videos
        for row in self._new_rows():
            self._take(row)
        if self._num_read:
            self._show_videos()
        if self.num_rows + self.num_videos > before and self._tool.flush():
            self._sent.write(self._path)

    def send_snapshot(self, snapshot: Path) -> bool:
        """A whole snapshot with the run's JSON files; False if the tool has it, or has no place for it."""
        if self._lock is None:
            self._begin()
        if snapshot.name in self._sent.snapshots:
            return False
        self._open_tool()
        self._sent.snapshots.append(snapshot.name)
        return self._tool.show_snapshot(snapshot, self._sent)

    def close(self) -> None:
        """Shows what came last, such as a video of the last snapshot, and lets the tool finish."""
        try:
            if self._lock is not None:
                self.send()
            self._close_tool()
        finally:
            if self._lock is not None:
                self._lock.release()

    def _begin(self) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        lock = filelock.FileLock(self._path.with_suffix(".lock"))
        try:
            lock.acquire(timeout=self._wait_seconds)
        except filelock.Timeout:
            raise TrackerError(f"{self._run_dir}: another process is sending it to {self._tool.name}.") from None
        self._lock = lock
        self._sent = Sent.read(self._path)

    def _new_rows(self) -> Iterator[Row]:
        """Whole lines that metrics.jsonl has gained."""
        path = self._run_dir / "metrics.jsonl"
        if not path.exists():
            return
        with path.open("rb") as file:
            file.seek(self._offset)
            lines = file.read().split(b"\n")
        for line in lines[:-1]:  # what follows the last newline is still being written
            self._offset += len(line) + 1
            yield _parsed(line, f"{path}, row {self._num_read + 1}")

    def _take(self, row: Row) -> None:
        is_certain = self._sent.session is None and self._sent.place == self._tool.place
        if self._num_read == 0 and not is_certain:
            self._open_tool()
        number, now = self._num_read, digest(row)
        before = self._sent.rows[number] if number < len(self._sent.rows) else None
        self._num_read, self._updates = number + 1, row["updates"]
        if before in (now, UNKNOWN):
            self._sent.rows[number] = now
        elif before is not None and number and not self._tool.replaces:
            self._warn(row, "keeps those that it was shown first")
            self._sent.rows[number] = now
        else:
            if before is not None:
                self._forget_from(number, row)
            self._open_tool()
            self._tool.show_row(row, self._sent)
            self._sent.rows.append(now)
            self.num_rows += 1

    def _forget_from(self, number: int, row: Row) -> None:
        """These rows have other numbers now: training that is not exact to the last bit went on from a snapshot."""
        self._close_tool()
        if number:
            self._warn(row, "is shown the new ones in their place")
            del self._sent.rows[number:]
        else:
            line = "began anew with other numbers: it is another run now"
            _log.warning("%s: %s, for %s as well.", self._run_dir, line, self._tool.name)
            self._sent.begin_anew()

    def _warn(self, row: Row, what: str) -> None:
        if not self._has_warned:
            place = f"rows from epoch {row.get('epoch')} on ({row.get('phase')}) were written again with other numbers"
            _log.warning("%s: %s; %s %s.", self._run_dir, place, self._tool.name, what)
        self._has_warned = True

    def _show_videos(self) -> None:
        for video in find_videos(self._run_dir):
            if video.path.name not in self._sent.videos:
                self._open_tool()
                updates = self._updates if video.updates is None else video.updates
                self.num_videos += self._tool.show_video(video, updates, self._sent)
                self._sent.videos.append(video.path.name)

    def _open_tool(self) -> None:
        if not self._is_open:
            self._tool.open(self._sent)
            self._is_open = True
            self._sent.place = self._tool.place
            self._sent.write(self._path)

    def _close_tool(self) -> None:
        if self._is_open:
            self._is_open = False
            self._tool.close()
            self._sent.session = None
            self._sent.write(self._path)


def _parsed(line: bytes, place: str) -> Row:
    try:
        row = json.loads(line)
    except ValueError:
        row = None
    if not isinstance(row, dict) or not isinstance(row.get("updates"), int):
        raise TrackerError(f"{place}: expected a JSON object with a number of 'updates', got {line[:40]!r}.")
    return row
