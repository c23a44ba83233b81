"""Quasimetric RL on a ring that goes one way: distances, goals as nodes, discrete actions without an actor."""

import dataclasses

import pytest
import torch

from experiment_configs.agents.qrl import QRLConfig, build_qrl
from lifelong_rl.agents.qrl import QRLAgent
from lifelong_rl.config import ConfigError, from_dict
from lifelong_rl.seeding import Seeds
from lifelong_rl.types import Batch, TaskSpec

NUM_STATES, NUM_GOALS = 12, 6  # states 2g and 2g + 1 achieve goal g

SMALL = {
    "network": {
        "encoder_sizes": [64], "latent_size": 32, "projector_sizes": [64], "projector_size": 64, "dynamics_sizes": [64],
        "num_frequencies": 0,
        "energy": {"name": "iqe", "components": 8},
    },
    "critic": {
        "learning_rate": 2e-3, "initial_multiplier": 10.0, "multiplier_learning_rate": 0.1, "push_offset": 50.0,
        "push_sharpness": 0.1, "slack": 0.1,
    },
}  # fmt: skip


def ring_spec(*, discrete: bool) -> TaskSpec:
    return TaskSpec(
        name="ring", observation_shape=(NUM_STATES,), goal_shape=(NUM_GOALS,), action_size=2, discrete=discrete,
        horizon=20,
        reward_fn=lambda a, g: (a == g).all(-1).float(), success_fn=lambda a, g: (a == g).all(-1),
        goal_of=lambda o: o.unflatten(-1, (NUM_GOALS, 2)).sum(-1),
    )  # fmt: skip


def ring_batch(generator: torch.Generator, size: int = 128) -> Batch:
    """Action 1 goes on by one state, action 0 stays."""
    state = torch.randint(NUM_STATES, (size,), generator=generator)
    action = torch.randint(2, (size,), generator=generator)
    after = (state + action) % NUM_STATES
    one_hot = torch.eye(NUM_STATES)
    goal_of = ring_spec(discrete=True).goal_of
    assert goal_of is not None
    zeros = torch.zeros(size)
    return Batch(
        observation=one_hot[state], action=action, reward=zeros, discount=zeros, next_observation=one_hot[after],
        next_achieved_goal=goal_of(one_hot[after]), goal=goal_of(one_hot[after]), goal_observation=one_hot[after],
        steps_to_goal=zeros + 1, cost=zeros + 1, ended=zeros.bool(),
    )  # fmt: skip


@pytest.fixture(scope="module")
def trained() -> QRLAgent:
    torch.manual_seed(0)
    config = from_dict(QRLConfig, {**SMALL, "actor": None})
    agent = build_qrl(config, ring_spec(discrete=True), Seeds(0), "cpu")
    generator = torch.Generator().manual_seed(1)
    for _ in range(1200):
        agent.update(ring_batch(generator))
    return agent


def test_distances_to_nodes_are_those_to_the_nearest_state_of_the_goal_plus_one(trained):
    state, goal = torch.meshgrid(torch.arange(NUM_STATES), torch.arange(NUM_GOALS), indexing="ij")
    true = torch.minimum((2 * goal - state) % NUM_STATES, (2 * goal + 1 - state) % NUM_STATES).float() + 1
    learned = trained.steps_between(torch.eye(NUM_STATES)[state.flatten()], torch.eye(NUM_GOALS)[goal.flatten()])
    assert (learned.reshape(true.shape) - true).abs().mean() < 1.0
    assert torch.corrcoef(torch.stack([learned, true.flatten()]))[0, 1] > 0.9


