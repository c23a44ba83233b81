"""Damaged and ill-made dataset files given to `scripts/check_data.py` and to the reader that fills a store.

    python benchmarks/torture_datasets.py

Wanted of both: it works, or there is one line that begins with the name of the file (exit status 2); no traceback, nor
one answer from the script and another from the reader. Exit status 1 where one fails.
"""

import logging
import os
import subprocess
import sys
import tempfile
import warnings
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import h5py
import numpy as np

from lifelong_rl.data.datasets.d4rl import write_d4rl
from lifelong_rl.data.datasets.files import DatasetError
from lifelong_rl.data.datasets.load import load_dataset
from lifelong_rl.types import TaskSpec

ROOT = Path(__file__).parent.parent
ROWS = 300
NUM_DAMAGES = 100  # offsets of each kind of file to cut it at, and bytes to change
SPEC = TaskSpec(
    name="plane", observation_shape=(4,), goal_shape=(2,), action_size=2, horizon=50,
    reward_fn=lambda achieved, goal: (achieved == goal).all(-1).float(),
    success_fn=lambda achieved, goal: (achieved == goal).all(-1),
    goal_of=lambda observation: observation[..., :2],
)  # fmt: skip
Columns = dict[str, np.ndarray]


def main() -> int:
    """Prints the counts for each kind of file, and what failed."""
    logging.disable(logging.WARNING)  # one-step episodes are kept, and said so each time
    num_files, num_failed = 0, 0
    with tempfile.TemporaryDirectory() as name:
        for label, paths, expected in damaged_files(Path(name)):
            outcomes = [judge(path, expected) for path in paths]
            faults = [fault for fault, _ in outcomes if fault]
            num_files, num_failed = num_files + len(outcomes), num_failed + len(faults)
            refused = sum(refused for _, refused in outcomes)
            print(f"{refused:>4} of {len(outcomes):>3} refused  {label}", *faults, sep="\n     FAILED ", flush=True)
    print(f"{num_files - num_failed} of {num_files} files answered as they should be, by script and reader alike")
    return 1 if num_failed else 0


