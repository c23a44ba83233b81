"""DDPG, TD3 and SAC on numbers, and on a point that is to reach a place on a line."""

from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from experiment_configs.agents import AGENTS, BUILDERS
from lifelong_rl.agents.off_policy import OffPolicyAgent
from lifelong_rl.agents.sac import SACAgent
from lifelong_rl.config import ConfigError, from_dict, resolve
from lifelong_rl.seeding import Seeds
from lifelong_rl.types import Batch, TaskSpec
from tests.agents.line_task import SPEC

NAMES = ["ddpg", "td3", "sac"]
SMALL = {"network": {"name": "monolithic", "hidden_sizes": [32]}, "actor": {"hidden_sizes": [32]}}

every_agent = pytest.mark.parametrize("name", NAMES)


def make(name: str, spec: TaskSpec = SPEC, **settings: Any) -> OffPolicyAgent:
    torch.manual_seed(0)
    config = from_dict(resolve(AGENTS[name]), {**SMALL, **settings})
    return resolve(BUILDERS[name])(config, spec, Seeds(0), "cpu")


def make_batch(generator: torch.Generator, size: int = 64, *, goals: bool = True) -> Batch:
    """An action moves a point on a line by so much; the reward is minus the distance to the goal (or to 0)."""
    here, goal, action = 2 * torch.rand(3, size, 1, generator=generator) - 1
    after = here + 2 * action
    reward = SPEC.reward_fn(after, goal if goals else torch.zeros_like(goal))
    return Batch(
        observation=here, action=2 * action, reward=reward, discount=torch.full((size,), 0.5), next_observation=after,
        next_achieved_goal=after, goal=goal if goals else goal[:, :0], goal_observation=after,
        steps_to_goal=torch.ones(size), cost=torch.ones(size), ended=torch.zeros(size).bool(),
    )  # fmt: skip


def weights(module: nn.Module) -> list[Tensor]:
    return [parameter.detach().clone() for parameter in module.parameters()]


def same(module: nn.Module, old: list[Tensor]) -> bool:
    return all(torch.equal(a, b) for a, b in zip(module.parameters(), old, strict=True))


def constant(module: nn.Module, values: list[float]) -> None:
    """Makes the K critics of a network constants."""
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.zero_()
        module.members.biases[-1][:, 0, 0] = torch.tensor(values)


BATCH = make_batch(torch.Generator().manual_seed(0), 2)


@pytest.mark.parametrize(
    ("name", "next_values", "expected"),
    [("ddpg", [-4.0], [-3.0, -1.0]), ("td3", [-3.0, -4.0], [-3.0, -1.0]), ("td3", [-7.0, -6.0], [-3.8, -1.0])],
)
def test_targets_of_a_batch_made_by_hand(name, next_values, expected):
    """Of K critics the least counts, nothing after the end, and no less than the range allows."""
    agent = make(name, critic={"target_range": [-3.8, 0.0]})
    constant(agent.critic.target.network, next_values)
    constant(agent.critic.network, [0.0] * len(next_values))
    batch = replace(BATCH, reward=torch.tensor([-1.0, -1.0]), discount=torch.tensor([0.5, 0.0]))
    loss = agent.update(batch)["critic_loss"]
    mean_square = sum(target**2 for target in expected) / 2
    assert float(loss) == pytest.approx(len(next_values) * mean_square, rel=1e-5)


def test_entropy_counts_in_the_targets_of_sac():
    agent = make("sac", temperature={"initial": 0.5, "is_learned": False})
    constant(agent.critic.target.network, [-3.0, -4.0])
    constant(agent.critic.network, [0.0, 0.0])
    again = make("sac")  # its generator stands where the agent's does
    distribution = again.actor.network(BATCH.next_observation, BATCH.goal)
    _, log_prob = distribution.sample_with_log_prob(again.generator)
    target = BATCH.reward + BATCH.discount * (-4.0 - 0.5 * log_prob.detach())
    assert float(agent.update(BATCH)["critic_loss"]) == pytest.approx(2 * float(target.square().mean()), rel=1e-5)


