"""Rows of a store that are written as a dataset come back as they were, whatever the task."""

import h5py
import numpy as np
import pytest
import torch

from lifelong_rl.data.datasets import arrays_writer, saved_rows
from lifelong_rl.data.datasets.arrays_writer import write_arrays
from lifelong_rl.data.datasets.files import DatasetError
from lifelong_rl.data.datasets.load import load_dataset
from lifelong_rl.data.datasets.minari_writer import MinariDescription, write_minari
from lifelong_rl.data.datasets.saved_rows import SavedRows
from lifelong_rl.data.datasets.spaces import box
from lifelong_rl.data.episodes import EpisodeStore
from tests.data.stores_of_tasks import CAPACITY_STEPS, filled_store, spec_of


def in_order_of_ends(store: EpisodeStore) -> list[list[int]]:
    """Held indices of each held episode."""
    episodes = [store.episode_of(first).tolist() for first in store.first_indices().tolist()]
    return sorted(episodes, key=lambda indices: indices[-1])


def assert_same(store: EpisodeStore, loaded: EpisodeStore) -> None:
    """Column by column, bit by bit; but the last step of an episode that was still running counts as its end."""
    episodes = in_order_of_ends(store)
    index, lengths = torch.tensor(sum(episodes, [])), [len(episode) for episode in episodes]
    assert [len(episode) for episode in in_order_of_ends(loaded)] == lengths
    assert set(loaded.column_names) == set(store.column_names)
    for name in set(store.column_names) - {"ended"}:
        ours, theirs = store.at(name, index), loaded.at(name, loaded.indices())
        assert ours.dtype == theirs.dtype and torch.equal(ours, theirs), name
    ends = torch.tensor(lengths).cumsum(0) - 1
    assert loaded.at("ended", loaded.indices()).nonzero().flatten().tolist() == ends.tolist()


def description(**changes) -> MinariDescription:
    values = {
        "dataset_id": "test-v0", "algorithm": "none", "action_space": box((3,), "float32", -1, 1), "env_spec": None,
        "goal_of": None,
    }  # fmt: skip
    return MinariDescription(**values | changes)


CHOICES = {"type": "Discrete", "dtype": "int64", "start": 5, "n": 3}
KINDS = ["goals", "choices", "pictures", "no goals"]


@pytest.mark.parametrize("num_envs", [1, 3])
@pytest.mark.parametrize("kind", KINDS)
def test_rows_come_back_from_hdf5_bit_for_bit(tmp_path, kind, num_envs):
    store = filled_store(spec_of(kind), num_envs, with_costs=kind == "goals")
    said: list[int] = []
    count = write_arrays(tmp_path / "a.hdf5", SavedRows.of(store.state_dict()), {"task": kind}, said.append)
    loaded = load_dataset(tmp_path / "a.hdf5", spec_of(kind))
    assert_same(store, loaded)
    assert count == loaded.num_episodes and said[-1] == len(store) == CAPACITY_STEPS * num_envs
    assert [path.name for path in tmp_path.iterdir()] == ["a.hdf5"]


@pytest.mark.parametrize("num_envs", [1, 3])
@pytest.mark.parametrize("kind", KINDS)
def test_rows_come_back_from_a_minari_folder_bit_for_bit(tmp_path, kind, num_envs):
    store = filled_store(spec_of(kind), num_envs, with_costs=kind == "goals")
    asked = description(action_space=CHOICES) if kind == "choices" else description()
    write_minari(tmp_path / "test-v0", SavedRows.of(store.state_dict()), asked, lambda count: None)
    assert_same(store, load_dataset(tmp_path / "test-v0", spec_of(kind)))
    if kind == "choices":
        with h5py.File(tmp_path / "test-v0" / "data" / "main_data.hdf5", "r") as file:
            assert set(file["episode_0/actions"][:].tolist()) <= {5, 6, 7}  # as the environment takes them


@pytest.mark.parametrize("block_bytes", [1, 500, 5000])
def test_blocks_and_batches_of_any_size_give_the_same_file(tmp_path, block_bytes, monkeypatch):
    store = filled_store(spec_of("goals"), 3)
    write_arrays(tmp_path / "whole.hdf5", SavedRows.of(store.state_dict()), {}, lambda count: None)
    monkeypatch.setattr(saved_rows, "BLOCK_BYTES", block_bytes)
    monkeypatch.setattr(arrays_writer, "BATCH_ROWS", 7)
    write_arrays(tmp_path / "pieces.hdf5", SavedRows.of(store.state_dict()), {}, lambda count: None)
    with h5py.File(tmp_path / "whole.hdf5", "r") as one, h5py.File(tmp_path / "pieces.hdf5", "r") as other:
        assert all(np.array_equal(one[key][:], other[key][:]) for key in one) and set(one) == set(other)


