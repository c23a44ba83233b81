"""Files in D4RL's layout and a user's own arrays become the episodes that they hold."""

import logging
import subprocess
import sys

import h5py
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from lifelong_rl.data.datasets import load
from lifelong_rl.data.datasets.d4rl import write_d4rl
from lifelong_rl.data.datasets.files import DatasetError
from lifelong_rl.data.datasets.load import load_dataset
from lifelong_rl.types import TaskSpec


def near(achieved, goal):
    return (achieved - goal).norm(dim=-1) <= 0.5


SPEC = TaskSpec(
    name="line",
    observation_shape=(4,),
    goal_shape=(2,),
    action_size=2,
    horizon=50,
    reward_fn=lambda achieved, goal: near(achieved, goal).float(),
    success_fn=near,
    goal_of=lambda observation: observation[..., :2],
)
NAMES = {"task": "line", "seed": 3, "generator_version": "1"}


def d4rl_columns(lengths: list[int], streams: list[int] | None = None) -> dict[str, np.ndarray]:
    """Rows 0, 1, 2 ... at x = row; a goal for each of the lengths; runs end at the rows in `streams`."""
    rows = sum(lengths)
    here = np.arange(rows, dtype=np.float32)
    goal = np.repeat(np.arange(len(lengths)), lengths).astype(np.float32)
    stream_end = np.zeros(rows, bool)
    stream_end[streams or [rows - 1]] = True
    return {
        "observations": np.stack([here, here, here, here], 1),
        "actions": np.stack([here, -here], 1),
        "rewards": here / 2,
        "terminals": np.zeros(rows, bool),
        "timeouts": np.zeros(rows, bool),
        "infos/goal": np.stack([goal, -goal], 1),
        "infos/stream_end": stream_end,
    }


def save(path, columns):
    with h5py.File(path, "w") as file:
        for key, values in columns.items():
            file[key] = values
    return path


def episodes(store) -> list[list[int]]:
    """Rows of the file in each episode of the store."""
    found = [store.episode_of(first) for first in store.first_indices().tolist()]
    return [store.at("observation", index)[:, 0].int().tolist() for index in found]


def test_d4rl_episodes_end_where_the_goal_changes_and_the_last_row_is_dropped(tmp_path):
    columns = {k: v for k, v in d4rl_columns([3, 2, 3]).items() if k not in ("timeouts", "infos/stream_end")}
    store = load_dataset(save(tmp_path / "a.hdf5", columns), SPEC)
    index = store.indices()
    assert episodes(store) == [[0, 1, 2], [3, 4], [5, 6]]
    assert torch.equal(store.at("next_observation", index), store.at("observation", index) + 1)
    assert store.at("ended", index).tolist() == [False, False, True, False, True, False, True]
    assert not store.at("terminated", index).any()
    assert store.at("goal", index)[:, 0].tolist() == [0, 0, 0, 1, 1, 2, 2]


def test_d4rl_rewards_are_those_of_the_next_row(tmp_path):
    store = load_dataset(save(tmp_path / "a.hdf5", d4rl_columns([3, 2])), SPEC)
    assert store.at("reward", store.indices()).tolist() == [0.5, 1, 1.5, 2]


@pytest.mark.parametrize("key", ["timeouts", "terminals"])
def test_d4rl_marks_end_episodes_but_not_twice_at_a_change_of_goal(tmp_path, key):
    columns = d4rl_columns([4, 4])
    columns[key][[1, 4]] = True  # row 4 is the first after the change of goal
    assert episodes(load_dataset(save(tmp_path / "a.hdf5", columns), SPEC)) == [[0, 1], [2, 3], [4, 5, 6]]


def test_no_transition_leads_from_one_stream_into_the_next(tmp_path):
    path = tmp_path / "new" / "a.hdf5"
    write_d4rl(path, d4rl_columns([3, 5], streams=[5, 7]), **NAMES)
    assert episodes(load_dataset(path, SPEC)) == [[0, 1, 2], [3, 4], [6]]


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(1, 6), min_size=1, max_size=12), st.sets(st.integers(0, 40)), st.integers(1, 9))
def test_pieces_of_any_size_give_the_same_episodes(tmp_path_factory, lengths, stream_ends, piece):
    rows = sum(lengths)
    goal = np.repeat(np.arange(len(lengths)), lengths)
    streams = sorted({row for row in stream_ends if row < rows} | {rows - 1})
    expected: list[list[int]] = []
    for row in range(rows):
        new = row == 0 or goal[row] != goal[row - 1] or row - 1 in streams
        if new:
            expected.append([])
        if row not in streams:
            expected[-1].append(row)
    expected = [episode for episode in expected if episode]

    path = save(tmp_path_factory.mktemp("pieces") / "a.hdf5", d4rl_columns(lengths, streams))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(load, "ROWS_AT_ONCE", piece)
        if not expected:
            with pytest.raises(DatasetError, match="zero episodes"):
                load_dataset(path, SPEC)
            return
        store = load_dataset(path, SPEC)
    assert episodes(store) == expected
    assert torch.equal(store.at("next_observation", store.indices()), store.at("observation", store.indices()) + 1)
    assert torch.equal(store.at("reward", store.indices()), store.at("next_observation", store.indices())[:, 0] / 2)


