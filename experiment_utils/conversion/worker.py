"""The process that reads an old file: opens what it needs, gives up the right to more, and only then reads.

    python -m experiment_utils.conversion.worker SOURCE OBSERVATION_SIZE OUTPUT...

Prints notes. Exit status 2, with one line: the file cannot be converted.
"""

import codecs
import contextlib
import io
import json
import sys
from pathlib import Path
from typing import IO, Any

import h5py
import numpy as np
import psutil

from experiment_utils.conversion.numpy_calls import NUMPY_CALLS
from experiment_utils.conversion.pickled import read_pickled
from experiment_utils.conversion.transitions import Columns, to_columns

MEMORY_FOR_EACH_BYTE, MEMORY_AT_LEAST = 6, 256 << 20  # of the file; beyond what the libraries hold already
ENCODINGS = ("ascii", "cp437", "latin-1", "raw_unicode_escape", "unicode_escape")  # of pickles and zips
SECONDS_FOR_EACH_MEGABYTE, SECONDS_AT_LEAST = 0.1, 60.0  # of processor time


def main(source: Path, observation_size: int | None, outputs: list[Path]) -> int:
    """Converts into `outputs`, which must not exist yet."""
    try:
        with contextlib.ExitStack() as files:
            stream = files.enter_context(source.open("rb"))
            made = [files.enter_context(path.open("x+b")) for path in outputs]
            if source.suffix == ".pt":
                _convert_snapshot(stream, *made)
            else:
                _convert_dataset(stream, made[0], outputs[0].suffix, observation_size)
    except MemoryError:
        return _refuse("needs more memory than a file of its size should")
    except RecursionError:
        return _refuse("holds lists in lists, too deep or without end")
    except (ValueError, RuntimeError, OSError) as error:
        return _refuse(str(error) or type(error).__name__)
    return 0


def _convert_dataset(stream: IO[bytes], output: IO[bytes], suffix: str, observation_size: int | None) -> None:
    _write_dataset(io.BytesIO(), suffix, {"rehearsal": np.zeros(1)})
    give_up_rights(stream)
    columns, notes = to_columns(read_pickled(stream, NUMPY_CALLS), observation_size)
    _write_dataset(output, suffix, columns)
    print("\n".join(notes))


def _write_dataset(output: IO[bytes], suffix: str, columns: Columns) -> None:
    if suffix == ".npz":
        np.savez_compressed(output, allow_pickle=False, **columns)
        return
    with h5py.File(output, "w") as file:
        for key, values in columns.items():
            file.create_dataset(key, data=values, chunks=True, compression="gzip", compression_opts=1, fletcher32=True)


def _convert_snapshot(stream: IO[bytes], tensors: IO[bytes], values: IO[bytes]) -> None:
    import torch

    from experiment_utils.conversion.torch_zip import read_torch_zip

    torch.set_num_threads(1)
    _write_snapshot(io.BytesIO(), io.BytesIO(), [np.zeros(1), torch.zeros(1)])
    give_up_rights(stream)
    _write_snapshot(tensors, values, read_torch_zip(stream))


def _write_snapshot(tensors: IO[bytes], values: IO[bytes], data: Any) -> None:
    import safetensors.torch

    from experiment_utils.conversion.tree import TreeWriter

    writer = TreeWriter()
    tree = writer.encode(data, "")
    tensors.write(safetensors.torch.save(writer.tensors))
    values.write(json.dumps(tree, indent=1).encode())


def give_up_rights(stream: IO[bytes]) -> None:
    """No new file, no new process, and memory and processor time in proportion to the file; where the system can.

    Libraries open parts of themselves on first use: whatever is needed later must have been used before.
    """
    try:
        import resource
    except ImportError:
        return
    for encoding in ENCODINGS:
        codecs.lookup(encoding)
    size = stream.seek(0, io.SEEK_END)
    stream.seek(0)
    memory = psutil.Process().memory_info().vms + MEMORY_AT_LEAST + MEMORY_FOR_EACH_BYTE * size
    seconds = int(SECONDS_AT_LEAST + SECONDS_FOR_EACH_MEGABYTE * size / 1e6)
    rights = {resource.RLIMIT_CPU: seconds, resource.RLIMIT_NOFILE: 0, resource.RLIMIT_CORE: 0}
    if sys.platform == "linux":
        rights |= {resource.RLIMIT_AS: memory, resource.RLIMIT_NPROC: 0}
    for name, most in rights.items():
        hard = resource.getrlimit(name)[1]
        most = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(name, (most, most))


def _refuse(message: str) -> int:
    print(" ".join(message.split()), file=sys.stderr)
    return 2


if __name__ == "__main__":
    source, observation_size, *outputs = sys.argv[1:]
    sys.exit(main(Path(source), int(observation_size) or None, [Path(output) for output in outputs]))
