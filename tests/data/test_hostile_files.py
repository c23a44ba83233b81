"""Hostile datasets and pickles are refused for what they are; benchmarks/torture_hostile.py makes them, and more."""

import io
import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest

from benchmarks.torture_hostile import (
    DATASETS,
    MAX_BYTES,
    OTHER_PICKLES,
    ROOT,
    RUNNING_PICKLES,
    TRAVERSALS,
    judge,
    npy,
    write_zip,
)
from experiment_utils.conversion.numpy_calls import NUMPY_CALLS
from experiment_utils.conversion.pickled import OldFileError, read_pickled
from lifelong_rl.data.datasets.files import DatasetError, DatasetFile
from lifelong_rl.data.datasets.limits import Extent, check_extents
from lifelong_rl.data.datasets.report import report_episodes

REASONS = {
    "HDF5 with an external link": "'observations' is or leads through an external link; expected data in this file.",
    "HDF5 with a soft link through an external link": "'observations' is or leads through an external link; expected",
    "HDF5 with a soft link to itself": "'observations' is a link to links without end; expected the data themselves.",
    "HDF5 with a user-defined link": "'observations' is or leads through a user-defined link (type 65); expected data",
    "HDF5 with data in another file": "'observations' has data that are external, in the file '/etc/passwd'; expected",
    "HDF5 with a virtual dataset": "'observations' has data that are virtual, made of other files; expected data in",
    "HDF5 with a filter plugin": "'observations' needs the filter plugin 32015; expected gzip, lzf, szip, shuffle,",
    "HDF5 with references": "'observations' holds object (ragged rows, text or references); expected numbers of shape",
    "HDF5 with a bomb of ten billion bytes": "'observations' declares 10 GB and stores",
    "HDF5 with a bomb in a chunk larger than its column": "'observations' declares 2,147 MB and stores",
    "HDF5 with rows without numbers": "'actions' has shape (4, 1); expected (1000000000000, 1).",
    "HDF5 with a name that clears the screen": r"key 'a\x1b[2J' is no name of a column; expected a name of 1 to 100",
    "npz with a pickle": "'observations' cannot be read (ragged rows?): Object arrays cannot be loaded, they",
    "npz with rows without numbers": "'actions' has shape (1000000000000, 0): no numbers in its rows.",
    "npz with a shape that overflows": "'observations' of shape (4611686018427387904, 4) and type float32 holds 0;",
    "npz that is a bomb": "'observations' declares 10 GB and stores",
    "npz that is a bomb and denies it": "'observations' cannot be read: Bad CRC-32",
    "npz with a header that is a bomb": "'observations' declares 4,294 MB and stores",
}


def refusal(path: Path) -> str:
    with pytest.raises(DatasetError) as caught, DatasetFile(path) as file:
        report_episodes(file, {})
    message = str(caught.value)
    assert message.startswith(f"{path}: ") and message.isprintable()
    return message.removeprefix(f"{path}: ")


@pytest.mark.parametrize("label", DATASETS)
def test_a_hostile_dataset_is_refused_for_what_it_is(tmp_path, label):
    DATASETS[label](tmp_path / "data")
    assert refusal(tmp_path / "data").startswith(REASONS[label])


@pytest.mark.parametrize("name", TRAVERSALS)
def test_a_member_named_like_a_way_out_is_an_unknown_key_and_nothing_is_written(tmp_path, name):
    path = tmp_path / "deep" / "deeper" / "data.npz"
    path.parent.mkdir(parents=True)
    write_zip(path, {"observations.npy": npy((2, 1)), "actions.npy": npy((2, 1)), name: npy((2, 1))})
    assert refusal(path).startswith(("unknown key", "key ", "'../observations' is no column"))
    assert [found for found in tmp_path.rglob("*") if found.is_file()] == [path]


BOMBS = ["npz that is a bomb", "npz with a header that is a bomb", "HDF5 with a bomb in a chunk larger than its column"]


