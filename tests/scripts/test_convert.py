"""The command that turns old pickled files into ours."""

import gzip
import json
import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from experiment_utils.conversion.numpy_calls import NUMPY_CALLS
from experiment_utils.conversion.pickled import OldFileError, read_pickled
from experiment_utils.conversion.transitions import to_columns
from lifelong_rl.data.datasets.files import DatasetFile
from lifelong_rl.data.datasets.report import report_episodes
from tests.scripts.old_files import write_old_files
from tests.source_tree import ROOT

TRUST = "--i-trust-this-file"


@pytest.fixture(scope="module")
def old(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_old_files(tmp_path_factory.mktemp("old"))


def convert(*words: str | Path) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, str(ROOT / "scripts" / "convert.py"), *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, cwd=ROOT)


def refusal(*words: str | Path) -> str:
    ended = convert(*words)
    assert ended.returncode == 2 and ended.stderr.count("\n") == 1 and not ended.stdout, ended.stderr
    return ended.stderr


def read(path: Path):
    with path.open("rb") as stream:
        return read_pickled(stream, NUMPY_CALLS)


@pytest.mark.parametrize("protocol", range(6))
def test_every_protocol_of_pickle_gives_the_same_values(old, protocol):
    data = read(old / f"protocol{protocol}.pkl")
    rows = np.random.default_rng(0).normal(size=(30, 3))
    assert np.array_equal(data["observations"], rows) and data["actions"].dtype == np.dtype(">f4")
    assert np.array_equal(data["actions"], read(old / "protocol4.pkl")["actions"])
    assert data["env_infos"] == [{"x": 1}, None] and data["scale"] == 2.5 and data["name"] == "hopper"
    assert data["nothing"].shape == (0, 2) and data["terminals"][9] == 1


def test_a_dict_of_arrays_becomes_a_dataset_whose_episodes_end_where_the_rows_jump(old, tmp_path):
    ended = convert(old / "protocol4.pkl", "--output", tmp_path / "new.hdf5", TRUST)
    assert ended.returncode == 0, ended.stderr
    assert "left out: env_infos, name, nothing, scale" in ended.stdout and f"wrote {tmp_path}/new.hdf5" in ended.stdout
    assert [path.name for path in tmp_path.iterdir()] == ["new.hdf5"]
    with DatasetFile(tmp_path / "new.hdf5") as file:
        assert report_episodes(file, {}).lengths.tolist() == [10, 10, 10]  # a terminal, a jump, the end
    with h5py.File(tmp_path / "new.hdf5", "r") as file:
        assert file["rewards"].shape == (30,) and file["observations"].dtype == np.float64


def test_one_array_of_rows_is_split_by_the_size_of_an_observation(old, tmp_path):
    output = tmp_path / "new.npz"
    assert "say --observation_size" in refusal(old / "rows.pkl", "--output", output, TRUST)
    assert convert(old / "rows.pkl", "--output", output, TRUST, "--observation_size", "3").returncode == 0
    with DatasetFile(output) as file:
        assert file.shape("actions") == (30, 2) and report_episodes(file, {}).lengths.tolist() == [10, 10, 10]


def test_paths_are_put_one_below_the_other(old):
    columns, notes = to_columns(read(old / "paths.pkl"), None)
    assert columns["observations"].shape == (30, 3) and notes == []
    assert np.flatnonzero(columns["timeouts"]).tolist() == [19, 29]  # the first path ends by a terminal


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ([1, 2], "holds a list; expected a dict of arrays"),
        ({"observations": np.zeros((3, 2))}, "lacks 'actions'; it has 'observations'"),
        ({"observations": np.zeros((3, 2)), "actions": np.zeros((2, 1))}, "has columns of these lengths: {'obs"),
        ({"observations": np.zeros((3, 2)), "actions": ["a", "b", "c"]}, "'actions' is of type <U1 and shape"),
        ({"observations": np.zeros((0, 2)), "actions": np.zeros((0, 1))}, "expected one length, at least 1"),
        (np.zeros((3, 7)), r"holds one array of shape \(3, 7\); expected \(rows, 2 \* 3 \+ actions \+ 2\)"),
    ],
)
def test_what_is_no_dataset_is_refused(data, message):
    with pytest.raises(OldFileError, match=message):
        to_columns(data, 3)