def test_written_files_are_equal_byte_for_byte_and_say_how_they_were_made(tmp_path):
    for name in ("a.hdf5", "b.hdf5"):
        write_d4rl(tmp_path / name, d4rl_columns([3, 2]), **NAMES)
    assert (tmp_path / "a.hdf5").read_bytes() == (tmp_path / "b.hdf5").read_bytes()
    with h5py.File(tmp_path / "a.hdf5", "r") as file:
        assert dict(file.attrs) == NAMES
        assert file["observations"].dtype == np.float32 and file["infos/goal"].shape == (5, 2)


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path):
    write_d4rl(tmp_path / "a.hdf5", d4rl_columns([3, 2]), **NAMES)
    before = (tmp_path / "a.hdf5").read_bytes()
    broken = d4rl_columns([3, 3]) | {"actions": np.array([object()] * 6)}
    with pytest.raises(TypeError):
        write_d4rl(tmp_path / "a.hdf5", broken, **NAMES)
    assert (tmp_path / "a.hdf5").read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["a.hdf5"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"infos/stream_end": None}, "key 'infos/stream_end' is missing"),
        ({"goal": np.zeros((5, 2))}, "unknown key 'goal'"),
        ({"actions": np.zeros((4, 2))}, r"'actions' has shape \(4, 2\); expected \(5, ...\)"),
    ],
)
def test_the_writer_refuses_what_could_not_be_read_again(tmp_path, change, message):
    columns = {k: v for k, v in (d4rl_columns([3, 2]) | change).items() if v is not None}
    with pytest.raises(DatasetError, match=message):
        write_d4rl(tmp_path / "a.hdf5", columns, **NAMES)


def own_columns(rows: int = 6) -> dict[str, np.ndarray]:
    here = np.arange(rows, dtype=np.float64)
    return {"observations": np.stack([here] * 4, 1), "actions": np.zeros((rows, 2)), "timeouts": here % 3 == 2}


@pytest.mark.parametrize("suffix", ["npz", "hdf5"])
def test_own_arrays_without_next_observations_lose_the_last_row_of_each_episode(tmp_path, suffix):
    path = tmp_path / f"own.{suffix}"
    np.savez(path, **own_columns()) if suffix == "npz" else save(path, own_columns())
    store = load_dataset(path, SPEC)
    assert episodes(store) == [[0, 1], [3, 4]]
    assert store.at("next_observation", store.indices())[:, 0].tolist() == [1, 2, 4, 5]
    assert "reward" not in store.column_names and "goal" not in store.column_names


def test_own_next_observations_keep_every_row_and_rewards_are_not_shifted(tmp_path):
    columns = own_columns() | {"rewards": np.arange(6), "costs": np.full(6, 2.5)}
    columns["next_observations"] = columns["observations"] + 0.25
    columns["terminals"] = columns.pop("timeouts")
    np.savez(tmp_path / "own.npz", **columns)
    store = load_dataset(tmp_path / "own.npz", SPEC)
    index = store.indices()
    assert episodes(store) == [[0, 1, 2], [3, 4, 5]]
    assert store.at("reward", index).tolist() == [0, 1, 2, 3, 4, 5]
    assert store.at("next_achieved_goal", index)[:, 0].tolist() == [0.25, 1.25, 2.25, 3.25, 4.25, 5.25]
    assert store.at("terminated", index).tolist() == [False, False, True] * 2
    assert store.at("cost", index).tolist() == [2.5] * 6


def test_own_goals_give_rewards_where_the_file_has_none(tmp_path):
    np.savez(tmp_path / "own.npz", **own_columns(), goals=np.full((6, 2), 2.0))
    store = load_dataset(tmp_path / "own.npz", SPEC)
    assert store.at("reward", store.indices()).tolist() == [0, 1, 0, 0]


def test_discrete_actions_become_integers(tmp_path):
    spec = TaskSpec(**{**vars(SPEC), "discrete": True, "action_size": 3})
    columns = own_columns() | {"actions": np.array([0, 1, 2, 0, 1, 2])}
    np.savez(tmp_path / "own.npz", **columns)
    store = load_dataset(tmp_path / "own.npz", spec)
    assert store.at("action", store.indices()).tolist() == [0, 1, 0, 1]
    columns["actions"][4] = 3
    np.savez(tmp_path / "own.npz", **columns)
    with pytest.raises(DatasetError, match=r"'actions' row 4 is 3; expected integers in \[0, 3\)"):
        load_dataset(tmp_path / "own.npz", spec)


def test_one_step_episodes_are_kept_and_reported(tmp_path, caplog):
    path = save(tmp_path / "a.hdf5", d4rl_columns([3, 1, 1, 2]))
    with caplog.at_level(logging.WARNING):
        assert episodes(load_dataset(path, SPEC)) == [[0, 1, 2], [3], [4], [5]]
    assert "3 of 4 episodes have one step only; the first is row 3" in caplog.text


def test_a_million_transitions_load_in_little_memory(tmp_path):
    """A process of its own, whose peak is its own: torch alone takes a quarter of a gigabyte."""
    columns = d4rl_columns([200] * 5000)
    write_d4rl(tmp_path / "a.hdf5", columns, **NAMES)
    body = (
        "import sys, resource; from lifelong_rl.types import *; from lifelong_rl.data.datasets.load import *;"
        "near = lambda a, g: (a - g).norm(dim=-1) < 1;"
        "spec = TaskSpec(name='m', observation_shape=(4,), goal_shape=(2,), action_size=2, horizon=9, reward_fn=near,"
        "                success_fn=near, goal_of=lambda o: o[..., :2]);"
        "peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss;"
        "before = peak(); store = load_dataset(sys.argv[1], spec); print(len(store), (peak() - before) // 1024)"
    )
    command = [sys.executable, "-c", body, str(tmp_path / "a.hdf5")]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env={"PYTHONPATH": ":".join(sys.path)})
    transitions, megabytes = map(int, done.stdout.split())
    assert transitions == 999_999
    assert megabytes < 350
