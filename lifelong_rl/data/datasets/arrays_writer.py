"""Writes the rows of a run as one HDF5 file of our own layout (arrays.py)."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

import h5py
import numpy as np

from lifelong_rl.data.datasets.arrays import KEYS
from lifelong_rl.data.datasets.saved_rows import Columns, SavedRows
from lifelong_rl.data.datasets.whole import whole

CHUNK_BYTES = 256 << 10
BATCH_ROWS = 8192  # written at once, about


def write_arrays(
    path: Path, rows: SavedRows, attributes: Mapping[str, str | int], advance_to: Callable[[int], None]
) -> int:
    """The number of episodes in it. `attributes` say where the rows come from; no reader of ours needs them."""
    num_episodes = 0

    def counted() -> Iterator[Columns]:
        nonlocal num_episodes
        for episode in rows.episodes():
            num_episodes += 1
            yield episode

    with whole(path) as temporary, h5py.File(temporary, "w") as file:
        file.attrs.update(attributes)
        for name, row in _in_file(rows.sample()).items():
            chunk = max(1, min(len(rows), CHUNK_BYTES // row.nbytes))
            file.create_dataset(
                name, (len(rows), *row.shape), row.dtype, chunks=(chunk, *row.shape), compression="gzip",
                compression_opts=1, shuffle=True, fletcher32=True,
            )  # fmt: skip
        written = 0
        for batch in _batches(counted()):
            size = len(batch["ended"])
            for name, values in _in_file(batch).items():
                file[name][written : written + size] = values
            written += size
            advance_to(written)
    return num_episodes


def _in_file(columns: Columns) -> Columns:
    """By the file's keys; an episode that ended and is not over was cut short."""
    named = {KEYS[name]: values for name, values in columns.items() if name in KEYS}
    return named | {"timeouts": columns["ended"] & ~columns["terminated"]}


def _batches(episodes: Iterable[Columns]) -> Iterator[Columns]:
    """Short episodes joined: a write costs the same for ten rows as for a thousand."""
    held: list[Columns] = []
    rows = 0
    for episode in episodes:
        held.append(episode)
        rows += len(episode["ended"])
        if rows >= BATCH_ROWS:
            yield _joined(held)
            held, rows = [], 0
    if held:
        yield _joined(held)


def _joined(parts: list[Columns]) -> Columns:
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
