"""The files that a run's numbers go to: `metrics.jsonl`, one row a line, is the truth; CSV tables are views of it."""

import csv
import io
import json
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

Row = dict[str, Any]  # str -> int, float or str
PLAIN_COLUMNS = ("epoch", "env_steps", "updates", "phase")


def is_offline(row: Row) -> bool:
    """Whether a row belongs to a phase that takes no environment steps before any other phase did."""
    return row.get("phase") == "offline" or row.get("env_steps") == 0


def append_row(path: Path, row: Row) -> None:
    """One line; `NaN` and `Infinity` are written as such, which Python and pandas read back."""
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(row) + "\n")


def read_metrics(path: Path) -> list[Row]:
    """Every whole row of a `metrics.jsonl`. A last line that is still being written is left out."""
    return list(_parsed(path))


def _parsed(path: Path) -> Iterator[Row]:
    lines = path.read_bytes().split(b"\n")
    for number, line in enumerate(lines[:-1], start=1):  # what follows the last newline is not whole
        try:
            row = json.loads(line)
        except ValueError:
            row = None
        if not isinstance(row, dict):
            found = line[:40].decode(errors="replace")
            raise ValueError(f"{path}, line {number}: expected a JSON object, got {found!r}.")
        yield row


class CsvTable:
    """A CSV view whose header is the union of all rows' keys; the file appears with its first row."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._columns: list[str] = []

    def append(self, row: Row, all_rows: Iterable[Row]) -> None:
        """Adds `row`. Where it brings a new key the table is written anew from `all_rows`, which include it."""
        known, self._columns = self._columns, []  # until the row is there: whatever goes wrong, the next one rewrites
        if all(key in known for key in row) and self.path.exists():
            with self.path.open("a", encoding="utf-8", newline="") as file:
                _writer(file, known).writerow(row)
            self._columns = known
        else:
            self.rewrite(all_rows)

    def rewrite(self, all_rows: Iterable[Row]) -> None:
        """The whole table, under a temporary name and then renamed: a reader sees the old or the new one."""
        rows = list(all_rows)
        present = dict.fromkeys(key for row in rows for key in row)
        plain = [key for key in PLAIN_COLUMNS if key in present]
        columns = plain + [key for key in present if key not in plain]
        if not rows:
            self.path.unlink(missing_ok=True)
            return

        text = io.StringIO(newline="")
        writer = _writer(text, columns)
        writer.writeheader()
        writer.writerows(rows)
        temporary = self.path.with_name(f".{self.path.name}.tmp-{os.getpid()}")
        temporary.write_text(text.getvalue(), encoding="utf-8", newline="")
        temporary.replace(self.path)
        self._columns = columns


def _writer(file: Any, columns: list[str]) -> "csv.DictWriter[str]":
    return csv.DictWriter(file, columns, restval="", lineterminator="\n")