@pytest.mark.parametrize("label", BOMBS)
def test_a_bomb_needs_little_memory(tmp_path, label):
    path = tmp_path / "folder" / "data"
    path.parent.mkdir()
    DATASETS[label](path)
    fault, peak = judge(path, [str(ROOT / "scripts" / "check_data.py"), str(path)])
    assert fault == "" and 10_000_000 < peak < MAX_BYTES


def test_the_hostile_pickles_would_run_if_python_read_them(tmp_path):
    for number, content in enumerate(RUNNING_PICKLES.values()):
        (tmp_path / str(number)).mkdir()
        (tmp_path / str(number) / "file").write_bytes(content)
    code = "import contextlib, os, pickle, sys\nfor folder in sys.argv[1:]:\n    os.chdir(folder)\n"
    code += "    with contextlib.suppress(Exception): pickle.load(open('file', 'rb'))"
    subprocess.run([sys.executable, "-W", "ignore", "-c", code, *tmp_path.iterdir()], check=True)
    assert all((folder / "canary").exists() for folder in tmp_path.iterdir())


@pytest.mark.parametrize("label", RUNNING_PICKLES)
def test_a_pickle_that_calls_is_refused_by_the_name_of_what_it_calls(tmp_path, monkeypatch, label):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(OldFileError, match=r"needs the class or function '(builtins|os|__builtin__)\.[\w.]+'; only"):
        read_pickled(io.BytesIO(RUNNING_PICKLES[label]), NUMPY_CALLS)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("label", ["an extension code", "ten billion bytes that are not there"])
def test_a_pickle_that_asks_for_too_much_is_refused(label):
    with pytest.raises(OldFileError):
        read_pickled(io.BytesIO(OTHER_PICKLES[label]), NUMPY_CALLS)


def test_a_soft_link_that_stays_in_the_file_is_followed(tmp_path):
    with h5py.File(tmp_path / "a.hdf5", "w") as file:
        file["observations"] = np.arange(8.0).reshape(4, 2)
        file["metadata/acts"] = np.ones((4, 1))
        file["actions"] = h5py.SoftLink("metadata/again")
        file["metadata/again"] = h5py.SoftLink("/metadata/acts")
    with DatasetFile(tmp_path / "a.hdf5") as file:
        assert file.keys == ("actions", "observations")
        assert report_episodes(file, {}).num_transitions == 3 and file.read("actions").sum() == 4


def test_columns_of_zeros_are_no_bombs(tmp_path):
    with h5py.File(tmp_path / "a.hdf5", "w") as file:
        for key in ("observations", "actions"):
            file.create_dataset(key, data=np.zeros((1_000_000, 2), np.float32), compression="gzip")
        assert file["actions"].id.get_storage_size() < 8_000_000 / 500
    np.savez_compressed(tmp_path / "a.npz", observations=np.zeros((1_000_000, 2)), actions=np.zeros((1_000_000, 1)))
    for name in ("a.hdf5", "a.npz"):
        with DatasetFile(tmp_path / name) as file:
            assert report_episodes(file, {}).num_transitions == 999_999


def test_a_dataset_may_be_as_large_as_the_free_memory_where_it_is_stored_honestly():
    path, honest = Path("a.hdf5"), Extent(declared=300 << 20, stored=3 << 20)
    check_extents(path, {"observations": honest, "rewards": Extent(declared=200 << 20, stored=1000)})
    with pytest.raises(DatasetError, match="a.hdf5: declares 1,000,000 GB, most of it 'observations'; expected at"):
        check_extents(path, {"observations": Extent(declared=10**15, stored=10**14), "rewards": honest})
    with pytest.raises(DatasetError, match="'rewards' declares 209 MB and stores 1,000 bytes; expected at most 200"):
        check_extents(path, dict.fromkeys(("rewards", "costs"), Extent(declared=200 << 20, stored=1000)))
