"""Single columns out of a `metrics.jsonl`, without parsing the rest: a thousand runs are looked at in seconds.

A key as JSON writes it, `"name": `, stands nowhere but at that key: inside a string its quotes would be escaped.
"""

import json
import math
import os
import re
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from experiment_utils.results.types import Floats

Raw = bytes | bytearray
_STRING = re.compile(rb'"(?:[^"\\]|\\.)*"')
_HINT_SLACK = 48  # bytes by which a key may stand earlier than in the row before
OPEN, CLOSE = b"{}"
_own = threading.local()


def read_numbers(path: Path, names: Sequence[str]) -> dict[str, Floats]:
    """[T] of each name, NaN where a row has no number. Raises `ValueError` with the line that is no JSON object."""
    return {name: np.array(column) for name, column in zip(names, _columns(path, names, _number), strict=True)}


def read_texts(path: Path, name: str) -> list[str | None]:
    """[T] of one name, None where a row has no text."""
    (column,) = _columns(path, [name], _text)
    return column


def read_names(path: Path) -> list[str]:
    """Every key of any row, in order of first appearance; parses the whole file."""
    lines = path.read_bytes().split(b"\n")[:-1]
    return list(dict.fromkeys(key for line, text in enumerate(lines, 1) for key in _parsed(path, line, text)))


def last_row(path: Path) -> dict[str, Any] | None:
    """The newest whole row; None where there is none."""
    with path.open("rb") as file:
        size = file.seek(0, 2)
        file.seek(max(0, size - (1 << 16)))
        lines = file.read().split(b"\n")
    return _parsed(path, -1, lines[-2]) if len(lines) > 1 else None


def _columns(path: Path, names: Sequence[str], convert: Callable[[Raw], Any]) -> list[list[Any]]:
    """Goes from row to row; a key is looked for first where it stood in the row before."""
    data, size = _read(path)
    find = data.find
    separator = b": " if find(b'": ', 0, find(b"\n", 0, size) + 1) >= 0 else b":"
    patterns = [json.dumps(name).encode() + separator for name in names]
    columns: list[list[Any]] = [[] for _ in names]
    places = list(zip(range(len(names)), columns, patterns, map(len, patterns), strict=True))
    hints = [0] * len(names)
    missing = convert(b"null")

    start, line = 0, 0
    while (end := find(b"\n", start, size)) >= 0:  # what follows the last newline is not whole
        line += 1
        if end - start < 2 or data[start] != OPEN or data[end - 1] != CLOSE:
            raise _damaged(path, line, data[start:end])
        for index, column, pattern, length in places:
            at = find(pattern, start + hints[index], end)
            if at < 0:
                at = find(pattern, start, end)
            if at < 0:
                column.append(missing)
                continue
            hints[index] = max(0, at - start - _HINT_SLACK)
            at += length
            stop = find(b",", at, end)
            try:
                column.append(convert(data[at : stop if stop >= 0 else end - 1]))
            except ValueError:
                column.append(convert(_quoted(path, line, data, at, start, end)))
        start = end + 1
    return columns


def _read(path: Path) -> tuple[bytearray, int]:
    """The file in this thread's buffer, and its size: not to give back megabytes for each of a thousand files."""
    with path.open("rb", buffering=0) as file:
        size = os.fstat(file.fileno()).st_size
        buffer: bytearray = getattr(_own, "buffer", bytearray())
        if len(buffer) < size:
            buffer = _own.buffer = bytearray(size * 5 // 4)
        count = file.readinto(memoryview(buffer)[:size])
    return buffer, count or 0


def _quoted(path: Path, line: int, data: bytearray, at: int, start: int, end: int) -> bytes:
    """A text, which may hold commas; whatever else was no value is damage."""
    text = _STRING.match(data, at, end)
    if text is None:
        raise _damaged(path, line, data[start:end])
    return text[0]


def _number(raw: Raw) -> float:
    try:
        return float(raw)
    except ValueError:
        json.loads(raw)  # null, true or a text: no number, but whole
        return math.nan


def _text(raw: Raw) -> str | None:
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
    place = f"line {line}" if line > 0 else "last line"
    return ValueError(f"{path}, {place}: expected a JSON object, got {text[:40].decode(errors='replace')!r}.")
