"""Rows that only grow, as npy files of fixed stretches of rows: a stretch that is full is never written again."""

import io
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from lifelong_rl.recording.errors import SnapshotError
from lifelong_rl.types import RowLog

# What files that nobody of ours wrote can lead to
UNREADABLE = (ValueError, KeyError, TypeError, OSError, MemoryError, RecursionError, AttributeError, OverflowError)
BLOCK_BYTES = 2 << 20  # the most that a snapshot writes again of each log
_STRETCH = re.compile(r"rows-(\d+)-(\d+)\.npy$")


@dataclass(frozen=True)
class Content:
    """What a file shall hold. `is_final`: a file of that name never holds anything else."""

    size: int  # bytes
    pieces: Callable[[], Iterable[bytes | memoryview]]
    is_final: bool = False

    @classmethod
    def of(cls, content: bytes) -> "Content":
        return cls(len(content), lambda: [content])


def npy_content(array: np.ndarray) -> Content:
    """An array as NumPy's own format, without a second copy of it in memory."""
    header = _header(array.shape, array.dtype)
    return Content(len(header) + array.nbytes, lambda: [header, _bytes_of(array)])


def row_files(stem: str, log: RowLog) -> dict[str, Content]:
    """`stem.rows-<start>-<stop>.npy` for each stretch. Rows are read when they are written."""
    if log.first == log.last:
        return {}
    sample = log.read(log.first, log.first + 1).cpu().numpy()
    stretch = max(1, BLOCK_BYTES // max(1, sample.nbytes))
    files = {}
    for block in range(log.first // stretch, -(-log.last // stretch)):
        start, stop = max(log.first, block * stretch), min(log.last, (block + 1) * stretch)
        header = _header((stop - start, *sample.shape[1:]), sample.dtype)

        def pieces(start: int = start, stop: int = stop, header: bytes = header) -> list[bytes | memoryview]:
            return [header, _bytes_of(log.read(start, stop).cpu().numpy())]

        size = len(header) + sample.nbytes * (stop - start)
        files[f"{stem}.rows-{start}-{stop}.npy"] = Content(size, pieces, is_final=True)
    return files


def read_rows(paths: list[Path], first: int, last: int) -> RowLog:
    """The log that `row_files` wrote; its files are opened when rows of them are asked for."""
    stretches = []
    for path in paths:
        match = _STRETCH.search(path.name)
        if match is None:
            raise ValueError(f"{path.name} is no stretch of rows")
        stretches.append((int(match[1]), int(match[2]), path))

    def read(start: int, stop: int) -> Tensor:
        parts = []
        for from_, to, path in stretches:
            low, high = max(start, from_), min(stop, to)
            if low < high:
                parts.append(_read_stretch(path, low - from_, high - from_))
        if sum(map(len, parts)) != stop - start:
            where = paths[0] if paths else "snapshot"
            raise SnapshotError(f"{where}: rows {start} to {stop} are not all there.")
        return torch.cat(parts)

    return RowLog(first, last, read)


def _read_stretch(path: Path, start: int, stop: int) -> Tensor:
    try:
        rows = np.load(path, mmap_mode="r", allow_pickle=False)[start:stop]
        return torch.from_numpy(np.array(rows))
    except UNREADABLE as error:
        raise SnapshotError(f"{path}: damaged, {type(error).__name__}: {error}") from error


def _header(shape: tuple[int, ...], dtype: np.dtype) -> bytes:
    buffer = io.BytesIO()
    description = {"descr": np.lib.format.dtype_to_descr(dtype), "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_2_0(buffer, description)
    return buffer.getvalue()


def _bytes_of(array: np.ndarray) -> bytes | memoryview:
    return np.ascontiguousarray(array).reshape(-1).view(np.uint8).data if array.size else b""
