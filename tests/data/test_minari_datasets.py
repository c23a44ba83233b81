"""Minari folders that others wrote are read, and what is wrong with one is said in one line."""

import json
from pathlib import Path

import h5py
import numpy as np
import pytest
import torch

from lifelong_rl.data.datasets.errors import DatasetError
from lifelong_rl.data.datasets.load import load_dataset
from lifelong_rl.data.datasets.spaces import box
from tests.data.stores_of_tasks import spec_of


def minari_folder(folder: Path, *, steps: int = 4, **changes) -> Path:
    """Two episodes in the layout of D4RL's mazes, as anyone may have written them; `changes` replace members."""
    (folder / "data").mkdir(parents=True)
    here = np.arange(steps + 1, dtype=np.float64)
    members = {
        "observations/observation": np.stack([here] * 4, 1), "observations/desired_goal": np.full((steps + 1, 2), 9.0),
        "observations/achieved_goal": np.stack([here] * 2, 1) + 0.5, "actions": np.zeros((steps, 3)),
        "rewards": here[:-1], "terminations": np.zeros(steps, bool), "truncations": here[:-1] == steps - 1,
        "infos/success": np.zeros(steps + 1, bool),
    }  # fmt: skip
    with h5py.File(folder / "data" / "main_data.hdf5", "w") as file:
        for episode in (0, 1):
            for name, values in (members | (changes if episode else {})).items():
                if values is not None:
                    file[f"episode_{episode}/{name}"] = values
    metadata = {"data_format": "hdf5", "action_space": json.dumps(box((3,), "float64", -1, 1))}
    (folder / "data" / "metadata.json").write_text(json.dumps(metadata))
    return folder


def test_a_folder_of_someone_else_tells_achieved_and_desired_goals(tmp_path):
    store = load_dataset(minari_folder(tmp_path / "maze"), spec_of("goals"))
    index = store.indices()
    assert store.at("observation", index)[:, 0].tolist() == [0, 1, 2, 3] * 2
    assert store.at("next_observation", index)[:, 0].tolist() == [1, 2, 3, 4] * 2
    assert store.at("next_achieved_goal", index)[:, 0].tolist() == [1.5, 2.5, 3.5, 4.5] * 2
    assert store.at("reward", index).tolist() == [0, 1, 2, 3] * 2
    assert store.at("ended", index).tolist() == [False, False, False, True] * 2
    assert torch.equal(store.at("goal", index), store.at("desired_goal", index))  # it tells no other


BAD = {
    "'episode_1/rewards' is missing; expected Minari's layout.": {"rewards": None},
    "'episode_1/actions' is missing; expected": {"actions": None},
    "'episode_1/rewards' has shape (3,); expected (4,).": {"rewards": np.zeros(3)},
    "'episode_1/observations/observation' has shape (4, 4); expected (5, 4).": {
        "observations/observation": np.zeros((4, 4))
    },
    "'episode_1/observations' holds achieved_goal, desired_goal, image, observation; expected": {
        "observations/image": np.zeros((5, 2))
    },
    "'actions' differs in shape or type between episodes": {"actions": np.zeros((4, 2))},
    "'observations' row 7 is [": {"observations/observation": np.array([0, 0, np.nan, 0, 0])[:, None] * np.ones(4)},
    "'episode_1/rewards' is or leads through an external link": {"rewards": h5py.ExternalLink("other.hdf5", "x")},
}


@pytest.mark.parametrize(("message", "changes"), list(BAD.items()))
def test_what_is_wrong_in_a_minari_folder_is_named_in_one_line(tmp_path, message, changes):
    with pytest.raises(DatasetError) as caught:
        load_dataset(minari_folder(tmp_path / "maze", **changes), spec_of("goals"))
    assert str(caught.value).startswith(f"{tmp_path / 'maze'}: {message}") and "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "cannot be read as Minari's metadata (JSONDecodeError"),
        ("[1]", "cannot be read as Minari's metadata (AttributeError"),
        ('{"data_format": "arrow"}', "the data are in the format 'arrow'; expected 'hdf5'."),
        ('{"action_space": "{\\"type\\": \\"Box\\"}"}', "cannot be read as Minari's metadata (KeyError"),
        ("[" * 100_000, "cannot be read as Minari's metadata (RecursionError"),
    ],
)
def test_metadata_that_cannot_be_used_are_named(tmp_path, text, message):
    folder = minari_folder(tmp_path / "maze")
    (folder / "data" / "metadata.json").write_text(text)
    with pytest.raises(DatasetError) as caught:
        load_dataset(folder, spec_of("goals"))
    assert str(caught.value).startswith(f"{folder / 'data' / 'metadata.json'}: {message}")


def test_the_file_within_a_minari_folder_leads_to_the_folder(tmp_path):
    folder = minari_folder(tmp_path / "maze")
    with pytest.raises(DatasetError, match="part of a Minari dataset; expected its folder"):
        load_dataset(folder / "data" / "main_data.hdf5", spec_of("goals"))
