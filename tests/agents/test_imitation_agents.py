"""GCBC, GCSL and WGCSL on numbers, and on a point that is to reach a place on a line."""

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from experiment_configs.agents import AGENTS, BUILDERS
from lifelong_rl.agents.wgcsl import RecentValues
from lifelong_rl.config import ConfigError, from_dict, resolve
from lifelong_rl.seeding import Seeds
from lifelong_rl.types import Batch, TaskSpec
from tests.agents.test_off_policy_agents import SPEC, constant, make_batch, same, weights
from tests.experiment_configs.tiny_variant import tiny_config

CHOICES = replace(SPEC, discrete=True, action_size=3)
NAMES = ["gcbc", "gcsl", "wgcsl"]
PAIR = {"name": "pair", "encoder_sizes": [16], "embedding_size": 16}

every_agent = pytest.mark.parametrize("name", NAMES)


def make(name: str, spec: TaskSpec = SPEC, **settings: Any) -> Any:
    torch.manual_seed(0)
    small = {"actor": {"hidden_sizes": [32]}}
    if name == "wgcsl":
        small["network"] = {"name": "monolithic", "hidden_sizes": [32]}
    config = from_dict(resolve(AGENTS[name]), small | settings)
    return resolve(BUILDERS[name])(config, spec, Seeds(0), "cpu")


def achieved_batch(size: int = 64, seed: int = 0) -> Batch:
    """An action moves a point on a line by so much, and the goal is where that led: the action shows how to get there.

    The goals of every fourth row were never achieved, and the actions of those rows do not lead there.
    """
    batch = make_batch(torch.Generator().manual_seed(seed), size)
    steps = torch.where(torch.arange(size) % 4 == 3, -1.0, 1.0)
    goal = torch.where((steps > 0)[:, None], batch.next_achieved_goal, batch.goal)
    return replace(batch, goal=goal, reward=SPEC.reward_fn(batch.next_achieved_goal, goal), steps_to_goal=steps)


def choice_batch(size: int = 64, seed: int = 0) -> Batch:
    """Choices 0, 1 and 2 move by -1, 0 and 1."""
    batch = achieved_batch(size, seed)
    choice = torch.arange(size) % 3
    goal = torch.where((batch.steps_to_goal > 0)[:, None], batch.observation + choice[:, None] - 1.0, batch.goal)
    return replace(batch, action=choice, goal=goal)


@pytest.mark.parametrize(
    ("cloning", "expected"),
    [("squared_error", (0.25 + 0.0) / 3), ("likelihood", None)],
)
def test_the_loss_of_three_rows_by_hand(cloning, expected):
    """An actor starts at 0, spread 0.693; seen actions are 0.5, 0 and 0.9 of the range's half; the last counts not."""
    agent = make("gcbc", cloning=cloning)
    batch = replace(
        achieved_batch(3), action=torch.tensor([[1.0], [0.0], [1.8]]), steps_to_goal=torch.tensor([4.0, 1.0, -1.0])
    )
    if expected is None:
        raw, spread = math.atanh(0.5), math.log(2) + 1e-4
        normal = math.log(spread) + math.log(2 * math.pi) / 2
        expected = (normal + (raw / spread) ** 2 / 2 + math.log(1 - 0.25) + normal) / 3
    metrics = agent.update(batch)
    assert float(metrics["actor_loss"]) == pytest.approx(expected, rel=1e-5)
    assert float(metrics["cloned_fraction"]) == pytest.approx(2 / 3)


def test_the_loss_of_choices_is_the_logarithm_of_their_number_at_first():
    agent = make("gcsl", CHOICES)
    batch = replace(choice_batch(4), steps_to_goal=torch.tensor([1.0, -1.0, 2.0, 3.0]))
    assert float(agent.update(batch)["actor_loss"]) == pytest.approx(math.log(3) * 3 / 4)


@every_agent
def test_rows_whose_goal_was_never_achieved_are_not_imitated(name):
    agent = make(name, cloning="squared_error")
    before = weights(agent.actor.network)
    batch = achieved_batch()
    agent.update(replace(batch, steps_to_goal=torch.full((64,), -1.0)))
    assert same(agent.actor.network, before)
    again = make(name, cloning="squared_error")
    again.update(batch)
    assert not same(again.actor.network, before)


def test_gcbc_and_gcsl_are_one_agent_and_phases_tell_them_apart():
    one, other = make("gcbc"), make("gcsl")
    for agent in (one, other):
        agent.update(achieved_batch())
    assert type(one) is type(other) and same(one.actor.network, weights(other.actor.network))


