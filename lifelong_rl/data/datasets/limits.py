"""How much a dataset file may claim to hold, decided before anything is allocated."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import psutil

from lifelong_rl.data.datasets.errors import DatasetError

MAX_RATIO = 200  # bytes in memory for each in the file; columns of zeros reach 1000, so it counts only beyond:
MAX_BYTES_ABOVE_RATIO = 256 << 20  # of all columns above the ratio together
MAX_COLUMNS = 1000


@dataclass(frozen=True, kw_only=True)
class Extent:
    """Bytes of a column: in memory, as it declares, and as stored in the file."""

    declared: int
    stored: int


def check_extents(path: Path, extents: Mapping[str, Extent]) -> None:
    """Refuses decompression bombs, and files that do not fit into the memory that is free now."""
    if len(extents) > MAX_COLUMNS:
        raise DatasetError(f"{path}: holds {len(extents)} columns; expected at most {MAX_COLUMNS}.")

    inflated = {key: extent for key, extent in extents.items() if extent.declared > MAX_RATIO * extent.stored}
    if sum(extent.declared for extent in inflated.values()) > MAX_BYTES_ABOVE_RATIO:
        key = _largest(inflated)
        declared, stored = _size(inflated[key].declared), _size(inflated[key].stored)
        allowed = f"at most {MAX_RATIO} times as much, or {_size(MAX_BYTES_ABOVE_RATIO)} in all"
        raise DatasetError(f"{path}: {key!r} declares {declared} and stores {stored}; expected {allowed}.")

    total, available = sum(extent.declared for extent in extents.values()), psutil.virtual_memory().available
    if total > available:
        most, free = f"most of it {_largest(extents)!r}", _size(available)
        raise DatasetError(f"{path}: declares {_size(total)}, {most}; expected at most the {free} of memory now free.")


def _largest(extents: Mapping[str, Extent]) -> str:
    return max(extents, key=lambda key: extents[key].declared)


def _size(count: int) -> str:
    for unit in ("bytes", "kB", "MB"):
        if count < 10_000:
            return f"{count:,} {unit}"
        count //= 1000
    return f"{count:,} GB"
