"""The presets `paper` and `paper-...` are the metric residual study's settings, value by value; so are its critics."""

from typing import Any

import pytest

from experiment_configs import ExperimentConfig
from lifelong_rl.config import from_dict, to_dict
from lifelong_rl.config_paths import path_keys
from lifelong_rl.envs.robotics import STUDY
from lifelong_rl.networks.q_networks import build_q_network
from run_scripts import mrn_gcrl

# Liu et al. 2023 and its released code; one process of it.
PAPER = {
    "agent.name": "ddpg",
    "agent.num_critics": 1,
    "agent.network.name": "mrn",
    "agent.network.encoder_sizes": [176],
    "agent.network.embedding_size": 176,
    "agent.network.energy": {
        "name": "mrn", "hidden_sizes": [176], "part_size": 16, "has_metric": True, "residual": "max",
    },
    "agent.critic.learning_rate": 1e-3,
    "agent.critic.loss_scale": 20.0,
    "agent.critic.target_range": [-50.0, 0.0],
    "agent.critic.max_gradient_norm": None,
    "agent.actor.hidden_sizes": [256, 256, 256],
    "agent.actor.learning_rate": 1e-3,
    "agent.actor.loss_scale": 20.0,
    "agent.actor.action_l2": 1.0,
    "agent.target.rate": 0.1,
    "agent.target.interval": 40,
    "agent.policy_delay": 1,
    "agent.normalizer.least_std": 0.01,
    "agent.normalizer.clip": 5.0,
    "agent.normalizer.input_clip": 200.0,
    "sampler.batch_size": 1024,
    "sampler.discount": 0.98,
    "sampler.n_step": 1,
    "sampler.mix": "future_4",
    "phases.0.exploration_noise": 0.2,
    "phases.0.random_action_fraction": 0.3,
    "phases.0.random_env_steps": 0,
    "phases.0.rounds_per_epoch": 50,
    "phases.0.updates_per_round": 40,
    "evaluation.num_episodes": 100,
    "evaluation.goals": ["multi"],
}  # fmt: skip
HAND = "HandManipulate"
EPOCHS = {
    "FetchReach-v1": 25, "FetchPush-v1": 50, "FetchSlide-v1": 50, "FetchPickAndPlace-v1": 50,
    f"{HAND}BlockRotateZ-v0": 50, f"{HAND}BlockRotateParallel-v0": 100, f"{HAND}BlockRotateXYZ-v0": 100,
    f"{HAND}BlockFull-v0": 100, f"{HAND}EggRotate-v0": 50, f"{HAND}EggFull-v0": 100, f"{HAND}PenRotate-v0": 50,
    f"{HAND}PenFull-v0": 100,
}  # fmt: skip


def resolved(preset: str) -> dict[str, Any]:
    return to_dict(from_dict(ExperimentConfig, mrn_gcrl.presets[preset]))


@pytest.mark.parametrize("path", PAPER)
def test_a_value_is_that_of_the_study_on_every_environment(path: str):
    for preset in mrn_gcrl.presets:
        found: Any = resolved(preset)
        for key in path_keys(path):
            found = found[int(key)] if isinstance(found, list) else found[key]
        assert found == PAPER[path], preset


def test_there_is_a_preset_for_each_of_the_twelve_environments_and_paper_is_reach():
    assert set(mrn_gcrl.presets) == {"paper", *(f"paper-{today}" for today in STUDY.values())}
    assert resolved("paper") == resolved("paper-FetchReach-v4")


@pytest.mark.parametrize("old", EPOCHS)
def test_cycles_are_twenty_episodes_and_epochs_as_many_as_in_the_study(old: str):
    config = from_dict(ExperimentConfig, mrn_gcrl.presets[f"paper-{STUDY[old]}"])
    (phase,) = config.phases
    horizon = 100 if "Hand" in old else 50
    assert config.task.name == STUDY[old]
    assert (phase.num_epochs, phase.env_steps_per_round) == (EPOCHS[old], 20 * horizon)


@pytest.mark.parametrize("critic", mrn_gcrl.CRITICS, ids=lambda critic: critic["name"])
def test_every_critic_of_the_sweep_has_140_thousand_weights_for_fetch_push(critic: dict[str, Any]):
    variant = mrn_gcrl.variant | {"agent": mrn_gcrl.variant["agent"] | {"network": critic}}
    network = build_q_network(from_dict(ExperimentConfig, variant).agent.network, 1, 25, 4, 3)
    assert sum(weight.numel() for weight in network.parameters()) == pytest.approx(140_000, rel=0.01)
