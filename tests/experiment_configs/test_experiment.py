"""What a variant may not say, each in one line that names the place and the nearest right answer."""

import copy
from pathlib import Path

import pytest

from experiment_configs import ExperimentConfig
from experiment_configs.datasets import open_dataset
from experiment_configs.experiment import DatasetConfig, TaskConfig
from lifelong_rl.config import ConfigError, from_dict, to_dict
from lifelong_rl.config_paths import set_path
from lifelong_rl.envs.registry import make_task
from lifelong_rl.seeding import Seeds
from tests.experiment_configs.tiny_variant import tiny_variant

UNKNOWN = [
    ("agent.discout", 0.9, "variant.agent: unknown key 'discout'."),
    ("agent.name", "qlr", "variant.agent: unknown name 'qlr'. Did you mean 'qrl'?"),
    ("agent.critic", {"push_ofset": 1.0}, "agent.critic: unknown key 'push_ofset'. Did you mean 'push_offset'?"),
    ("agent.goals", {"name": "nodes"}, "variant.agent.goals: unknown name 'nodes'. Did you mean 'node'? Valid: node,"),
    ("agent.acting", {"name": "mpii"}, "variant.agent.acting: unknown name 'mpii'. Did you mean 'mppi'?"),
    ("agent.network.energy.name", "iqr", "variant.agent.network.energy: unknown name 'iqr'. Did you mean 'iqe'?"),
    ("task.name", "maze2d-umase-v1", "unknown task 'maze2d-umase-v1'. Did you mean 'maze2d-umaze-v1'?"),
    ("phases.0.num_epoch", 3, "variant.phases[0]: unknown key 'num_epoch'. Did you mean 'num_epochs'?"),
    ("sampler.hindsight", {"futur": 1.0}, "variant.sampler.hindsight: unknown key 'futur'. Did you mean 'future'?"),
    ("evaluation.goals", ["singel"], "variant.evaluation.goals[0]: unknown value 'singel'. Did you mean 'single'?"),
    ("seeds", 3, "variant: unknown key 'seeds'. Did you mean 'seed'?"),
]
MISTAKEN = [
    ("phases.0.num_epochs", "3", "variant.phases[0].num_epochs must be int, got '3'."),
    ("phases.1.offline_fraction", 2, "variant.phases[1]: offline_fraction must lie in [0, 1], got 2.0."),
    ("phases.1.name", "offline", "variant: phases must have names of their own, got offline, offline."),
    ("phases", [], "variant: phases must name at least one phase."),
    ("dataset", None, "variant: phases[0] (offline) draws from a dataset, but 'dataset' is not given."),
    ("sampler.batch_size", 0, "variant.sampler: batch_size 0 and n_step 1 must be at least 1."),
    ("sampler.hindsight", {"future": -1.0}, "variant.sampler.hindsight: HindsightConfig: weights must be at least 0"),
    ("evaluation.num_episodes", 0, "variant.evaluation: num_episodes must be at least 1, got 0."),
    ("num_envs", 0, "variant: num_envs must be at least 1 and at most replay_capacity 1000, got 0."),
    ("replay_capacity", 3, "variant: num_envs must be at least 1 and at most replay_capacity 3, got 4."),
    ("agent.num_critics", 0, "variant.agent: num_critics must be at least 1, got 0."),
    ("agent.critic", {"learning_rate": -1.0}, "variant.agent.critic: learning_rate must be positive, got -1.0."),
    ("agent.critic", {"passed_push_fraction": 2}, "agent.critic: passed_push_fraction must lie in [0, 1], got 2.0."),
    (
        "agent.actor",
        {"learning_rate": 0.0},
        "variant.agent.actor: learning rates must be positive, got 0.0 and 0.0003.",
    ),
    ("agent.actor", {"hidden_sizes": [16, 0]}, "agent.actor: hidden_sizes must be at least 1 each, got [16, 0]."),
    ("agent.network.latent_size", 0, "variant.agent.network: all sizes must be at least 1"),
    ("sampler.discount", 7, "variant.sampler: discount must lie in [0, 1], got 7.0."),
    ("sampler.waypoint_steps", -1, "variant.sampler: waypoint_steps must not be negative, got -1."),
    ("agent", {"name": "hiql"}, "variant: agent 'hiql' learns from waypoints, but sampler.waypoint_steps is 0."),
    ("num_threads", 0, "variant: num_threads must be at least 1, got 0."),
    ("phases.0.offline_fraction", 0.5, "phases[0] (offline) draws from the replay store, but no env steps were taken"),
    ("device", "gpu", "variant: device must be 'cpu', 'cuda' or 'cuda:N', got 'gpu'."),
    ("device", "cuda:a", "variant: device must be 'cpu', 'cuda' or 'cuda:N', got 'cuda:a'."),
    (
        "agent.network.energy",
        {"name": "iqe", "components": 7},
        "variant.agent.network: energy does not fit projector_size 16: iqe.components must divide the input size 16,"
        " got 7. Nearest: 8",
    ),
]


