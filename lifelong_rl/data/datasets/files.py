"""Reads a dataset file that may be anything; says which file, key and row is wrong. Needs no torch."""

import difflib
import tokenize
import zipfile
import zlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

import h5py
import numpy as np

Shape = tuple[int, ...]
BROKEN: tuple[type[Exception], ...] = (OSError, RuntimeError, KeyError, ValueError, TypeError, EOFError, MemoryError)
BROKEN += (zipfile.BadZipFile, zlib.error, tokenize.TokenError)  # what h5py and numpy raise on damaged files


class DatasetError(ValueError):
    """A dataset file that cannot be used; one line."""


class DatasetFile:
    """Columns of equal length in an HDF5 or npz file. Links and objects in the file are refused, never followed."""

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self._file: h5py.File | None = None
        try:
            with self.path.open("rb") as stream:
                magic = stream.read(8)
            if magic == b"\x89HDF\r\n\x1a\n":
                self._file = h5py.File(self.path, "r")
                self._columns: Mapping[str, h5py.Dataset | np.ndarray] = dict(self._hdf5_columns(self._file))
            elif magic.startswith(b"PK"):
                self._columns = self._npz_columns()
            else:
                raise DatasetError(f"{self.path}: neither HDF5 nor npz (its first bytes are {magic!r}).")
        except DatasetError:
            self.close()
            raise
        except BROKEN as error:
            self.close()
            raise DatasetError(f"{self.path}: cannot be read: {_one_line(error)}") from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Lets go of the file."""
        if self._file is not None:
            self._file.close()

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

    def read(self, key: str, first: int = 0, end: int | None = None) -> np.ndarray:
        """Rows [first, end) as they are in the file."""
        try:
            return np.asarray(self._columns[key][first:end])
        except BROKEN as error:
            raise DatasetError(f"{self.path}: {key!r} cannot be read from row {first}: {_one_line(error)}") from error

    def _refuse(self, key: str, first: int, values: np.ndarray, bad: np.ndarray, expected: str) -> None:
        if not bad.any():
            return
        row = int(bad.reshape(len(bad), -1).any(axis=1).argmax())
        shown = " ".join(str(values[row]).split()) if values[row].size <= 8 else f"{int(bad[row].sum())} bad values"
        shape = self.shape(key)
        raise DatasetError(f"{self.path}: {key!r} row {first + row} is {shown}; expected {expected}, shape {shape}.")

    def _hdf5_columns(self, group: h5py.Group, prefix: str = "") -> Iterable[tuple[str, h5py.Dataset]]:
        for name in group:
            key = prefix + name
            if not isinstance(group.get(name, getlink=True), h5py.HardLink):
                raise DatasetError(f"{self.path}: {key!r} is a link; expected the data themselves.")
            item = group[name]
            if isinstance(item, h5py.Group) and key == "infos":
                yield from self._hdf5_columns(item, "infos/")
            elif isinstance(item, h5py.Dataset) and _holds_rows(item):
                if item.size and not item.id.get_storage_size():
                    raise DatasetError(f"{self.path}: {key!r} of shape {item.shape} was never written; expected data.")
                yield key, item
            elif key != "metadata":
                expected = "a dataset of shape (rows, ...) in this file"
                raise DatasetError(f"{self.path}: {key!r} is no column; expected {expected}.")

    def _npz_columns(self) -> dict[str, np.ndarray]:
        with zipfile.ZipFile(self.path) as archive:
            names = archive.namelist()
        for name in names:
            if names.count(name) > 1:
                raise DatasetError(f"{self.path}: key {name.removesuffix('.npy')!r} is there more than once.")
        columns = {}
        with np.load(self.path, allow_pickle=False) as archive:
            for key in archive.files:
                try:
                    columns[key] = np.atleast_1d(archive[key])
                except BROKEN as error:
                    hint = " (ragged rows?)" if "allow_pickle" in str(error) else ""
                    raise DatasetError(f"{self.path}: {key!r} cannot be read{hint}: {_one_line(error)}") from error
        return columns


def _holds_rows(dataset: h5py.Dataset) -> bool:
    """Of a type that numpy knows (or h5py raises here), and stored in this file."""
    return bool(dataset.dtype is not None and dataset.ndim and not dataset.external and not dataset.is_virtual)


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split()) or type(error).__name__