def test_targets_of_td3_act_with_clipped_noise_within_the_range():
    agent = make("td3", smoothing={"std": 10.0, "clip": 0.5})
    batch = make_batch(torch.Generator().manual_seed(0), 1000)
    noise = agent.next_action(batch) - agent.target_actor.network(batch.next_observation, batch.goal)
    assert noise.abs().max().item() == pytest.approx(0.5, abs=1e-6) and noise.abs().mean() > 0.4
    nn.init.constant_(agent.target_actor.network.body.layers[-1].bias, 9.0)
    assert agent.next_action(batch).max() == 1


def test_td3_moves_its_actor_and_targets_at_every_second_update_only():
    agent = make("td3")
    actor, target = weights(agent.actor.network), weights(agent.critic.target.network)
    critic = weights(agent.critic.network)
    assert "actor_loss" not in agent.update(BATCH)
    assert same(agent.actor.network, actor) and same(agent.critic.target.network, target)
    assert not same(agent.critic.network, critic)
    assert "actor_loss" in agent.update(BATCH)
    assert not same(agent.actor.network, actor) and not same(agent.critic.target.network, target)


@every_agent
def test_targets_go_their_share_of_the_way_once_in_an_interval(name):
    agent = make(name, target={"rate": 0.1, "interval": 3}, policy_delay=1)
    followers = [agent.critic.target, *([] if name == "sac" else [agent.target_actor])]
    sources = [agent.critic.network, *([] if name == "sac" else [agent.actor.network])]
    start = [weights(follower.network) for follower in followers]
    for _ in range(2):
        agent.update(BATCH)
    assert all(same(follower.network, old) for follower, old in zip(followers, start, strict=True))
    agent.update(BATCH)
    for follower, source, old in zip(followers, sources, start, strict=True):
        for new, was, now in zip(follower.network.parameters(), old, source.parameters(), strict=True):
            assert torch.allclose(new, 0.9 * was + 0.1 * now, atol=1e-7)


@pytest.mark.parametrize(("target_entropy", "direction"), [(-50.0, -1), (50.0, 1)])
def test_the_temperature_falls_where_there_is_more_entropy_than_wanted_and_rises_where_less(target_entropy, direction):
    agent = make("sac", temperature={"target_entropy": target_entropy})
    metrics = [agent.update(BATCH) for _ in range(2)]
    assert direction * (float(metrics[1]["temperature"]) - float(metrics[0]["temperature"])) > 0


def test_a_fixed_temperature_stays_and_a_target_entropy_is_minus_the_number_of_actions():
    agent = make("sac", temperature={"initial": 0.2, "is_learned": False})
    assert [float(agent.update(BATCH)["temperature"]) for _ in range(3)] == pytest.approx([0.2] * 3)
    assert isinstance(agent, SACAgent) and agent.target_entropy == -1


@every_agent
def test_the_actors_pass_leaves_the_critic_alone(name):
    agent = make(name)
    critic = weights(agent.critic.network)
    agent.update_actor(BATCH)
    assert same(agent.critic.network, critic)
    assert all(parameter.grad is None for parameter in agent.critic.network.parameters())


@every_agent
def test_large_actions_cost_what_action_l2_says(name):
    losses = []
    for weight in (0.0, 3.0):
        agent = make(name, actor={"hidden_sizes": [32], "action_l2": weight})
        nn.init.constant_(agent.actor.network.body.layers[-1].bias[:1], 2.0)
        losses.append(float(agent.update_actor(BATCH)["actor_loss"]))
    if name == "sac":
        assert 0 < losses[1] - losses[0] <= 3
    else:
        assert losses[1] - losses[0] == pytest.approx(3 * torch.tensor(2.0).tanh().item() ** 2, abs=1e-5)


