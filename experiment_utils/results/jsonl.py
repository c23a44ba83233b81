"""Single columns out of a `metrics.jsonl`, without parsing the rest: a thousand runs are looked at in seconds.

A key as JSON writes it, `"name":`, stands nowhere but at that key: inside a string its quotes would be escaped.
"""

import functools
import json
import math
import os
import re
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from experiment_utils.results.types import Floats

Raw = bytes | bytearray
_VALUE = re.compile(rb' ?("(?:[^"\\]|\\.)*"|null|true|false|[-+.0-9eE]+|NaN|-?Infinity)[,}]')
_HINT_SLACK = 48  # bytes by which a key may stand earlier than in the row before
OPEN, CLOSE = b"{}"
TAIL_BYTES = 1 << 16
_own = threading.local()


def read_numbers(path: Path, names: Sequence[str]) -> dict[str, Floats]:
    """[T] of each name, NaN where a row has no number. Raises `ValueError` with the line that is no JSON object."""
    lines = _Lines(path)
    return {name: np.array(lines.numbers(name)) for name in names}


def read_texts(path: Path, name: str) -> list[str | None]:
    """[T] of one name, None where a row has no text."""
    return _Lines(path).texts(name)


def read_names(path: Path) -> list[str]:
    """Every key of any row, in order of first appearance; parses the whole file."""
    lines = path.read_bytes().split(b"\n")[:-1]
    return list(dict.fromkeys(key for line, text in enumerate(lines, 1) for key in _parsed(path, line, text)))


def last_number(path: Path, name: str) -> float | None:
    """The last finite one among the rows at the file's end; None where they have none, or one of them is damaged."""
    with path.open("rb") as file:
        start = file.seek(max(0, file.seek(0, os.SEEK_END) - TAIL_BYTES))
        lines = file.read().split(b"\n")[1 if start else 0 : -1]
    for line in reversed(lines):
        try:
            value = _parsed(path, 0, line).get(name)
        except ValueError:
            return None
        if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
            return float(value)
    return None


class _Lines:
    """A file's whole lines, and where in them a key's values stand."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._data, size = _read(path)
        self._rows: list[tuple[int, int]] = []
        start, find = 0, self._data.find
        while (end := find(b"\n", start, size)) >= 0:  # what follows the last newline is still being written
            if end - start < 2 or self._data[start] != OPEN or self._data[end - 1] != CLOSE:
                raise self._damage(start, end)
            self._rows.append((start, end))
            start = end + 1

    def numbers(self, name: str) -> list[float]:
        values, data, find, nan = [], self._data, self._data.find, math.nan
        for at, (start, end) in zip(self._places(name), self._rows, strict=True):
            if at < 0:
                values.append(nan)
                continue
            stop = find(b",", at, end)
            try:
                values.append(float(data[at : stop if stop >= 0 else end - 1]))
            except ValueError:
                self._check_value(at, start, end)
                values.append(nan)
        return values

    def texts(self, name: str) -> list[str | None]:
        rows = zip(self._places(name), self._rows, strict=True)
        return [_text(self._check_value(at, start, end)) if at >= 0 else None for at, (start, end) in rows]

    def _places(self, name: str) -> list[int]:
        """Where its value begins in each row, -1 where there is none; looked for where it stood in the first row."""
        pattern = json.dumps(name).encode() + b":"
        places, find, length, hint = [], self._data.find, len(pattern), 0
        for start, end in self._rows:
            at = find(pattern, start + hint, end)
            if at < 0:
                at = find(pattern, start, end)
            if at >= 0:
                hint = hint or max(0, at - start - _HINT_SLACK)
                at += length
            places.append(at)
        return places

    def _check_value(self, at: int, start: int, end: int) -> bytes:
        """The JSON of a value that may be no number; nested ones count as damage, for the Logger writes none."""
        match = _VALUE.match(self._data, at, end)
        if match is None:
            raise self._damage(start, end)
        return match[1]

    def _damage(self, start: int, end: int) -> ValueError:
        line = self._data.count(b"\n", 0, start) + 1
        return _damaged(self._path, line, self._data[start:end])


def _read(path: Path) -> tuple[bytearray, int]:
    """The file in this thread's buffer, and its size: not to give back megabytes for each of a thousand files."""
    with path.open("rb", buffering=0) as file:
        size = os.fstat(file.fileno()).st_size
        buffer: bytearray = getattr(_own, "buffer", bytearray())
        if len(buffer) < size:
            buffer = _own.buffer = bytearray(size * 5 // 4)
        count = file.readinto(memoryview(buffer)[:size])
    return buffer, count or 0


@functools.lru_cache(maxsize=256)
def _text(raw: bytes) -> str | None:
    value = json.loads(raw)
    return value if isinstance(value, str) else None


def _parsed(path: Path, line: int, text: Raw) -> dict[str, Any]:
    try:
        row = json.loads(text)
    except ValueError:
        row = None
    if not isinstance(row, dict):
        raise _damaged(path, line, text)
    return row


def _damaged(path: Path, line: int, text: Raw) -> ValueError:
    return ValueError(f"{path}, line {line}: expected a JSON object, got {text[:40].decode(errors='replace')!r}.")
