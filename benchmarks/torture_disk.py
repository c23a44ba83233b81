"""Full disks, files that are cut short, bits that flip: the last good snapshot loads, and the bad file is named.

    python benchmarks/torture_disk.py [--writes 200] [--cuts 100] [--seed 0]

Each write fails after another number of bytes, as on a full disk; each cut takes the newest snapshot to another size.
"""

import argparse
import errno
import os
import random
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import torch

from lifelong_rl.recording import files
from lifelong_rl.recording.errors import DiskError, SnapshotError
from lifelong_rl.recording.newest import load_newest
from lifelong_rl.recording.snapshot import load_snapshot, save_snapshot
from lifelong_rl.types import RowLog

ROWS = torch.arange(300_000.0).reshape(-1, 10)


def parts(last: int) -> dict[str, Any]:
    """Something of each kind that a snapshot can hold; rows up to `last`."""
    log = RowLog(0, last, lambda start, stop: ROWS[start:stop])
    weights = {"layer": {"weight": torch.full((64, 64), float(last)), "bias": torch.zeros(64)}}
    return {"agent": weights, "replay": {"observation": log, "time": last}, "seeds": {"numpy": np.arange(624)}}


def save(run_dir: Path, number: int) -> Path:
    """The run's snapshot of that number; stretches of rows are those of the one before, as in a run."""
    path, before = run_dir / f"itr_{number}", run_dir / f"itr_{number - 1}"
    counters = {"phase": 0, "epoch": number, "round": 0, "updates": number, "env_steps": 0}
    save_snapshot(path, parts(number * 10_000), {"counters": counters}, before if before.exists() else None)
    return path


@contextmanager
def disk_full_after(count: int) -> Iterator[None]:
    """The file system takes so many more bytes from snapshots, and the last of them only in part."""
    left, write = [count], files.os.write

    def write_or_fail(descriptor: int, chunk: memoryview) -> int:
        if left[0] <= 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        taken = write(descriptor, chunk[: left[0]])
        left[0] -= taken
        return taken

    files._write = write_or_fail  # type: ignore[attr-defined]
    try:
        yield
    finally:
        files._write = write  # type: ignore[attr-defined]


def failing_writes(run_dir: Path, count: int) -> int:
    """How many of `count` saves that failed left the one before as it was, named their file, and went well later."""
    save(run_dir, 1)
    size = sum(path.stat().st_size for path in save(run_dir, 2).iterdir())
    shutil.rmtree(run_dir / "itr_2")
    good = 0
    for index in range(count):
        message = ""
        try:
            with disk_full_after(index * size // count):
                save(run_dir, 2)
        except DiskError as error:
            message = str(error)
        names_it = ".itr_2.tmp-" in message and "bytes needed" in message and "free" in message
        newest = load_newest(run_dir)
        kept = newest is not None and newest[0].name == "itr_1" and newest[1].parts["replay"]["time"] == 10_000
        clean = [path.name for path in run_dir.iterdir()] == ["itr_1"]
        again = load_snapshot(save(run_dir, 2)).parts["replay"]["time"] == 20_000
        shutil.rmtree(run_dir / "itr_2")
        good += names_it and kept and clean and again
    return good


def damaged(run_dir: Path, changes: Iterator[Path], newest: Path) -> tuple[int, int]:
    """Of the changes to files of `newest`: all, and those after which the one before is loaded and the file named."""
    total = good = 0
    for path in changes:
        said = StringIO()
        with redirect_stdout(said):
            found = load_newest(run_dir)
        total += 1
        good += found is not None and found[0].name == "itr_1" and path.name in said.getvalue()
        try:
            load_snapshot(newest)
            good -= 1  # it must not load
        except SnapshotError as error:
            good -= "\n" in str(error)
    return total, good


def cuts(newest: Path, count: int, generator: random.Random) -> Iterator[Path]:
    """Each time one of its files, cut to a random size; then whole again."""
    paths = sorted(path for path in newest.iterdir())
    for _ in range(count):
        path = generator.choice(paths)
        content = path.read_bytes()
        replace(path, content[: generator.randrange(len(content))])
        yield path
        replace(path, content)


def flips(newest: Path, generator: random.Random) -> Iterator[Path]:
    """Each of its files with one bit turned over; then whole again."""
    for path in sorted(newest.iterdir()):
        content = path.read_bytes()
        changed = bytearray(content)
        changed[generator.randrange(len(changed))] ^= 1 << generator.randrange(8)
        replace(path, bytes(changed))
        yield path
        replace(path, content)


def replace(path: Path, content: bytes) -> None:
    """A new file: what other snapshots share with this one stays as it is."""
    path.unlink()
    path.write_bytes(content)


def main() -> None:
    """Prints three counts; exit status 1 where one is not full."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--writes", type=int, default=200)
    parser.add_argument("--cuts", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    flags = parser.parse_args()
    generator = random.Random(flags.seed)
    with tempfile.TemporaryDirectory() as folder:
        written = failing_writes(Path(folder) / "full", flags.writes)
        save(Path(folder) / "cut", 1)
        newest = save(Path(folder) / "cut", 2)
        cut_total, cut_good = damaged(newest.parent, cuts(newest, flags.cuts, generator), newest)
        flip_total, flip_good = damaged(newest.parent, flips(newest, generator), newest)
    print(f"writes that failed: {written} of {flags.writes} kept the one before, named the file, went well later")
    print(f"files cut short: {cut_good} of {cut_total} named, the snapshot before taken")
    print(f"bits flipped, one in each file: {flip_good} of {flip_total} named, the snapshot before taken")
    sys.exit(0 if (written, cut_good, flip_good) == (flags.writes, cut_total, flip_total) else 1)


if __name__ == "__main__":
    main()
