"""Columns out of a CSV table that any logger may have written: what is not surely a number is NaN, never 0.

A row of another width than the header (loggers that fix their header write such) and a last line without its
newline are left out, for nobody can say which value is whose.
"""

import csv
import io
import math
import re
from pathlib import Path

import numpy as np

from experiment_utils.results.types import Floats

Cells = list[str]
_NUMBER = re.compile(r"\s*[-+]?((\d+\.?\d*|\.\d+)(e[-+]?\d+)?|inf(inity)?)\s*", re.IGNORECASE | re.ASCII)


def read_table(path: Path) -> dict[str, Cells]:
    """The cells [T] under each name; empty where the file is, or holds a header alone."""
    text = path.read_text(encoding="utf-8-sig", errors="replace")
    with io.StringIO(text, newline="") as file:
        rows = list(csv.reader(file))
    if rows and (not text.endswith("\n") or text.count('"') % 2):  # cut off, maybe inside of quotes
        del rows[-1]
    if not rows:
        return {}
    header, *rest = rows
    whole = [row for row in rest if len(row) == len(header) and row != header]
    return {name: [row[place] for row in whole] for place, name in enumerate(header)}


def numbers(cells: Cells) -> Floats:
    """[T], NaN where a cell is empty or anything but a number."""
    return np.array([float(cell) if _NUMBER.fullmatch(cell) else math.nan for cell in cells], dtype=np.float64)