def test_an_advantage_is_what_a_step_gained_in_value():
    agent = make("wgcsl")
    constant(agent.critic.network, [-3.0])
    batch = replace(achieved_batch(2), reward=torch.tensor([-1.0, 0.0]), discount=torch.tensor([0.5, 0.0]))
    assert agent.advantage(batch).tolist() == pytest.approx([-1 + 0.5 * -3 + 3, 3.0])


def test_weights_of_wgcsl_by_hand_as_its_gate_climbs():
    """Half of the recent advantages are to be shut out after two updates, and a fourth after one."""
    gate = {"floor": 0.1, "final_fraction": 0.5, "updates": 2, "num_recent": 4}
    agent = make("wgcsl", weight={"discount": 0.9, "advantage_limit": 2.0, "gate": gate})
    advantage, steps = torch.tensor([0.0, 0.5, -1.0, 4.0, 9.0]), torch.tensor([1.0, 2.0, 3.0, 1.0, -1.0])
    whole = [0.9, 0.81 * math.exp(0.5), 0.729 * math.exp(-1), 1.8, 0.0]
    for num_updates, shut in [(0, []), (1, []), (2, [2]), (99, [2])]:
        agent.num_updates = num_updates
        expected = [0.1 * weight if row in shut else weight for row, weight in enumerate(whole)]
        assert agent.example_weight(advantage, steps).tolist() == pytest.approx(expected)
    agent.recent_advantages.add(torch.full((2,), 7.0))  # in the place of the two oldest, 0 and 0.5
    assert agent.recent_advantages.order_statistic(0.5) == 4.0


def test_without_a_gate_and_a_discount_the_advantage_alone_weighs():
    agent = make("wgcsl", weight={"discount": 1.0, "gate": None})
    weight = agent.example_weight(torch.tensor([1.0, -1.0, 1.0]), torch.tensor([9.0, 1.0, -1.0]))
    assert weight.tolist() == pytest.approx([math.e, 1 / math.e, 0.0])


def test_a_ring_of_recent_values_forgets_the_oldest_and_can_be_put_back():
    ring, again = RecentValues(3, torch.device("cpu")), RecentValues(3, torch.device("cpu"))
    assert ring.order_statistic(0.5) == -math.inf
    for values in ([5.0], [1.0, 2.0], [9.0]):
        ring.add(torch.tensor(values))
    again.load_state_dict(ring.state_dict())
    for one in (ring, again):
        assert [float(one.order_statistic(fraction)) for fraction in (0.0, 0.5, 1.0)] == [1.0, 2.0, 9.0]
    again.add(torch.arange(8.0))
    assert [float(again.order_statistic(fraction)) for fraction in (0.0, 0.5, 1.0)] == [5.0, 6.0, 7.0]
    assert ring.order_statistic(1.0) == 9.0


def test_wgcsl_bootstraps_from_the_actors_best_action():
    agent = make("wgcsl", cloning="likelihood", critic={"target_range": [-3.0, 0.0]})
    constant(agent.critic.target.network, [-4.0])
    constant(agent.critic.network, [0.0])
    batch = replace(achieved_batch(2), reward=torch.tensor([-1.0, -1.0]), discount=torch.tensor([0.4, 0.9]))
    assert float(agent.update(batch)["critic_loss"]) == pytest.approx((2.6**2 + 3.0**2) / 2, rel=1e-5)


@pytest.mark.parametrize(("cloning", "spread"), [("likelihood", True), ("squared_error", False)])
@every_agent
def test_exploring_samples_only_where_the_actor_has_a_spread(name, cloning, spread):
    agent = make(name, cloning=cloning)
    nothing = torch.zeros(100, 1), torch.zeros(100, 1)
    assert torch.equal(agent.policy(explore=False)(*nothing), torch.zeros(100, 1))
    assert (float(agent.policy(explore=True)(*nothing).std()) > 0.5) == spread


def test_choices_are_sampled_while_exploring_and_else_the_likeliest():
    policy = make("gcsl", CHOICES).policy
    nothing = torch.zeros(300, 1), torch.zeros(300, 1)
    counts = torch.bincount(policy(explore=True)(*nothing), minlength=3)
    assert counts.min() > 60 and policy(explore=False)(*nothing).unique().tolist() == [0]


