"""The preset `paper` is the setting of the QRL paper's offline maze2d experiments, value by value."""

from typing import Any

import pytest
import torch

from experiment_configs import ExperimentConfig, build
from lifelong_rl.config import from_dict, to_dict
from lifelong_rl.config_paths import path_keys
from run_scripts import qrl_maze

# Wang et al. 2023 and the released offline configuration for maze2d; what the paper does not have is off.
PAPER = {
    "agent.name": "qrl",
    "agent.num_critics": 2,
    "agent.goals.name": "state",
    "agent.network.encoder_sizes": [1024, 1024, 1024],
    "agent.network.latent_size": 256,
    "agent.network.projector_sizes": [1024, 1024],
    "agent.network.projector_size": 2048,
    "agent.network.dynamics_sizes": [1024, 1024, 1024],
    "agent.network.energy": {"name": "iqe", "components": 64, "reduction": "maxmean"},
    "agent.network.layer_norm": False,
    "agent.network.num_frequencies": 0,
    "agent.critic.learning_rate": 5e-4,
    "agent.critic.decay": None,
    "agent.critic.multiplier_learning_rate": 1e-2,
    "agent.critic.initial_multiplier": 0.01,
    "agent.critic.slack": 0.25,
    "agent.critic.push_offset": 500.0,
    "agent.critic.push_sharpness": 0.01,
    "agent.critic.dynamics_weight": 1.0,
    "agent.critic.passed_push_fraction": 0.0,
    "agent.actor.hidden_sizes": [1024, 1024, 1024, 1024],
    "agent.actor.layer_norm": False,
    "agent.actor.learning_rate": 3e-5,
    "agent.actor.decay": None,
    "agent.actor.behaviour_cloning_weight": 0.05,
    "agent.actor.minimise_to_future_goals": False,
    "agent.actor.adaptive_entropy": False,
    "agent.acting": {"name": "actor", "mode": "likeliest"},
    "sampler.batch_size": 4096,
    "sampler.n_step": 1,
    "sampler.mean_action": False,
    "sampler.hindsight.future": 1.0,
    "sampler.hindsight.future_discount": 0.99,
    "dataset.num_transitions": 1_000_000,
    "dataset.noisy": False,
    "initialize_from": None,
}


def resolved() -> dict[str, Any]:
    return to_dict(from_dict(ExperimentConfig, qrl_maze.presets["paper"]))


@pytest.mark.parametrize("path", PAPER)
def test_a_value_is_that_of_the_paper(path):
    found: Any = resolved()
    for key in path_keys(path):
        found = found[key]
    assert found == PAPER[path]


def test_it_makes_two_hundred_thousand_updates_offline_and_no_other_step():
    (phase,) = from_dict(ExperimentConfig, qrl_maze.presets["paper"]).phases
    assert phase.is_offline and phase.dataset_share == 1 and phase.n_step is None
    assert phase.num_epochs * phase.rounds_per_epoch * phase.updates_per_round == 200_000


def test_its_networks_learn_from_a_real_batch(tmp_path):
    variant = resolved()
    variant["sampler"]["batch_size"] = 8
    variant["dataset"] |= {"path": str(tmp_path / "umaze.hdf5"), "num_transitions": 500}
    variant["evaluation"]["num_episodes"] = 1
    algorithm = build(from_dict(ExperimentConfig, variant), tmp_path).algorithm
    metrics = algorithm.agent.update(algorithm.phases[0].sampler.sample())
    assert {"critic_0/push_loss", "critic_1/step_excess", "actor_distance"} <= set(metrics)
    assert all(torch.isfinite(torch.as_tensor(value)) for value in metrics.values())
