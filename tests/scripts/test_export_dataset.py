"""What one run collected, another one learns from: exported by the script, offline to online, with any agent."""

import json
import shutil
from pathlib import Path
from typing import Any

import h5py
import pytest
import torch

from experiment_configs import ExperimentConfig, build
from experiment_configs.run import Run
from lifelong_rl.config import ConfigError, from_dict
from lifelong_rl.data.datasets.load import load_dataset
from lifelong_rl.data.episodes import EpisodeStore
from lifelong_rl.envs.gymnasium_task import GymnasiumTask
from lifelong_rl.recording.snapshot import load_snapshot
from scripts.export_dataset import main
from tests.envs.gymnasium_fixtures import FIXTURES, make
from tests.experiment_configs.tiny_variant import NETWORK
from tests.scripts.tiny_snapshots import refusal

TASK = {"name": f"{FIXTURES}Slide-v0"}
DDPG = {"name": "ddpg", "network": {"name": "monolithic", "hidden_sizes": [16]}, "actor": {"hidden_sizes": [16]}}
QRL = {"name": "qrl", "network": NETWORK, "actor": {"hidden_sizes": [16]}}
HER = {"batch_size": 16, "mix": "rfaab_1_4_3_1_1"}  # draws goals of every kind
ONLINE = {"name": "online", "num_epochs": 2, "random_env_steps": 40, "env_steps_per_round": 20, "updates_per_round": 3}
OFFLINE = {"name": "offline", "num_epochs": 1, "updates_per_round": 3}
STEPS = 80


def build_tiny(run_dir: Path, **variant: Any) -> Run:
    run_dir.mkdir(parents=True)
    tiny = {"task": TASK, "num_envs": 2, "evaluation": {"num_episodes": 2, "goals": ["multi"]}, "sampler": HER}
    return build(from_dict(ExperimentConfig, tiny | variant), run_dir)


def slide() -> GymnasiumTask:
    return make(f"{FIXTURES}Slide-v0", num_envs=1)