def test_a_loss_scale_is_felt_by_clipped_gradients_only_through_their_length():
    plain, scaled = make("ddpg"), make("ddpg", critic={"loss_scale": 20.0}, actor={**SMALL["actor"], "loss_scale": 20})
    for agent in (plain, scaled):
        agent.update(BATCH)
    for a, b in zip(plain.critic.network.parameters(), scaled.critic.network.parameters(), strict=True):
        assert torch.allclose(a, b, atol=2e-5)


@every_agent
def test_normalisers_learn_from_batches_and_not_from_acting(name):
    agent = make(name, normalizer={})
    batch = make_batch(torch.Generator().manual_seed(0))
    agent.update(batch)
    assert agent.normalizer is not None
    assert torch.allclose(agent.normalizer.goal.mean, batch.goal.mean(0))
    before = {key: value.clone() for key, value in agent.normalizer.state_dict().items()}
    agent.policy(explore=True)(100 * batch.observation, batch.goal)
    assert all(torch.equal(value, before[key]) for key, value in agent.normalizer.state_dict().items())


@every_agent
def test_exploring_samples_only_where_the_actor_has_a_spread(name):
    agent = make(name)
    nothing = torch.zeros(100, 1), torch.zeros(100, 1)
    assert torch.equal(agent.policy(explore=False)(*nothing), torch.zeros(100, 1))
    spread = agent.policy(explore=True)(*nothing).std()
    assert spread > 1 if name == "sac" else spread == 0  # tanh of a standard normal, in a range of 2


@pytest.mark.parametrize(
    ("name", "kind"),
    [("ddpg", "goals"), ("ddpg", "pair critic"), ("td3", "normalised"), ("td3", "no goals"), ("sac", "goals"),
     ("sac", "no goals")],
)  # fmt: skip
def test_it_learns_to_go_where_it_is_told(name, kind):
    settings: dict[str, Any] = {
        "critic": {"learning_rate": 5e-3}, "actor": {"hidden_sizes": [32], "learning_rate": 5e-3},
        "target": {"rate": 0.1}, "policy_delay": 1,
    }  # fmt: skip
    if name == "sac":
        settings["temperature"] = {"initial": 0.02, "is_learned": False}
    if kind == "pair critic":
        settings["network"] = {"name": "pair", "encoder_sizes": [32], "embedding_size": 16}
        settings["network"]["energy"] = {"name": "mrn", "hidden_sizes": [16], "part_size": 8}
    if kind == "normalised":
        settings["normalizer"] = {}
    goals = kind != "no goals"
    agent = make(name, SPEC if goals else replace(SPEC, goal_shape=(0,)), **settings)
    generator = torch.Generator().manual_seed(1)
    for _ in range(250):
        agent.update(make_batch(generator, goals=goals))
    test = make_batch(torch.Generator().manual_seed(2), 200, goals=goals)
    action = agent.policy(explore=False)(test.observation, test.goal)
    wanted = test.goal if goals else torch.zeros_like(test.observation)
    assert (test.observation + action - wanted).abs().mean() < 0.2  # by chance 1.1, standing still 0.67


@every_agent
def test_what_it_cannot_act_in_is_refused_with_what_fits(name):
    with pytest.raises(ConfigError, match=f"{name.upper()} needs continuous actions, line has discrete ones: use 'dqn"):
        make(name, replace(SPEC, discrete=True))
    with pytest.raises(ConfigError, match=r"line shows observations of shape \[64, 64, 3\]; expected one axis"):
        make(name, replace(SPEC, observation_shape=(64, 64, 3)))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"critic": {"target_range": [0.0, -50.0]}}, "target_range must be .low, high. with low < high"),
        ({"target": {"rate": 0.0}}, "rate must lie in"),
        ({"num_critics": 0}, "num_critics and policy_delay must be at least 1, got 0 and 1"),
        ({"actor": {"learning_rate": -1.0}}, "learning_rate must be positive, got -1.0"),
        ({"normalizer": {"clip": 0.0}}, "least_std, clip and input_clip must be positive"),
    ],
)
def test_settings_that_make_no_sense_are_refused(settings, message):
    with pytest.raises(ConfigError, match=message):
        make("ddpg", **settings)
