"""What a run prints goes to the terminal and into its `stdout.log`."""

import contextlib
import io
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

_COLOURS = re.compile(r"\x1b\[[0-9;]*m")


class Tee(io.TextIOBase):
    """Writes to a terminal or pipe, and all but colours and redrawn lines (progress bars) to a log."""

    def __init__(self, stream: TextIO, log: TextIO) -> None:
        self._stream = stream
        self._log = log

    def write(self, text: str) -> int:
        self._stream.write(text)
        plain = _COLOURS.sub("", text)
        if "\x1b" not in plain and "\r" not in plain:
            self._log.write(plain)
            self._log.flush()
        return len(text)

    def flush(self) -> None:
        self._stream.flush()

    def isatty(self) -> bool:
        return self._stream.isatty()

    def fileno(self) -> int:
        return self._stream.fileno()

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return self._stream.encoding


@contextlib.contextmanager
def logged_to(path: Path) -> Iterator[None]:
    """Appends to `path` all that Python code prints meanwhile."""
    with (
        path.open("a", encoding="utf-8", errors="replace") as log,
        contextlib.redirect_stdout(Tee(sys.stdout, log)),
        contextlib.redirect_stderr(Tee(sys.stderr, log)),
    ):
        yield