@pytest.mark.parametrize(
    ("name", "settings"),
    [("gcbc", {"cloning": "squared_error", "normalizer": {}}), ("gcsl", {"cloning": "likelihood"}),
     ("wgcsl", {"cloning": "squared_error", "network": PAIR}), ("wgcsl", {"cloning": "likelihood", "normalizer": {}})],
)  # fmt: skip
def test_it_learns_to_go_where_it_is_told(name, settings):
    agent = make(name, actor={"hidden_sizes": [32], "learning_rate": 1e-2}, **settings)
    for seed in range(120):
        agent.update(achieved_batch(seed=seed))
    test = achieved_batch(200, seed=999)
    near = test.steps_to_goal > 0
    error = _error(agent.policy(explore=False)(test.observation, test.goal), test)[near]
    assert error.mean() < 0.2  # standing still 1.0


def test_it_learns_which_choice_leads_to_a_goal():
    agent = make("gcbc", CHOICES, actor={"hidden_sizes": [32], "learning_rate": 5e-3}, normalizer={})
    for seed in range(100):
        agent.update(choice_batch(seed=seed))
    test = choice_batch(200, seed=999)
    right = agent.policy(explore=False)(test.observation, test.goal) == test.action
    assert right[test.steps_to_goal > 0].float().mean() > 0.95


def _error(action: Tensor, batch: Batch) -> Tensor:
    return (batch.observation + action - batch.goal).abs().squeeze(-1)


def test_of_two_examples_wgcsl_follows_the_one_that_gained_more_and_gcsl_the_middle():
    """From one place half of the examples go right, at reward 0, and half left, at reward -3; values do not matter."""
    right = torch.arange(64) % 2 == 0
    nothing, action = torch.zeros(64, 1), torch.where(right, 1.0, -1.0)[:, None]
    batch = replace(
        achieved_batch(), observation=nothing, next_observation=nothing, goal=nothing, action=action,
        reward=torch.where(right, 0.0, -3.0), discount=torch.zeros(64), steps_to_goal=torch.ones(64),
    )  # fmt: skip
    chosen = {}
    for name in ("gcsl", "wgcsl"):
        agent = make(name, cloning="squared_error", actor={"hidden_sizes": [32], "learning_rate": 1e-2})
        for _ in range(100):
            agent.update(batch)
        chosen[name] = float(agent.policy(explore=False)(nothing[:1], nothing[:1]))
    assert chosen["gcsl"] == pytest.approx(0.0, abs=0.02)
    assert chosen["wgcsl"] == pytest.approx((math.exp(3) - 0.0) / (math.exp(3) + 1), abs=0.1)


@every_agent
def test_a_sampler_that_gives_no_examples_is_refused(name):
    for sampler in ({"hindsight": {"behaviour": 1.0}}, {"mix": "rfaa_1_0_4_0"}):
        with pytest.raises(ConfigError, match=f"'{name}' imitates ways to goals, but the sampler draws no goals that"):
            tiny_config(Path(), agent={"name": name}, sampler=sampler)
    tiny_config(Path(), agent={"name": name}, sampler={"hindsight": {"behaviour": 0.5, "final": 0.5}})


@every_agent
def test_pictures_are_refused_with_what_fits(name):
    with pytest.raises(ConfigError, match=r"line shows observations of shape \[64, 64, 3\]; expected one axis"):
        make(name, replace(SPEC, observation_shape=(64, 64, 3)))


@pytest.mark.parametrize("settings", [{"cloning": "squared_error"}, {"actor": {"action_l2": 0.1}}])
def test_choices_have_neither_squares_nor_squared_errors(settings):
    with pytest.raises(ConfigError, match="line has discrete actions, which need cloning 'likelihood'"):
        make("gcsl", CHOICES, **settings)


def test_wgcsl_refuses_choices():
    with pytest.raises(ConfigError, match="WGCSL needs continuous actions, line has discrete ones"):
        make("wgcsl", CHOICES)


@pytest.mark.parametrize(
    ("weight", "message"),
    [
        ({"discount": 0.0}, r"weight: discount must lie in \(0, 1\] and advantage_limit be positive, got 0.0 and 10.0"),
        ({"gate": {"floor": -0.1}}, r"gate: floor and final_fraction must lie in \[0, 1\], got -0.1 and 0.8"),
        ({"gate": {"num_recent": 0}}, "gate: updates and num_recent must be at least 1, got 8000 and 0"),
    ],
)
def test_weights_that_make_no_sense_are_refused(weight, message):
    with pytest.raises(ConfigError, match=message):
        make("wgcsl", weight=weight)
