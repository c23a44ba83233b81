"""Quasimetric RL whose states are pictures: it learns from them, acts on them, and says where they do not fit."""

import dataclasses
from typing import Any

import pytest
import torch

from experiment_configs.agents.qrl import QRLConfig, build_qrl
from lifelong_rl.agents.qrl import QRLAgent
from lifelong_rl.config import ConfigError, from_dict
from lifelong_rl.seeding import Seeds
from lifelong_rl.types import Batch, TaskSpec

SHAPE, ROWS = (40, 40, 3), 6
SPEC = TaskSpec(
    name="pictured", observation_shape=SHAPE, goal_shape=SHAPE, action_size=2, horizon=5, reward_fn=None,
    success_fn=None,
)  # fmt: skip
SMALL: dict[str, Any] = {
    "network": {
        "encoder_sizes": [16], "latent_size": 8, "projector_sizes": [16], "projector_size": 16, "dynamics_sizes": [16],
        "image_channels": [4, 4, 4], "energy": {"name": "iqe", "components": 4},
    },
    "actor": {"hidden_sizes": [16], "image_channels": [4, 4, 4]},
}  # fmt: skip


def build(spec: TaskSpec = SPEC, seed: int = 0, **changes: Any) -> QRLAgent:
    torch.manual_seed(seed)
    return build_qrl(from_dict(QRLConfig, SMALL | changes), spec, Seeds(seed), "cpu")


def make_batch() -> Batch:
    generator = torch.Generator().manual_seed(0)
    seen, after, ahead = torch.randint(256, (3, ROWS, *SHAPE), dtype=torch.uint8, generator=generator)
    ones = torch.ones(ROWS)
    return Batch(
        observation=seen, action=torch.rand(ROWS, 2, generator=generator), reward=ones, discount=ones,
        next_observation=after, next_achieved_goal=after, goal=ahead, goal_observation=ahead, steps_to_goal=ones,
        cost=ones, ended=ones.bool(),
    )  # fmt: skip


@pytest.mark.parametrize("minimise_to_future_goals", [False, True])
def test_an_update_moves_every_network_the_convolutions_among_them(minimise_to_future_goals):
    agent = build(actor=SMALL["actor"] | {"minimise_to_future_goals": minimise_to_future_goals})
    assert agent.actor is not None
    networks = {"critic": agent.critics[0].critic, "actor": agent.actor}
    before = {n: {k: v.clone() for k, v in network.state_dict().items()} for n, network in networks.items()}
    for _ in range(2):  # the first moves the actor's last layer alone, which begins at 0
        metrics = agent.update(make_batch())
    assert all(torch.isfinite(torch.as_tensor(value)) for value in metrics.values())
    convolutions = 0
    for name, network in networks.items():
        for key, value in network.state_dict().items():
            convolutions += value.ndim == 4
            if key.endswith("weight"):
                assert not torch.equal(value, before[name][key]), f"{name}.{key}"
    assert convolutions == 6


@pytest.mark.parametrize("acting", [None, {"name": "greedy"}, {"name": "mppi", "horizon": 2, "num_samples": 4}])
def test_it_acts_on_pictures_and_a_saved_one_acts_alike(acting):
    agent, again, batch = build(acting=acting), build(acting=acting, seed=1), make_batch()
    agent.update(batch)
    again.load_state_dict(agent.state_dict())
    again.generator.set_state(agent.generator.get_state())
    actions = [one.policy(explore=False)(batch.observation, batch.goal) for one in (agent, again)]
    assert actions[0].shape == (ROWS, 2) and torch.equal(*actions)


def test_the_distance_from_a_picture_to_itself_is_zero():
    batch = make_batch()
    assert build().steps_between(batch.observation, batch.observation).abs().max() < 1e-4
    assert build().steps_between(batch.observation, batch.goal).min() > 1e-3


@pytest.mark.parametrize(
    ("changes", "config", "line"),
    [
        ({}, {"goals": {"name": "node"}}, "goals: pictured shows pictures, which are states. Use goals='state'"),
        ({"goal_shape": (2,)}, {}, r"goals: .* goals of shape \[2\], observations \[40, 40, 3\]: no goal is a state"),
        (
            {"observation_shape": (8, 8, 3), "goal_shape": (8, 8, 3)}, {},
            r"observations of shape \[8, 8, 3\]; expected one axis, \[O\], or pictures \[H, W, C\] of at least 36 x 36",
        ),
        ({"observation_shape": (4, 4), "goal_shape": (4, 4)}, {}, r"shows observations of shape \[4, 4\]; expected"),
    ],
)  # fmt: skip
def test_what_does_not_fit_pictures_is_said_in_one_line(changes, config, line):
    with pytest.raises(ConfigError, match=f"^variant.agent.*{line}"):
        build(dataclasses.replace(SPEC, **changes), **config)
