"""Reads a dataset file that may be anything; says which file, key and row is wrong. Needs no torch."""

import difflib
import math
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

import h5py
import numpy as np

from lifelong_rl.data.datasets.errors import BROKEN, DatasetError, one_line
from lifelong_rl.data.datasets.hdf5 import hdf5_columns
from lifelong_rl.data.datasets.minari_columns import MAIN_FILE, EpisodeColumn, minari_columns
from lifelong_rl.data.datasets.npz import npz_columns

Shape = tuple[int, ...]
MOST_ROWS, PIECE_BYTES = 1 << 18, 64 << 20  # of a column, read at once
HDF5_MAGIC = b"\x89HDF\r\n\x1a\n"


class DatasetFile:
    """Columns of equal length in an HDF5 or npz file, or in a Minari folder. What is no number is refused."""

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self.is_minari = (self.path / MAIN_FILE).is_file()
        self._file: h5py.File | None = None
        try:
            self._columns: Mapping[str, h5py.Dataset | EpisodeColumn | np.ndarray] = self._open()
        except DatasetError:
            self.close()
            raise
        except BROKEN as error:
            self.close()
            raise DatasetError(f"{self.path}: cannot be read: {one_line(error)}") from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Lets go of the file."""
        if self._file is not None:
            self._file.close()

    def _open(self) -> Mapping[str, h5py.Dataset | EpisodeColumn | np.ndarray]:
        if self.is_minari:
            self._file = h5py.File(self.path / MAIN_FILE, "r")
            return minari_columns(self.path, self._file)
        with self.path.open("rb") as stream:
            magic = stream.read(8)
        if magic == HDF5_MAGIC:
            self._file = h5py.File(self.path, "r")
            if "episode_0" in set(self._file):
                raise DatasetError(f"{self.path}: part of a Minari dataset; expected its folder, which holds data/.")
            return hdf5_columns(self.path, self._file)
        if magic.startswith(b"PK"):
            return npz_columns(self.path)
        raise DatasetError(f"{self.path}: neither HDF5 nor npz (its first bytes are {magic!r}).")

    @property
    def keys(self) -> tuple[str, ...]:
        """Names of all columns, `group/name` where grouped."""
        return tuple(self._columns)

    @property
    def num_rows(self) -> int:
        """Rows of `observations`, and so of every column."""
        return int(self._columns["observations"].shape[0])

    def shape(self, key: str) -> Shape:
        """Shape of a column, rows first."""
        return tuple(self._columns[key].shape)

    def dtype(self, key: str) -> str:
        """Type of a column's values, by name."""
        return str(self._columns[key].dtype)

    def is_numeric(self, key: str) -> bool:
        """Whether a column holds numbers or truth values, at least one row of them."""
        return self._columns[key].dtype.kind in "biuf" and self._columns[key].size > 0

    def check_keys(self, required: Iterable[str], optional: Iterable[str]) -> None:
        """Every required key is there and none is unknown; extra `infos/...` pass unless they look misspelt."""
        known = [*required, *optional]
        for key in self.keys:
            near = difflib.get_close_matches(key, known, n=1, cutoff=0.8 if key.startswith("infos/") else 0.6)
            if key not in known and (near or not key.startswith("infos/")):
                hint = f" Did you mean {near[0]!r}?" if near else ""
                raise DatasetError(f"{self.path}: unknown key {key!r}.{hint} Valid: {', '.join(sorted(known))}.")
        for key in required:
            if key not in self.keys:
                raise DatasetError(
                    f"{self.path}: key {key!r} is missing. The file has: {', '.join(self.keys) or 'nothing'}."
                )

    def check_shapes(self, per_row: Mapping[str, Shape | None]) -> None:
        """Every column is numeric and as long as `observations`; a row of it has the given shape (None: any)."""
        observations = self._columns["observations"]
        if observations.ndim == 0 or observations.shape[0] == 0:
            raise DatasetError(f"{self.path}: 'observations' has shape {observations.shape}: zero episodes, no rows.")
        for key, column in self._columns.items():
            row_shape = per_row.get(key)
            row_shape = tuple(column.shape[1:]) if row_shape is None else row_shape
            expected = (self.num_rows, *row_shape)
            if column.dtype.kind not in "biuf":
                raise DatasetError(
                    f"{self.path}: {key!r} has type {column.dtype}; expected numbers of shape {expected}."
                )
            if tuple(column.shape) != expected:
                raise DatasetError(f"{self.path}: {key!r} has shape {tuple(column.shape)}; expected {expected}.")
            if not column.size:
                raise DatasetError(f"{self.path}: {key!r} has shape {tuple(column.shape)}: no numbers in its rows.")

    def numbers(self, key: str, first: int = 0, end: int | None = None) -> np.ndarray:
        """Rows [first, end) as float32 (uint8 and integers stay what they are); all finite."""
        values = self.read(key, first, end)
        if values.dtype.kind == "f":
            with np.errstate(over="ignore"):
                values = values.astype(np.float32, copy=False)
            self._refuse(key, first, values, ~np.isfinite(values), "finite numbers")
        return values

    def flags(self, key: str) -> np.ndarray:
        """A whole column of truth values [rows] bool; False throughout where there is no such column."""
        if key not in self.keys:
            return np.zeros(self.num_rows, bool)
        values = self.read(key, 0, None)
        if values.dtype.kind != "b":
            self._refuse(key, 0, values, (values != 0) & (values != 1), "0 or 1")
        return values.astype(bool)

    def choices(self, key: str, count: int, first: int, end: int) -> np.ndarray:
        """Rows [first, end) as int64, each in [0, count)."""
        values = self.read(key, first, end)
        whole = values.astype(np.int64)
        self._refuse(
            key, first, values, (whole != values) | (whole < 0) | (whole >= count), f"integers in [0, {count})"
        )
        return whole

    def pieces(self, *keys: str, most_rows: int = MOST_ROWS) -> Iterator[tuple[int, int]]:
        """All rows [first, end) of these columns in turns that stay small in memory, also where rows are pictures."""
        bytes_of_row = max(8 * math.prod(self.shape(key)[1:]) for key in keys)
        rows = max(1, min(most_rows, PIECE_BYTES // max(1, bytes_of_row)))
        num_rows = self.shape(keys[0])[0]
        for first in range(0, num_rows, rows):
            yield first, min(first + rows, num_rows)

    def read(self, key: str, first: int = 0, end: int | None = None) -> np.ndarray:
        """Rows [first, end) as they are in the file."""
        try:
            return np.asarray(self._columns[key][first:end])
        except BROKEN as error:
            raise DatasetError(f"{self.path}: {key!r} cannot be read from row {first}: {one_line(error)}") from error

    def _refuse(self, key: str, first: int, values: np.ndarray, bad: np.ndarray, expected: str) -> None:
        if not bad.any():
            return
        row = int(bad.reshape(len(bad), -1).any(axis=1).argmax())
        shown = " ".join(str(values[row]).split()) if values[row].size <= 8 else f"{int(bad[row].sum())} bad values"
        shape = self.shape(key)
        raise DatasetError(f"{self.path}: {key!r} row {first + row} is {shown}; expected {expected}, shape {shape}.")
