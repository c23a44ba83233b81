"""Columns of an npz file, read by their headers first. Nothing is extracted: a member's name is only ever a key."""

import math
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import IO

import numpy as np

from lifelong_rl.data.datasets.errors import DatasetError, check_key, naming
from lifelong_rl.data.datasets.limits import Extent, check_extents

COMPRESSIONS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # what numpy writes
SUFFIX = ".npy"


def npz_columns(path: Path) -> dict[str, np.ndarray]:
    """All columns, in memory; numbers alone count as one-row columns."""
    with zipfile.ZipFile(path) as archive:
        members = _members(path, archive.infolist())
        check_extents(path, {k: Extent(declared=m.file_size, stored=m.compress_size) for k, m in members.items()})
        for key, member in members.items():
            with naming(path, key), archive.open(member) as stream:
                _check_header(path, key, stream, member.file_size)

        columns = {}
        for key, member in members.items():
            with naming(path, key), archive.open(member) as stream:
                columns[key] = np.atleast_1d(np.lib.format.read_array(stream, allow_pickle=False))
        return columns


def _members(path: Path, infos: Iterable[zipfile.ZipInfo]) -> dict[str, zipfile.ZipInfo]:
    members: dict[str, zipfile.ZipInfo] = {}
    for info in infos:
        key = check_key(path, info.filename.removesuffix(SUFFIX))
        if not info.filename.endswith(SUFFIX):
            raise DatasetError(f"{path}: {key!r} is no column; expected a member {key + SUFFIX!r}.")
        if key in members:
            raise DatasetError(f"{path}: key {key!r} is there more than once.")
        if info.compress_type not in COMPRESSIONS:
            kind = info.compress_type
            raise DatasetError(f"{path}: {key!r} is compressed by zip's method {kind}; expected 0 or 8 (deflate).")
        members[key] = info
    stored, size = sum(info.compress_size for info in members.values()), path.stat().st_size
    if stored > size:
        raise DatasetError(f"{path}: its members claim {stored} bytes of a file of {size}; expected them side by side.")
    return members


def _check_header(path: Path, key: str, stream: IO[bytes], size: int) -> None:
    """The header declares just what the member holds, and no Python objects, which only pickle can bring."""
    version = np.lib.format.read_magic(stream)
    if version != (1, 0):  # the others are for headers that arrays of numbers do not need
        raise DatasetError(f"{path}: {key!r} has npy version {version}; expected (1, 0).")
    shape, _, dtype = np.lib.format.read_array_header_1_0(stream)
    if dtype.hasobject:
        text = "Object arrays cannot be loaded, they hold pickles"
        raise DatasetError(f"{path}: {key!r} cannot be read (ragged rows?): {text}; expected numbers.")
    declared, held = math.prod(shape) * dtype.itemsize, size - stream.tell()
    if declared != held or min(shape, default=0) < 0:
        expected = f"{declared} bytes of data"
        raise DatasetError(f"{path}: {key!r} of shape {shape} and type {dtype} holds {held}; expected {expected}.")