def test_a_state_dict_becomes_safetensors_and_json(old, tmp_path):
    ended = convert(old / "state.pt", "--output", tmp_path / "new.safetensors", TRUST)
    assert ended.returncode == 0, ended.stderr
    tensors, tree = load_file(tmp_path / "new.safetensors"), json.loads((tmp_path / "new.json").read_text())
    assert torch.equal(tensors["policy.weight"], torch.full((2, 3), 1.5))
    assert torch.equal(tensors["column"], torch.tensor([1, 4])) and torch.equal(tensors["array"], torch.arange(3))
    assert tensors["none"].shape == (0, 3) and tensors["half"].dtype == torch.bfloat16
    assert tensors["flags"].tolist() == [True, False]
    values = dict(tree["$items"])
    assert values["policy"] == {"weight": {"$tensor": "policy.weight"}, "bias": {"$tensor": "policy.bias"}}
    assert values["shape"] == {"$tuple": [1, 2.5, None, True, "x"]} and values[7] == 2 and values["epoch"] == 3
    assert values["optimizer"]["param_groups"][0]["lr"] == 0.001


def test_whole_modules_are_refused_by_the_name_of_their_class(old, tmp_path):
    message = refusal(old / "module.pt", "--output", tmp_path / "new.safetensors", TRUST)
    assert "module.pt: needs the class or function 'torch.nn.modules.linear.Linear'; only numpy arrays" in message
    assert list(tmp_path.iterdir()) == []


def test_the_format_of_torch_before_1_6_is_refused(old, tmp_path):
    assert "torch before 1.6" in refusal(old / "legacy.pt", "--output", tmp_path / "new.safetensors", TRUST)


def test_other_classes_and_arrays_of_objects_are_refused(old):
    with pytest.raises(OldFileError, match="needs the class or function 'collections.Counter'"):
        read(old / "class.pkl")
    with pytest.raises(OldFileError, match="holds an array of"):
        read(old / "objects.pkl")


def test_what_is_packed_is_refused(old, tmp_path):
    (tmp_path / "a.pkl").write_bytes(gzip.compress((old / "rows.pkl").read_bytes()))
    assert "damaged, or no pickle" in refusal(tmp_path / "a.pkl", "--output", tmp_path / "new.npz", TRUST)


def test_a_cut_off_pickle_is_refused(old, tmp_path):
    content = (old / "protocol4.pkl").read_bytes()
    for size in np.linspace(0, len(content) - 1, 100).astype(int):
        (tmp_path / "cut.pkl").write_bytes(content[:size])
        with pytest.raises(OldFileError):
            read(tmp_path / "cut.pkl")


def test_without_the_flag_one_line_says_what_it_means(old, tmp_path):
    message = refusal(old / "rows.pkl", "--output", tmp_path / "new.npz")
    assert "can hold a program" in message and f"Say {TRUST} if you know where it comes from" in message
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "output", "message"),
    [
        ("rows.csv", "new.npz", "FILE: expected a name that ends in .pkl or .pt, got 'rows.csv'"),
        ("rows.pkl", "new.safetensors", "new.safetensors: expected a name that ends in .hdf5 or .npz for a .pkl file."),
        ("absent.pkl", "new.npz", "No such file or directory"),
        ("rows.pkl", "rows.npz", "rows.npz: is there already; expected a new name."),
    ],
)
def test_wrong_names_are_refused(tmp_path, name, output, message):
    for there in ("rows.csv", "rows.pkl", "rows.npz"):
        (tmp_path / there).touch()
    assert message in refusal(tmp_path / name if name != "rows.csv" else name, "--output", tmp_path / output, TRUST)


RIGHTS = """
import subprocess, sys, numpy
from experiment_utils.conversion.worker import give_up_rights
with open(sys.argv[1], "rb") as stream:
    give_up_rights(stream)
    for attempt in (lambda: open("canary", "w"), lambda: subprocess.run("true"), lambda: numpy.ones(10**9)):
        try:
            attempt()
            print("allowed")
        except OSError:
            print("denied")
        except MemoryError:
            print("too much")
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the limits of other systems differ")
def test_the_process_that_reads_can_open_nothing_start_nothing_and_take_little(old, tmp_path):
    command = [sys.executable, "-c", RIGHTS, str(old / "rows.pkl")]
    ended = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert ended.stdout == "denied\ndenied\ntoo much\n", ended.stderr
    assert list(tmp_path.iterdir()) == []


def test_help_teaches_and_imports_neither_torch_nor_numpy():
    command = [sys.executable, "-X", "importtime", str(ROOT / "scripts" / "convert.py"), "-h"]
    ended = subprocess.run(command, capture_output=True, text=True, check=True)
    imported = {line.rsplit("|", 1)[-1].strip() for line in ended.stderr.splitlines()}
    assert "such files are programs" in ended.stdout and TRUST in ended.stdout
    assert "argparse" in imported and not imported & {"torch", "numpy", "mujoco", "h5py"}
