"""One run's numbers by name, read when asked for and again when the file has changed."""

import csv
import functools
import math
import threading
from collections.abc import Callable, Sequence
from itertools import chain
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from experiment_utils.results import jsonl, tables
from experiment_utils.results.types import Floats

Found = TypeVar("Found")

ROWS = "metrics.jsonl"
OFFLINE_TABLE = "offline_progress.csv"
TABLES = (OFFLINE_TABLE, "progress.csv")
ROW_NUMBER = "row"  # an axis that every run has


class Metrics:
    """Of a run directory: `metrics.jsonl`, the truth; where there is none, the CSV tables of other loggers."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._lock = threading.RLock()  # threads of a server share it
        self._seen: tuple[Any, ...] = ()
        self._forget()

    def _forget(self) -> None:
        self._numbers: dict[str, Floats] = {}
        self._last: dict[str, float | None] = {}
        self._texts: dict[str, list[str | None]] = {}
        self._names: list[str] | None = None
        self._table: dict[str, tables.Cells] | None = None
        self.problem: str | None = None  # one line, where the file cannot be read

    def names(self) -> list[str]:
        """Every key that any row has."""
        with self._lock:
            self._forget_if_changed()
            if self._names is None:
                nothing: list[str] = []
                self._names = self._unless_damaged(self._read_names, nothing)
            return self._names

    def lacks(self, names: Sequence[str]) -> list[str]:
        """Which of these were not read yet."""
        with self._lock:
            self._forget_if_changed()
            return [name for name in dict.fromkeys(names) if name not in self._numbers and name != ROW_NUMBER]

    def numbers(self, names: Sequence[str]) -> dict[str, Floats]:
        """[T] of each name, in their order, one T for all; NaN where a row has no number. `row` counts rows from 1."""
        with self._lock:
            if unread := self.lacks(names):
                nothing = dict.fromkeys(unread, np.empty(0))
                self._numbers |= self._unless_damaged(lambda: self._read_numbers(unread), nothing)
            columns = {name: self._numbers.get(name, np.empty(0)) for name in names if name != ROW_NUMBER}
            lengths = [len(column) for column in columns.values()] or [len(self.texts("phase"))]
        count = min(lengths)  # rows that came while we read are not in what was read before
        rows = np.arange(1.0, 1 + count)
        return {name: rows if name == ROW_NUMBER else columns[name][:count] for name in names}

    def last(self, name: str) -> float:
        """Its last finite value, NaN where there is none; of ours the end of the file is enough to say."""
        with self._lock:
            self._forget_if_changed()
            if name not in self._numbers and self._has_rows and self.problem is None:
                if name not in self._last:
                    self._last[name] = jsonl.last_number(self._directory / ROWS, name)
                if (value := self._last[name]) is not None:
                    return value
        column = self.numbers([name])[name]
        finite = column[np.isfinite(column)]
        return float(finite[-1]) if len(finite) else math.nan

    def keep(self, numbers: dict[str, Floats]) -> None:
        """Takes columns that another process has read."""
        with self._lock:
            self._numbers |= numbers

    def texts(self, name: str) -> list[str | None]:
        """[T] of a name whose values are words."""
        with self._lock:
            self._forget_if_changed()
            if name not in self._texts:
                self._texts[name] = self._unless_damaged(lambda: self._read_texts(name), [])
            return self._texts[name]

    def _unless_damaged(self, read: Callable[[], Found], nothing: Found) -> Found:
        """Nothing at all of a file that is damaged anywhere; `problem` says where."""
        if self.problem is None:
            try:
                return read()
            except (OSError, ValueError, csv.Error) as error:
                self._forget()
                self.problem = str(error)
        return nothing

    def signature(self) -> tuple[Any, ...]:
        """Another one when a file of numbers has changed."""
        return tuple(_signature(self._directory / name) for name in (ROWS, *TABLES))

    def _forget_if_changed(self) -> None:
        seen = self.signature()
        if seen != self._seen:
            self._forget()
            self._seen = seen

    @property
    def _has_rows(self) -> bool:
        return self._seen[0] is not None

    def _read_names(self) -> list[str]:
        """Of ours, the tables' headers, which are the union of all keys: there is no need to read the rows."""
        path = self._directory / ROWS
        headers = [_header(self._directory / name) for name in TABLES]
        if not self._has_rows:
            return list(self._cells())
        return list(dict.fromkeys(chain(*headers))) if any(headers) else jsonl.read_names(path)

    def _read_numbers(self, names: Sequence[str]) -> dict[str, Floats]:
        if self._has_rows:
            return jsonl.read_numbers(self._directory / ROWS, names)
        cells = self._cells()
        count = len(next(iter(cells.values()), []))
        return {name: tables.numbers(cells[name]) if name in cells else np.full(count, np.nan) for name in names}

    def _read_texts(self, name: str) -> list[str | None]:
        if self._has_rows:
            return jsonl.read_texts(self._directory / ROWS, name)
        cells = self._cells()
        return list(cells[name]) if name in cells else [None] * len(next(iter(cells.values()), []))

    def _cells(self) -> dict[str, tables.Cells]:
        """All tables, one below the other."""
        if self._table is None:
            parts = [tables.read_table(path) for name in TABLES if (path := self._directory / name).exists()]
            names = list(dict.fromkeys(chain(*parts)))
            counts = [len(next(iter(part.values()), [])) for part in parts]
            self._table = {
                name: list(chain(*(part.get(name, [""] * n) for part, n in zip(parts, counts, strict=True))))
                for name in names
            }
        return self._table


def _signature(path: Path) -> tuple[int, int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns


def _header(path: Path) -> list[str]:
    try:
        with path.open("rb") as file:
            return _names_in(file.readline())
    except OSError:
        return []


@functools.lru_cache(maxsize=256)  # the runs of a sweep have the same few
def _names_in(header: bytes) -> list[str]:
    return next(csv.reader([header.decode("utf-8-sig", errors="replace")]), [])