def judge(path: Path, expected: str) -> tuple[str, bool]:
    """What is wrong with the answers to a file, and whether it was refused; `expected` is refused, usable or either."""
    try:
        load_dataset(path, SPEC)
        refusal = ""
    except DatasetError as error:
        refusal = str(error)
    ended = subprocess.run(
        [sys.executable, str(ROOT / "scripts" / "check_data.py"), str(path)], capture_output=True, text=True,
        env=os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    said, wanted = ended.stderr, (0, 0) if not refusal else (2, 1)
    fault = ""
    if (ended.returncode, said.count("\n")) != wanted or (refusal and not said.startswith(f"{path}: ")):
        fault = f"script: exit status {ended.returncode}, {said[-300:]!r}; reader: {refusal!r}"
    elif "\n" in refusal or expected == ("usable" if refusal else "refused"):
        fault = f"reader: {refusal or 'loads it'!r}; expected: {expected}"
    return fault and f"{path.name}: {fault}", bool(refusal)


def damaged_files(folder: Path) -> Iterator[tuple[str, list[Path], str]]:
    """(what is wrong, files, what to expect)."""
    generator = np.random.default_rng(0)
    for label, write in WRITERS.items():
        whole = folder / "whole"
        write(whole, columns_of(ROWS))
        content = whole.read_bytes()
        yield f"nothing wrong, {label}", [whole], "usable"
        sizes = np.linspace(0, len(content) - 1, NUM_DAMAGES).astype(int)
        cut = [_write(folder / f"cut{size}", content[:size]) for size in sizes]
        yield f"cut off at {NUM_DAMAGES} offsets, {label}", cut, "refused"
        changed = [_write(folder / f"changed{i}", _change(content, generator)) for i in range(NUM_DAMAGES)]
        yield f"one byte changed, {label}", changed, "either"
        yield from _wrong_columns(folder, label, write)
    yield "a key twice, npz", [_write_twice(folder / "twice")], "refused"


def _wrong_columns(folder: Path, label: str, write: Callable[[Path, Columns], None]) -> Iterator[tuple]:
    if label == "HDF5 of ours":  # whose writer refuses to write them
        return

    def written(columns: list[Columns]) -> list[Path]:
        paths = [folder / f"wrong{i}" for i in range(len(columns))]
        for path, changed in zip(paths, columns, strict=True):
            write(path, changed)
        return paths

    good = columns_of(ROWS)
    kinds = ("S4", np.complex64, [("x", "f4"), ("y", "f4")])
    types = [good | {key: np.zeros(values.shape, kind)} for key, values in good.items() for kind in kinds]
    yield f"wrong types, {label}", written(types), "refused"
    uneven = [good | {key: values[:count]} for key, values in good.items() for count in (0, 1, ROWS - 1)]
    yield f"uneven columns, {label}", written(uneven), "refused"
    yield f"ragged rows, {label}", written([good | {key: _ragged(ROWS)} for key in good]), "refused"
    nans = [good | {key: np.full(values.shape, np.nan)} for key, values in good.items()]
    yield f"all NaN, {label}", written(nans), "refused"
    missing = [{k: v for k, v in good.items() if k != key} for key in ("observations", "actions")]
    yield f"a column missing, {label}", written([*missing, {}]), "refused"
    yield f"zero episodes, {label}", written([columns_of(0), columns_of(1)]), "refused"
    endless = {**good, "timeouts": np.ones(ROWS)}
    yield f"only ends, {label}", written([endless]), "refused"
    short = {**good, "timeouts": np.arange(ROWS) % 2}
    every = {**endless, "next_observations": good["observations"] + 1}
    yield f"one-step episodes, {label}", written([short, every]), "usable"


def columns_of(rows: int) -> Columns:
    """Of a user's own layout, two episodes."""
    generator = np.random.default_rng(rows)
    return {
        "observations": generator.normal(size=(rows, 4)).astype(np.float32),
        "actions": generator.uniform(-1, 1, (rows, 2)),
        "rewards": generator.normal(size=rows),
        "timeouts": np.arange(rows) == rows // 2,
    }


def _ragged(rows: int) -> np.ndarray:
    ragged = np.empty(rows, object)
    ragged[:] = [np.zeros(1 + row % 3, np.float32) for row in range(rows)]
    return ragged


def _change(content: bytes, generator: np.random.Generator) -> bytes:
    place = int(generator.integers(len(content)))
    return content[:place] + bytes([content[place] ^ int(generator.integers(1, 256))]) + content[place + 1 :]


def _write(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def _write_ours(path: Path, columns: Columns) -> None:
    goal = {"infos/goal": np.ones((ROWS, 2)), "infos/stream_end": np.arange(ROWS) == ROWS - 1}
    write_d4rl(path, columns | goal, task="plane", seed=0, generator_version="1")


def _write_hdf5(path: Path, columns: Columns) -> None:
    with h5py.File(path, "w") as file:
        for key, values in columns.items():
            kind = h5py.vlen_dtype(np.float32) if values.dtype.hasobject else values.dtype
            options = {"compression": "gzip"} if values.size else {}
            file.create_dataset(key, data=values, dtype=kind, **options)


def _write_npz(path: Path, columns: Columns) -> None:
    with path.open("wb") as stream:
        np.savez_compressed(stream, **columns)


def _write_twice(path: Path) -> Path:
    _write_npz(path, columns_of(ROWS))
    with warnings.catch_warnings(), zipfile.ZipFile(path, "a") as archive:
        warnings.simplefilter("ignore")
        archive.writestr("actions.npy", archive.read("actions.npy"))
    return path


WRITERS = {"HDF5 of ours": _write_ours, "HDF5 by gzip": _write_hdf5, "npz": _write_npz}


if __name__ == "__main__":
    sys.exit(main())