def test_the_first_and_the_last_rows_are_those_of_the_store(tmp_path):
    store = filled_store(spec_of("goals"), 1)
    rows = SavedRows.of(store.state_dict())
    for part, index in ((rows.oldest(7), store.indices()[:7]), (rows.newest(7), store.indices()[-7:])):
        write_arrays(tmp_path / "a.hdf5", part, {}, lambda count: None)
        loaded = load_dataset(tmp_path / "a.hdf5", spec_of("goals"))
        assert torch.equal(loaded.at("observation", loaded.indices()), store.at("observation", index))
    several = SavedRows.of(filled_store(spec_of("goals"), 3).state_dict())
    assert len(several.newest(7)) == 9 and len(several.oldest(700)) == len(several)  # whole steps of all three


def test_an_episode_that_was_cut_ends_where_it_was_cut(tmp_path):
    store = filled_store(spec_of("goals"), 1)
    held = len(in_order_of_ends(store)[-1])
    store.cut()
    rest = {name: store.at(name, store.indices()[-4:]) for name in store.column_names}
    rest |= dict.fromkeys(("terminated", "ended"), torch.zeros(4, dtype=torch.bool))
    store.extend(rest, rest["ended"])
    write_arrays(tmp_path / "a.hdf5", SavedRows.of(store.state_dict()), {}, lambda count: None)
    loaded = load_dataset(tmp_path / "a.hdf5", spec_of("goals"))
    assert [len(episode) for episode in in_order_of_ends(loaded)][-2:] == [held, 4]


def test_a_failed_export_leaves_what_was_there_and_nothing_else(tmp_path):
    rows = SavedRows.of(filled_store(spec_of("goals"), 1).state_dict())

    def stop(count: int) -> None:
        raise KeyboardInterrupt

    write_arrays(tmp_path / "a.hdf5", rows, {}, lambda count: None)
    write_minari(tmp_path / "a-v0", rows, description(), lambda count: None)
    before = (tmp_path / "a.hdf5").read_bytes()
    with pytest.raises(KeyboardInterrupt):
        write_arrays(tmp_path / "a.hdf5", rows, {}, stop)
    with pytest.raises(KeyboardInterrupt):
        write_minari(tmp_path / "a-v0", rows, description(), stop)
    assert (tmp_path / "a.hdf5").read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a-v0", "a.hdf5"]
    assert len(load_dataset(tmp_path / "a-v0", spec_of("goals"))) == len(rows)


def test_actions_of_a_minari_folder_are_in_the_bounds_of_its_space(tmp_path):
    store, space = filled_store(spec_of("no goals"), 1), box((3,), "float32")
    space |= {"low": [-2.0, 0.0, 10.0], "high": [2.0, 0.5, 30.0]}
    asked = description(action_space=space)
    write_minari(tmp_path / "a-v0", SavedRows.of(store.state_dict()), asked, lambda count: None)
    with h5py.File(tmp_path / "a-v0" / "data" / "main_data.hdf5", "r") as file:
        stored = file["episode_0/actions"][:]
    unit = store.at("action", store.indices())[: len(stored)]
    assert np.allclose(stored, [0, 0.25, 20] + unit.numpy() * [2, 0.25, 10], atol=1e-5)
    loaded = load_dataset(tmp_path / "a-v0", spec_of("no goals"))
    assert torch.allclose(loaded.at("action", loaded.indices()), store.at("action", store.indices()), atol=1e-6)


def test_what_a_task_needs_to_know_and_a_file_does_not_tell_is_named(tmp_path):
    arrays = {"observations": np.zeros((6, 4)), "actions": np.zeros((6, 3)), "timeouts": np.arange(6) % 3 == 2}
    np.savez(tmp_path / "a.npz", **arrays)
    with pytest.raises(DatasetError, match="'next_achieved_goals' is missing; observations of goals do not tell it"):
        load_dataset(tmp_path / "a.npz", spec_of("goals"))
    with pytest.raises(DatasetError, match="'rewards' is missing; no goals has no goals that they follow from"):
        load_dataset(tmp_path / "a.npz", spec_of("no goals"))
    np.savez(tmp_path / "a.npz", **arrays, rewards=np.zeros(6), desired_goals=np.zeros((6, 2)))
    with pytest.raises(DatasetError, match="'desired_goals' is there, but no goals has no goals"):
        load_dataset(tmp_path / "a.npz", spec_of("no goals"))
