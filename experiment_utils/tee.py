"""What a run prints goes to the terminal as it is, and into its `stdout.log` without colours and credentials."""

import contextlib
import io
import re
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

from lifelong_rl.secrets import LineMask

LONGEST_LINE = 1 << 16  # characters; what is longer is logged in pieces

_COLOURS = re.compile(r"\x1b\[[0-9;]*m")


class Log:
    """Appends whole lines to a file. One that cannot be written (disk full) stops nobody: the next line tries again."""

    def __init__(self, path: Path, warn: TextIO) -> None:
        self._path = path
        self._warn = warn
        self._file: io.FileIO | None = None
        self._num_lost = 0

    def append(self, lines: str) -> None:
        note = f"\n[{self._num_lost} lines could not be written]\n" if self._num_lost else ""
        try:
            self._write((note + lines).encode("utf-8", errors="replace"))
        except OSError as error:
            if not self._num_lost:
                self._warn.write(f"warning: cannot write {self._path}: {error.strerror}. The run goes on without it.\n")
            self._num_lost += max(1, lines.count("\n"))
        else:
            self._num_lost = 0

    def close(self) -> None:
        if self._file is not None:
            with contextlib.suppress(OSError):
                self._file.close()

    def _write(self, content: bytes) -> None:
        if self._file is None:
            self._file = io.FileIO(self._path, "a")
        while content:  # not buffered: a full disk takes a part, and says so with the next part only
            content = content[self._file.write(content) :]


class Tee(io.TextIOBase):
    """Writes to a terminal or pipe, and all but colours and redrawn lines (progress bars) to a log, line by line."""

    def __init__(self, stream: TextIO, log: Log) -> None:
        self._stream = stream
        self._log = log
        self._mask = LineMask()
        self._unfinished = ""  # a credential may come in two pieces, so it waits for the end of its line
        self._lock = threading.RLock()  # a signal's handler may print while a line is being logged

    def write(self, text: str) -> int:
        self._stream.write(text)
        plain = _COLOURS.sub("", text).replace("\r\n", "\n")
        if "\x1b" not in plain and "\r" not in plain:
            with self._lock:
                self._collect(plain)
        return len(text)

    def flush(self) -> None:
        self._stream.flush()

    def log_the_rest(self) -> None:
        """A last line that has no end."""
        with self._lock:
            rest, self._unfinished = self._unfinished, ""
            if rest:
                self._log.append(self._mask(rest))

    def isatty(self) -> bool:
        return self._stream.isatty()

    def fileno(self) -> int:
        return self._stream.fileno()

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return self._stream.encoding

    def _collect(self, text: str) -> None:
        lines, newline, rest = text.rpartition("\n")
        if newline:
            lines, self._unfinished = self._unfinished + lines + newline, rest
            self._log.append(self._mask(lines))
        else:
            self._unfinished += rest
            if len(self._unfinished) > LONGEST_LINE:
                self.log_the_rest()


@contextlib.contextmanager
def logged_to(path: Path) -> Iterator[None]:
    """Appends to `path` all that Python code prints meanwhile."""
    log = Log(path, sys.stderr)
    tees = [Tee(sys.stdout, log), Tee(sys.stderr, log)]
    try:
        with contextlib.redirect_stdout(tees[0]), contextlib.redirect_stderr(tees[1]):
            yield
    finally:
        for tee in tees:
            tee.log_the_rest()
        log.close()
