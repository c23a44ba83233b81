"""Hostile files given to what reads such files: nothing in them may run, be written, or fill the memory.

    python benchmarks/torture_hostile.py

Each file goes to the script for its kind, in a process of its own. Wanted: exit status 2, one line, no traceback, no
new file, and a peak under 1 GB of resident memory. Exit status 1 where one fails.
"""

import os
import subprocess
import sys
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import h5py
import numpy as np

ROOT = Path(__file__).parent.parent
MAX_BYTES = 1_000_000_000
LARGE = 10_000_000_000  # what the bombs declare
BLOCK = 1 << 26
RUNNING_PICKLES = {  # each makes the file `canary` if Python's own unpickler reads it
    "open": b"cbuiltins\nopen\n(Vcanary\nVw\ntR.",
    "os.system by names on the stack": b"\x80\x04\x8c\x02os\x8c\x06system\x93\x8c\x0ctouch canary\x85R.",
    "os.system by a dotted name": b"\x80\x04\x8c\x02os\x8c\x0epath.os.system\x93\x8c\x0ctouch canary\x85R.",
    "an instance": b"(Vcanary\nVw\nibuiltins\nopen\n.",
    "an object": b"(cbuiltins\nopen\nVcanary\nVw\no.",
    "eval by its Python 2 name": b"c__builtin__\neval\n(Vopen('canary', 'w')\ntR.",
    "getattr of an import": b"cbuiltins\ngetattr\n(cbuiltins\n__import__\n(Vos\ntRVsystem\ntR(Vtouch canary\ntR.",
    "an argument of numpy's rebuilding": b"cnumpy.core.multiarray\n_reconstruct\n(cbuiltins\nopen\n(Vcanary\nVw\ntRtR.",
}
OTHER_PICKLES = {
    "an extension code": b"\x80\x02\x82\x01)R.",
    "ten billion values in lists of lists": b"](" + b"K\x00" * 10 + b"e"
    + b"".join(b"q%c0](" % i + b"h%c" % i * 10 + b"e" for i in range(9)) + b".",
    "lists in lists, a million deep": b"(" * 1_000_000 + b"l" * 1_000_000 + b".",
    "ten billion bytes that are not there": b"\x80\x04\x8e" + LARGE.to_bytes(8, "little") + b".",
    "a tensor of ten billion zeros": b"ctorch._utils\n_rebuild_tensor_v2\n((Vstorage\nctorch\nFloatStorage\nV0\nVcpu\n"
    b"I1\ntQI0\n(I100000\nI100000\nt(I0\nI0\ntI00\nNtR.",
}  # fmt: skip
TRAVERSALS = (
    "../canary.npy", "../../canary.npy", "a/../../canary.npy", "/canary.npy", "//host/share/canary.npy", "~/canary.npy",
    "..\\canary.npy", "C:\\canary.npy", "%2e%2e/canary.npy", "....//canary.npy", "../observations", "a\n\x1b[2J.npy",
)  # fmt: skip
FLAG = "--i-trust-this-file"


def main() -> int:
    """Prints a line for each file, and the counts."""
    num_files, num_failed, highest = 0, 0, 0
    with tempfile.TemporaryDirectory() as name:
        for label, path, command in hostile_files(Path(name)):
            fault, peak = judge(path, command)
            num_files, num_failed, highest = num_files + 1, num_failed + bool(fault), max(highest, peak)
            print(f"{peak / 1e6:>5.0f} MB  {label}{': FAILED, ' + fault if fault else ''}", flush=True)
    refused = f"{num_files - num_failed} of {num_files} hostile files refused in one line, nothing written"
    print(f"{refused}; peak {highest / 1e6:.0f} MB")
    return 1 if num_failed else 0