@pytest.fixture(scope="module")
def run_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of DDPG with hindsight: 80 steps of two environments whose episodes last 12."""
    path = tmp_path_factory.mktemp("data") / "her-slide" / "cafe0123-s0"
    build_tiny(path, agent=DDPG, phases=[ONLINE]).train()
    return path


@pytest.fixture(scope="module")
def exported(run_dir: Path) -> dict[str, Path]:
    paths = {"hdf5": run_dir.parent / "slide.hdf5", "minari": run_dir.parent / "slide-v0"}
    for form, path in paths.items():
        assert main([str(run_dir), "--format", form, "--output", str(path)]) == 0
    return paths


@pytest.mark.parametrize("form", ["hdf5", "minari"])
def test_the_dataset_holds_what_the_snapshot_holds(run_dir, exported, form):
    store = EpisodeStore(10_000, 2)
    store.load_state_dict(load_snapshot(run_dir / "itr_2").parts["replay"])
    loaded = load_dataset(exported[form], slide().spec)
    episodes = [store.episode_of(first).tolist() for first in store.first_indices().tolist()]
    episodes.sort(key=lambda indices: indices[-1])
    index = torch.tensor(sum(episodes, []))
    assert len(loaded) == len(store) == STEPS
    for name in set(store.column_names) - {"ended"}:
        theirs = loaded.at(name, loaded.indices())
        tolerance = 1e-6 if (form, name) == ("minari", "action") else 0.0  # stretched to the bounds of the action space
        assert torch.allclose(theirs.double(), store.at(name, index).double(), rtol=0, atol=tolerance), name


@pytest.mark.parametrize("form", ["hdf5", "minari"])
def test_qrl_learns_offline_then_online_from_what_ddpg_collected(exported, form, tmp_path):
    online = ONLINE | {"offline_fraction": 0.5, "random_env_steps": 0}
    dataset, phases = {"path": str(exported[form])}, [OFFLINE, online]
    run = build_tiny(tmp_path / form, agent=QRL, dataset=dataset, phases=phases, sampler={"batch_size": 16})
    run.train()
    rows = [json.loads(line) for line in (tmp_path / form / "metrics.jsonl").read_text().splitlines()]
    assert len(rows) == 3 and run.dataset is not None
    resumed = build(run.config, tmp_path / form)  # by the same data
    assert resumed.going_on_from is not None


def test_goals_of_every_kind_are_drawn_from_the_dataset(exported, tmp_path):
    build_tiny(tmp_path / "run", agent=DDPG, dataset={"path": str(exported["hdf5"])}, phases=[OFFLINE]).train()
    silent = tmp_path / "silent.hdf5"
    shutil.copyfile(exported["hdf5"], silent)
    with h5py.File(silent, "a") as file:
        for key in ("goals", "desired_goals"):
            del file[key]
    with pytest.raises(ConfigError, match="does not tell which goals were followed, but sampler draws from behaviour"):
        build_tiny(tmp_path / "other", agent=DDPG, dataset={"path": str(silent)}, phases=[OFFLINE])


def test_the_name_says_experiment_and_run_unless_another_is_given(run_dir, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main([str(run_dir)]) == 0 and main([str(run_dir / "itr_1"), "--format", "minari"]) == 0
    made = {path.name for path in (tmp_path / "agent_data").iterdir()}
    assert made == {"her-slide-cafe0123-s0.hdf5", "her-slide-cafe0123-s0-v0"}
    printed = capsys.readouterr().out
    assert "agent_data/her-slide-cafe0123-s0.hdf5: 80 transitions in 8 episodes\n" in printed
    assert "agent_data/her-slide-cafe0123-s0-v0: 60 transitions in 6 episodes\n" in printed


def test_only_the_last_rows_are_written_when_asked(run_dir, tmp_path):
    path = tmp_path / "last.h5"
    assert main([str(run_dir), "--last", "20", "--output", str(path)]) == 0
    with h5py.File(path, "r") as file:
        assert len(file["observations"]) == 20
        assert dict(file.attrs) == {
            "task": TASK["name"], "agent": "ddpg", "run": "her-slide-cafe0123-s0", "snapshot": "itr_2",
        }  # fmt: skip


def test_what_is_there_is_replaced_only_when_asked(run_dir, tmp_path, capsys):
    for words in (["--output", tmp_path / "data.hdf5"], ["--format", "minari", "--output", tmp_path / "data-v0"]):
        words[-1].write_text("precious")
        assert "exists already; --overwrite replaces it." in refusal(main, capsys, run_dir, *words)
        assert words[-1].read_text() == "precious"
        assert main([str(run_dir), *map(str, words), "--overwrite"]) == 0
        assert main([str(run_dir), *map(str, words), "--overwrite"]) == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data-v0", "data.hdf5"]


def test_a_run_that_collected_nothing_and_other_mistakes_are_refused_in_one_line(run_dir, exported, tmp_path, capsys):
    dataset = {"path": str(exported["hdf5"])}
    build_tiny(tmp_path / "offline", agent=QRL, dataset=dataset, phases=[OFFLINE], sampler={"batch_size": 16}).train()
    assert "the run has collected nothing by then. It learned from" in refusal(main, capsys, tmp_path / "offline")
    assert "neither a snapshot nor a run" in refusal(main, capsys, tmp_path)
    assert "no such snapshot" in refusal(main, capsys, tmp_path / "absent")
    assert "ends in .hdf5 or .h5" in refusal(main, capsys, run_dir, "--output", tmp_path / "x.npz")
    assert "no name of a Minari" in refusal(main, capsys, run_dir, "--format", "minari", "--output", tmp_path / "x")
    assert "--last: expected a whole number from 1 up" in refusal(main, capsys, run_dir, "--last", "0")
    assert [path.name for path in tmp_path.iterdir()] == ["offline"]


def test_minari_opens_what_was_exported_and_makes_the_environment_again(exported):
    minari = pytest.importorskip("minari")  # of the extra 'test'
    dataset = minari.MinariDataset(exported["minari"] / "data")
    episodes = list(dataset)
    assert (dataset.total_steps, dataset.total_episodes, len(episodes)) == (STEPS, 8, 8)
    assert sum(len(episode.rewards) for episode in episodes) == STEPS
    for episode in episodes:
        assert all(len(values) == len(episode.rewards) + 1 for values in episode.observations.values())
        assert all(map(dataset.action_space.contains, episode.actions))
        assert episode.truncations.tolist() == [False] * (len(episode.rewards) - 1) + [True]
        assert (episode.observations["achieved_goal"] == episode.observations["observation"][:, :2]).all()
