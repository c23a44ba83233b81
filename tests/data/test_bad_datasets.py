"""Files that cannot be used are refused with one line that names file, key, row and what was expected."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import h5py
import numpy as np
import pytest

from lifelong_rl.data.datasets.files import DatasetError
from lifelong_rl.data.datasets.load import load_dataset
from lifelong_rl.types import TaskSpec

ROOT = Path(__file__).parents[2]
SPEC = TaskSpec(
    name="line",
    observation_shape=(4,),
    goal_shape=(2,),
    action_size=2,
    horizon=50,
    reward_fn=lambda achieved, goal: (achieved - goal).norm(dim=-1),
    success_fn=lambda achieved, goal: (achieved - goal).norm(dim=-1) < 1,
    goal_of=lambda observation: observation[..., :2],
)


def columns_of(rows: int = 10) -> dict[str, np.ndarray]:
    generator = np.random.default_rng(0)
    return {
        "observations": generator.normal(size=(rows, 4)),
        "actions": generator.uniform(-1, 1, (rows, 2)),
        "rewards": np.zeros(rows),
        "terminals": np.zeros(rows, bool),
        "timeouts": np.zeros(rows, bool),
        "infos/goal": np.ones((rows, 2)),
    }


def save(path: Path, columns: dict) -> Path:
    with h5py.File(path, "w") as file:
        for key, values in columns.items():
            file[key] = values
    return path


def refusal(path: Path) -> str:
    """The message, checked to be one line that starts with the file."""
    with pytest.raises(DatasetError) as caught:
        load_dataset(path, SPEC)
    message = str(caught.value)
    assert message.startswith(f"{path}: ") and "\n" not in message
    return message.removeprefix(f"{path}: ")


def with_value(key: str, row: int, value: float) -> dict[str, np.ndarray]:
    columns = columns_of()
    columns[key] = columns[key].astype(float)
    columns[key][row] = value
    return columns


def without(key: str) -> dict[str, np.ndarray]:
    return {name: values for name, values in columns_of().items() if name != key}


TEXT = np.array([b"left"] * 10)
CASES = [
    (
        with_value("observations", 7, np.nan),
        "'observations' row 7 is [nan nan nan nan]; expected finite numbers, shape",
    ),
    (with_value("actions", 3, np.inf), "'actions' row 3 is [inf inf]; expected finite numbers, shape (10, 2)."),
    (with_value("actions", 9, 1e39), "'actions' row 9 is [inf inf]; expected finite numbers"),
    (with_value("rewards", 0, np.nan), "'rewards' row 0 is nan; expected finite numbers, shape (10,)."),
    (with_value("infos/goal", 5, np.nan), "'infos/goal' row 5 is [nan nan]; expected finite numbers, shape (10, 2)."),
    (with_value("timeouts", 4, 2), "'timeouts' row 4 is 2.0; expected 0 or 1, shape (10,)."),
    (with_value("terminals", 4, np.nan), "'terminals' row 4 is nan; expected 0 or 1, shape (10,)."),
    (without("actions"), "key 'actions' is missing. The file has: infos/goal, observations,"),
    (without("observations"), "key 'observations' is missing."),
    (columns_of() | {"action": np.zeros((10, 2))}, "unknown key 'action'. Did you mean 'actions'? Valid: "),
    (columns_of() | {"infos/goals": np.zeros((10, 2))}, "unknown key 'infos/goals'. Did you mean 'infos/goal'?"),
    (columns_of() | {"observations": np.zeros((10, 5))}, "'observations' has shape (10, 5); expected (10, 4)."),
    (columns_of() | {"actions": np.zeros((9, 2))}, "'actions' has shape (9, 2); expected (10, 2)."),
    (columns_of() | {"actions": np.zeros(10)}, "'actions' has shape (10,); expected (10, 2)."),
    (columns_of() | {"rewards": np.zeros((10, 1))}, "'rewards' has shape (10, 1); expected (10,)."),
    (columns_of() | {"infos/goal": np.zeros((10, 3))}, "'infos/goal' has shape (10, 3); expected (10, 2)."),
    (columns_of() | {"actions": TEXT}, "'actions' has type |S4; expected numbers of shape (10, 2)."),
    (columns_of() | {"actions": np.zeros((10, 2), complex)}, "'actions' has type complex128; expected numbers"),
    (columns_of() | {"actions": 3.0}, "'actions' is no column; expected a dataset of shape (rows, ...)"),
    (columns_of(0), "'observations' has shape (0, 4): zero episodes, no rows."),
    (columns_of(1), "zero episodes: 'observations' has 1 row(s), none followed by another; expected at least 2."),
    ({}, "key 'observations' is missing. The file has: nothing."),
]


@pytest.mark.parametrize(("columns", "message"), CASES)
def test_what_is_wrong_is_named(tmp_path, columns, message):
    assert refusal(save(tmp_path / "a.hdf5", columns)).startswith(message)


def test_a_group_where_a_column_belongs_is_refused(tmp_path):
    columns = without("rewards") | {"rewards/dense": np.zeros(10)}
    assert refusal(save(tmp_path / "a.hdf5", columns)).startswith("'rewards' is no column")


def test_ragged_rows_are_refused(tmp_path):
    path = save(tmp_path / "a.hdf5", without("observations"))
    with h5py.File(path, "a") as file:
        ragged = file.create_dataset("observations", (10,), dtype=h5py.vlen_dtype(np.float32))
        ragged[0] = [1, 2, 3]
    assert refusal(path).startswith("'observations' holds object (ragged rows, text or references); expected")

    ragged = np.array([[1, 2], [3]], dtype=object)
    np.savez(tmp_path / "a.npz", observations=ragged, actions=np.zeros((2, 2)))
    assert refusal(tmp_path / "a.npz").startswith("'observations' cannot be read (ragged rows?): Object arrays cannot")


def test_the_same_key_twice_is_refused(tmp_path):
    columns = {"observations": np.zeros((4, 4)), "actions": np.zeros((4, 2))}
    np.savez(tmp_path / "a.npz", **columns)
    with zipfile.ZipFile(tmp_path / "a.npz", "a") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr("actions.npy", archive.read("actions.npy"))
    assert refusal(tmp_path / "a.npz") == "key 'actions' is there more than once."


def test_a_column_that_only_claims_to_be_large_is_refused(tmp_path):
    path = save(tmp_path / "a.hdf5", without("observations"))
    with h5py.File(path, "a") as file:
        file.create_dataset("observations", (10**13, 4), "f4", chunks=(10, 4))
    assert refusal(path).startswith("'observations' of shape (10000000000000, 4) was never written; expected data.")


def test_other_files_are_refused(tmp_path):
    (tmp_path / "a.csv").write_text("1, 2, 3")
    assert refusal(tmp_path / "a.csv").startswith("neither HDF5 nor npz")
    assert "No such file" in refusal(tmp_path / "absent.hdf5")
    assert "Is a directory" in refusal(tmp_path)


def check_data(*arguments: str) -> subprocess.CompletedProcess:
    command = [sys.executable, str(ROOT / "scripts" / "check_data.py"), *arguments]
    return subprocess.run(
        command, capture_output=True, text=True, env=os.environ | {"PYTHONPATH": str(ROOT)}, check=False
    )


def test_check_data_prints_episodes_ranges_and_oddities(tmp_path):
    columns = columns_of(50)
    columns["infos/goal"][[20, 21]] = [[2, 2], [3, 3]]
    columns["observations"][31] = columns["observations"][30]
    columns["observations"][40:] += 1000
    done = check_data(str(save(tmp_path / "a.hdf5", columns)))
    assert done.returncode == 0, done.stderr
    assert "episodes           4\n" in done.stdout and "1 shortest, 10.5 median, 27 longest" in done.stdout
    assert "2 of 4 episodes have one step only; the first is row 20" in done.stdout
    assert "repeated           2.04% of the transitions" in done.stdout
    assert done.stdout.endswith("usable\n")


def test_check_data_shows_the_table_and_then_the_one_cause(tmp_path):
    path = save(tmp_path / "a.hdf5", with_value("observations", 7, np.nan))
    done = check_data(str(path))
    assert done.returncode == 2
    row = next(line for line in done.stdout.splitlines() if line.startswith("observations"))
    assert row.split()[1:5] == ["float64", "(10,", "4)", "1"]
    assert done.stderr.startswith(f"{path}: 'observations' row 7") and done.stderr.count("\n") == 1


def test_check_data_compares_shapes_with_the_task(tmp_path):
    path = save(tmp_path / "a.hdf5", columns_of() | {"observations": np.zeros((10, 6))})
    assert check_data(str(path)).returncode == 0
    done = check_data(str(path), "--task", "maze2d-umaze-v1")
    assert done.returncode == 2 and "'observations' has shape (10, 6); expected (10, 4)" in done.stderr
    assert "Did you mean 'maze2d-umaze-v1'" in check_data(str(path), "--task", "maze2d-umze-v1").stderr


def test_check_data_warns_of_a_step_that_jumps(tmp_path):
    columns = columns_of(5000)
    columns["observations"][3000:] += 1000
    done = check_data(str(save(tmp_path / "a.hdf5", columns)))
    assert done.returncode == 0 and "warning: row 2999 moves 2e+03" in done.stdout


def test_help_of_check_data_imports_neither_torch_nor_numpy():
    command = [sys.executable, "-X", "importtime", str(ROOT / "scripts" / "check_data.py"), "-h"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    imported = {line.rsplit("|", 1)[-1].strip() for line in done.stderr.splitlines()}
    assert "infos/stream_end" in done.stdout
    assert "argparse" in imported and not imported & {"torch", "numpy", "mujoco", "h5py"}