def test_without_an_actor_the_critic_acts_greedily_over_the_choices(trained):
    policy = trained.policy(explore=False)
    state = torch.arange(NUM_STATES)
    far_goal = torch.eye(NUM_GOALS)[(state // 2 + 3) % NUM_GOALS]
    assert policy(torch.eye(NUM_STATES), far_goal).tolist() == [1] * NUM_STATES


def continuous_batch(size: int = 32) -> Batch:
    generator = torch.Generator().manual_seed(3)
    batch = ring_batch(generator, size)
    action = torch.rand(size, 2, generator=generator) * 2 - 1
    return Batch(**{**vars(batch), "action": action})


@pytest.mark.parametrize("goals", ["node", "state"])
@pytest.mark.parametrize("num_critics", [1, 2])
def test_an_update_moves_every_network_and_reports_finite_numbers(goals, num_critics):
    actor = {"hidden_sizes": [32], "adaptive_entropy": True, "minimise_to_future_goals": True}
    critic = {**SMALL["critic"], "passed_push_fraction": 0.5}
    settings = {"num_critics": num_critics, "actor": actor, "critic": critic, "goals": {"name": goals}}
    config = from_dict(QRLConfig, {**SMALL, **settings})
    torch.manual_seed(0)
    agent = build_qrl(config, ring_spec(discrete=False), Seeds(0), "cpu")
    modules = [agent.actor, *(learner.critic for learner in agent.critics)]
    before = [[p.clone() for p in module.parameters()] for module in modules]
    for _ in range(2):  # the zero-initialised last layers keep gradients from the layers before them at first
        metrics = agent.update(continuous_batch())
    assert all(torch.isfinite(torch.as_tensor(value)) for value in metrics.values())
    for module, old in zip(modules, before, strict=True):
        assert all((p != q).any() for p, q in zip(module.parameters(), old, strict=True))


@pytest.mark.parametrize("acting", ["actor", "greedy", "mppi"])
def test_every_way_of_acting_keeps_to_the_action_range(acting):
    config = from_dict(QRLConfig, {**SMALL, "actor": {"hidden_sizes": [32]}, "acting": {"name": acting}})
    torch.manual_seed(0)
    agent = build_qrl(config, ring_spec(discrete=False), Seeds(0), "cpu")
    policy = agent.policy(explore=False)
    policy.reset(torch.ones(NUM_STATES, dtype=torch.bool))
    for _ in range(2):
        action = policy(torch.eye(NUM_STATES), torch.eye(NUM_GOALS)[torch.arange(NUM_STATES) // 2])
        assert action.shape == (NUM_STATES, 2) and action.abs().max() <= 1


def test_equal_seeds_give_equal_weights_and_a_loaded_agent_goes_on_alike():
    config = from_dict(QRLConfig, {**SMALL, "actor": {"hidden_sizes": [32]}})
    agents = []
    for _ in range(2):
        torch.manual_seed(0)
        agents.append(build_qrl(config, ring_spec(discrete=False), Seeds(0), "cpu"))
    first, second = agents
    first.update(continuous_batch())
    second.load_state_dict(first.state_dict())
    second.generator.set_state(first.generator.get_state())
    metrics = [agent.update(continuous_batch()) for agent in agents]
    assert {k: float(v) for k, v in metrics[0].items()} == {k: float(v) for k, v in metrics[1].items()}


def test_discrete_actions_with_an_actor_are_refused():
    with pytest.raises(ConfigError, match="has discrete actions; QRL acts there with actor=None"):
        build_qrl(from_dict(QRLConfig, SMALL), ring_spec(discrete=True), Seeds(0), "cpu")


def test_a_step_that_costs_more_is_learned_as_longer():
    """Goals are states; leaving an odd state costs 3, leaving an even one 1."""
    spec = dataclasses.replace(ring_spec(discrete=True), goal_shape=(NUM_STATES,), goal_of=None)
    torch.manual_seed(0)
    agent = build_qrl(from_dict(QRLConfig, {**SMALL, "actor": None}), spec, Seeds(0), "cpu")
    generator = torch.Generator().manual_seed(1)
    for _ in range(300):
        batch = ring_batch(generator)
        odd = batch.observation.argmax(-1) % 2
        agent.update(dataclasses.replace(batch, cost=1.0 + 2.0 * odd))
    state = torch.eye(NUM_STATES)
    learned = agent.steps_between(state, state.roll(-1, 0))
    assert learned[0::2].mean().item() == pytest.approx(1, abs=0.7)
    assert learned[1::2].mean().item() == pytest.approx(3, abs=0.9)
    assert learned[1::2].min() > 1.5 * learned[0::2].max()