def judge(path: Path, command: list[str]) -> tuple[str, int]:
    """What is wrong with how `command` took the file at `path`, and how many bytes it needed at most."""
    measure = "import resource, subprocess, sys; status = subprocess.run(sys.argv[1:]).returncode;"
    measure += "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, status)"
    before = _files_around(path)
    ended = subprocess.run(
        [sys.executable, "-c", measure, sys.executable, *command], cwd=path.parent, capture_output=True, text=True,
        env=os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    kilobytes, status = map(int, ended.stdout.splitlines()[-1].split())
    peak = 1024 * kilobytes
    if _files_around(path) != before:
        return f"wrote {_files_around(path) - before}", peak
    if status != 2 or ended.stderr.count("\n") != 1 or not ended.stderr.isascii() or "Traceback" in ended.stderr:
        return f"exit status {status}, said {ended.stderr[-500:]!r}", peak
    return "too much memory" if peak > MAX_BYTES else "", peak


def hostile_files(folder: Path) -> Iterator[tuple[str, Path, list[str]]]:
    """(what it is, its file, the words after `python` that read it)."""
    check, convert = str(ROOT / "scripts" / "check_data.py"), str(ROOT / "scripts" / "convert.py")
    places = (folder / str(number) / "below" for number in range(1000))
    for label, make in DATASETS.items():
        path = _new_file(next(places), "data")
        make(path)
        yield label, path, [check, str(path)]
    for name in TRAVERSALS:
        path = _new_file(next(places), "data.npz")
        write_zip(path, {"observations.npy": npy((2, 1)), "actions.npy": npy((2, 1)), name: npy((2, 1))})
        yield f"npz member {name!r}", path, [check, str(path)]
    for label, content in (RUNNING_PICKLES | OTHER_PICKLES).items():
        for suffix, target in ((".pkl", "new.hdf5"), (".pt", "new.safetensors")):
            path = _new_file(next(places), f"old{suffix}")
            if suffix == ".pkl":
                path.write_bytes(content)
            else:
                write_zip(path, {"a/data.pkl": content, "a/data/0": bytes(4)})
            yield f"{suffix} with {label}", path, [convert, str(path), "--output", target, FLAG]
    path = _new_file(next(places), "old.pt")
    _write_bomb(path, "a/data.pkl", b"", LARGE)
    yield ".pt that is a bomb", path, [convert, str(path), "--output", "new.safetensors", FLAG]


def npy(shape: tuple[int, ...], descr: str = "<f4", content: bytes | None = None) -> bytes:
    """An npy file with this header; zeros where no content is given."""
    header = f"{{'descr': {descr!r}, 'fortran_order': False, 'shape': {shape}, }}".encode()
    header += b" " * (-(len(header) + 11) % 64) + b"\n"
    content = bytes(4 * int(np.prod(shape))) if content is None else content
    return b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header + content


HUGE = npy((LARGE // 4, 1), content=b"")


def _new_file(folder: Path, name: str) -> Path:
    folder.mkdir(parents=True)
    return folder / name


def _files_around(path: Path) -> set[Path]:
    """Where a traversal by one or two steps would arrive too."""
    return set(path.parent.rglob("*")) | set(path.parent.parent.glob("*")) | set(path.parent.parent.parent.glob("c*"))


def write_zip(path: Path, members: dict[str, bytes]) -> None:
    """Stored as they are."""
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(zipfile.ZipInfo(name), content)


def _write_npz(path: Path, **members: bytes) -> None:
    write_zip(path, {f"{key}.npy": content for key, content in ({"actions": npy((4, 1))} | members).items()})


def _deflate(start: bytes, zeros: int, window: int) -> bytes:
    """`start` and then zeros, which one compressed block gives again and again; the checksum is wrong."""
    compressor = zlib.compressobj(9, zlib.DEFLATED, window)
    content = compressor.compress(start) + compressor.flush(zlib.Z_FULL_FLUSH)
    block = compressor.compress(bytes(BLOCK)) + compressor.flush(zlib.Z_FULL_FLUSH)
    return content + block * (zeros // BLOCK) + compressor.flush()


def _write_bomb(path: Path, name: str, start: bytes, declared: int, listed: int | None = None) -> None:
    """The zip's list of members is written on closing, and says what we like."""
    with zipfile.ZipFile(path, "w") as archive:
        info = zipfile.ZipInfo(name)
        archive.writestr(info, _deflate(start, declared, -15))
        info.compress_type, info.file_size = zipfile.ZIP_DEFLATED, listed or declared


def _write_hdf5(path: Path, write: Callable[[h5py.File], object]) -> None:
    with h5py.File(path, "w") as file:
        file["actions"] = np.zeros((4, 1), np.float32)
        write(file)


def _hdf5_bomb(file: h5py.File) -> None:
    dataset = file.create_dataset("observations", (LARGE // 4, 1), "f4", chunks=(BLOCK // 4, 1), compression="gzip")
    chunk = zlib.compress(bytes(BLOCK))
    for row in range(0, LARGE // 4, BLOCK // 4):
        dataset.id.write_direct_chunk((row, 0), chunk)


def _hdf5_chunk_bomb(file: h5py.File) -> None:
    chunks, options = (1 << 29, 1), {"maxshape": (None, 1), "compression": "gzip"}
    dataset = file.create_dataset("observations", (4, 1), "f4", chunks=chunks, **options)
    dataset.id.write_direct_chunk((0, 0), _deflate(b"", 4 << 29, 15))


def _link(link: object) -> Callable[[h5py.File], None]:
    def write(file: h5py.File) -> None:
        file["observations"] = link

    return write


def _link_through_another_file(file: h5py.File) -> None:
    file["other"] = h5py.ExternalLink("/etc/passwd", "/")
    file["observations"] = h5py.SoftLink("/other/observations")


def _external_data(file: h5py.File) -> None:
    file.create_dataset("observations", (4, 1), "u1", external=[("/etc/passwd", 0, 4)])


def _virtual_data(file: h5py.File) -> None:
    layout = h5py.VirtualLayout((4, 1), "f4")
    layout[:] = h5py.VirtualSource("/etc/passwd", "observations", (4, 1))
    file.create_virtual_dataset("observations", layout)


def _plugin(file: h5py.File) -> None:
    properties = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    properties.set_chunk((4, 1))
    properties.set_filter(32015, h5py.h5z.FLAG_OPTIONAL, ())
    space = h5py.h5s.create_simple((4, 1))
    h5py.Dataset(h5py.h5d.create(file.id, b"observations", h5py.h5t.NATIVE_FLOAT, space, properties))[:] = 1


def _references(file: h5py.File) -> None:
    file.create_dataset("observations", (4, 1), h5py.ref_dtype)[:] = file["actions"].ref


def _user_defined_link(path: Path) -> None:
    _write_hdf5(path, _link(h5py.ExternalLink("/etc/passwd", "/")))
    content = path.read_bytes()
    kind = content.index(bytes([h5py.h5l.TYPE_EXTERNAL, len("observations")]) + b"observations")
    path.write_bytes(content[:kind] + bytes([h5py.h5l.TYPE_EXTERNAL + 1]) + content[kind + 1 :])


HDF5_FILES = {
    "an external link": _link(h5py.ExternalLink("/etc/passwd", "/")),
    "a soft link through an external link": _link_through_another_file,
    "a soft link to itself": _link(h5py.SoftLink("/observations")),
    "data in another file": _external_data,
    "a virtual dataset": _virtual_data,
    "a filter plugin": _plugin,
    "references": _references,
    "a bomb of ten billion bytes": _hdf5_bomb,
    "a bomb in a chunk larger than its column": _hdf5_chunk_bomb,
    "rows without numbers": lambda file: file.create_dataset("observations", (10**12, 0), "f4"),
    "a name that clears the screen": lambda file: file.create_dataset("a\x1b[2J", (4, 1), "f4"),
}
DATASETS: dict[str, Callable[[Path], None]] = {
    **{f"HDF5 with {label}": partial(_write_hdf5, write=write) for label, write in HDF5_FILES.items()},
    "HDF5 with a user-defined link": _user_defined_link,
    "npz with a pickle": partial(_write_npz, observations=npy((1,), "|O", RUNNING_PICKLES["open"])),
    "npz with rows without numbers": partial(_write_npz, observations=npy((10**12, 0)), actions=npy((10**12, 0))),
    "npz with a shape that overflows": partial(_write_npz, observations=npy((2**62, 4), content=b"")),
    "npz that is a bomb": partial(_write_bomb, name="observations.npy", start=HUGE, declared=LARGE),
    "npz that is a bomb and denies it": partial(
        _write_bomb, name="observations.npy", start=HUGE, declared=LARGE, listed=2000
    ),
    "npz with a header that is a bomb": partial(
        _write_bomb, name="observations.npy", start=b"\x93NUMPY\x02\x00\xff\xff\xff\xff", declared=1 << 32
    ),
}


if __name__ == "__main__":
    sys.exit(main())