@pytest.mark.parametrize(("path", "value", "complaint"), UNKNOWN + MISTAKEN)
def test_one_line_says_where_and_what(path, value, complaint):
    variant = copy.deepcopy(tiny_variant(Path()))
    set_path(variant, path, value)
    with pytest.raises(ConfigError) as caught:
        from_dict(ExperimentConfig, variant)
    assert complaint in str(caught.value) and "\n" not in str(caught.value)


def test_the_resolved_variant_holds_every_default_and_reads_back_the_same():
    config = from_dict(ExperimentConfig, tiny_variant(Path()))
    variant = to_dict(config)
    assert variant["agent"]["name"] == "qrl" and variant["agent"]["critic"]["slack"] == 0.25
    assert variant["sampler"]["hindsight"]["future_discount"] == 0.99 and variant["phases"][0]["rounds_per_epoch"] == 1
    assert from_dict(ExperimentConfig, variant) == config


def test_a_dataset_that_is_absent_where_nobody_can_generate_it_is_named(tmp_path):
    task = TaskConfig(name="maze2d-umaze-v1")
    spec = make_task(task.name, num_envs=1, generator=Seeds(0).numpy("task")).spec
    object.__setattr__(task, "name", "antmaze-umaze-v2")  # as a task of a later day would be
    with pytest.raises(ConfigError) as caught:
        open_dataset(DatasetConfig(path=str(tmp_path / "ant.hdf5")), task, spec, "cpu")
    line = f"variant.dataset.path: {tmp_path / 'ant.hdf5'} does not exist, and antmaze-umaze-v2 has no generator."
    assert str(caught.value) == line
    assert not list(tmp_path.iterdir())


def test_a_dataset_that_cannot_be_written_is_named(tmp_path):
    task = TaskConfig(name="maze2d-umaze-v1")
    spec = make_task(task.name, num_envs=1, generator=Seeds(0).numpy("task")).spec
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match=r"^variant\.dataset\.path: .*/file/umaze\.hdf5 cannot be written: "):
        open_dataset(DatasetConfig(path=str(tmp_path / "file/umaze.hdf5")), task, spec, "cpu")


def test_a_dataset_is_generated_once_and_then_read_as_it_is(tmp_path, capsys):
    task = TaskConfig(name="maze2d-umaze-v1")
    config = DatasetConfig(path=str(tmp_path / "a/umaze.hdf5"), num_transitions=300)
    spec = make_task(task.name, num_envs=1, generator=Seeds(0).numpy("task")).spec
    first = open_dataset(config, task, spec, "cpu")
    assert "generating" in capsys.readouterr().out and 250 < len(first) <= 300
    written = Path(config.path).stat().st_mtime_ns
    second = open_dataset(config, task, spec, "cpu")
    assert Path(config.path).stat().st_mtime_ns == written and capsys.readouterr().out == ""
    assert len(second) == len(first)
