"""GCIVL, GCIQL and HIQL on numbers, on a chain whose shortest ways are known, and on a point that must go somewhere."""

from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from experiment_configs.agents import AGENTS, BUILDERS
from lifelong_rl.agents.gciql import AdvantageWeightedConfig, GradientAndCloningConfig
from lifelong_rl.agents.value_learning import WeightingConfig, among_reached, judged
from lifelong_rl.config import ConfigError, from_dict, resolve
from lifelong_rl.networks.actors import TanhNormal
from lifelong_rl.seeding import Seeds
from lifelong_rl.types import Batch, TaskSpec
from tests.agents.line_task import SPEC

NAMES = ["gcivl", "gciql", "hiql"]
SIZES = {"hidden_sizes": [32], "learning_rate": 5e-3}
SMALL: dict[str, dict[str, Any]] = {
    "gcivl": {"value": SIZES, "actor": SIZES},
    "gciql": {
        "value": SIZES, "actor": SIZES, "critic": {"learning_rate": 5e-3},
        "network": {"name": "monolithic", "hidden_sizes": [32]},
    },
    "hiql": {"value": SIZES, "high": SIZES, "low": SIZES, "representation_size": 4},
}  # fmt: skip

every_agent = pytest.mark.parametrize("name", NAMES)


def make(name: str, spec: TaskSpec = SPEC, **settings: Any) -> Any:
    torch.manual_seed(0)
    config = from_dict(resolve(AGENTS[name]), {**SMALL[name], **settings})
    return resolve(BUILDERS[name])(config, spec, Seeds(0), "cpu")


def make_batch(here: Tensor, after: Tensor, goal: Tensor, **columns: Tensor) -> Batch:
    """Of one-step transitions between observations that are goals as well; goals are said to lie ahead."""
    size = len(here)
    batch = Batch(
        observation=here, action=(after - here)[:, :1], reward=torch.zeros(size), discount=torch.full((size,), 0.9),
        next_observation=after, next_achieved_goal=after, goal=goal, goal_observation=goal,
        steps_to_goal=torch.full((size,), 2.0), cost=torch.ones(size), ended=torch.zeros(size).bool(),
        waypoint_observation=goal,
    )  # fmt: skip
    return replace(batch, **columns)


def column(*values: float) -> Tensor:
    return torch.tensor(values, dtype=torch.float32)[:, None]


def constant(network: nn.Module, values: list[float]) -> None:
    """Makes the K members constants."""
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.zero_()
        network.members.biases[-1][:, 0, 0] = torch.tensor(values)


def test_every_step_costs_its_length_until_what_the_task_counts_as_success():
    batch = make_batch(column(0, 0, 0), column(1, 1, 1), column(1.05, 2, 2), cost=torch.tensor([1.0, 2.0, 1.0]))
    batch = replace(batch, discount=torch.tensor([0.9, 0.9, 0.0]))  # the last row ended for good, elsewhere
    way = judged(batch, SPEC)
    assert way.reward.tolist() == [-1, -2, -1]
    assert way.discount.tolist() == pytest.approx([0, 0.9, 0])
    assert way.is_known.tolist() == [True, True, False]


def test_where_the_task_does_not_say_what_success_is_the_goal_itself_is_to_be_reached():
    batch = make_batch(column(0, 0, 0), column(1, 1, 1), column(1, 5, 3), steps_to_goal=torch.tensor([1.0, 2.0, -1.0]))
    assert judged(batch, replace(SPEC, success_fn=None)).discount.tolist() == pytest.approx([0, 0.9, 0.9])


def test_a_goal_passed_within_several_steps_was_reached_there_and_the_rest_costs_nothing():
    steps = {"num_steps": torch.tensor([4, 4, 4]), "cost": torch.tensor([4.0, 8.0, 4.0])}
    ahead = torch.tensor([1.0, 4.0, 5.0])
    batch = make_batch(column(0, 0, 0), column(4, 4, 4), column(1, 4, 5), steps_to_goal=ahead, **steps)
    way = judged(batch, SPEC)
    assert way.reward.tolist() == [-1, -8, -4] and way.discount.tolist() == pytest.approx([0, 0, 0.9])


def test_the_value_loss_of_a_batch_made_by_hand():
    """Targets of the members: -1 + 0.9 * (-4, -6) = (-4.6, -6.4), or -1 where the goal is reached; values are 0.

    Here the targets' mean is -5, so the first row (-6.4) was worse than expected and the second (-1) better.
    """
    agent = make("gcivl", value={"hidden_sizes": [], "layer_norm": False, "expectile": 0.8})
    constant(agent.value.target.network, [-4.0, -6.0])
    constant(agent.value.network, [0.0, 0.0])
    metrics = agent.value.update(make_batch(column(0, 0), column(1, 1), column(2, 1)))
    expected = (0.2 * 4.6**2 + 0.8) / 2 + (0.2 * 6.4**2 + 0.8) / 2
    assert float(metrics["value_loss"]) == pytest.approx(expected, rel=1e-5)


def test_the_advantage_of_a_batch_made_by_hand():
    agent = make("gcivl")
    constant(agent.value.network, [-4.0, -6.0])  # -1 - 0.9 * 5 + 5, and -1 + 5 where the goal is reached
    advantage = agent.value.advantage(make_batch(column(0, 0), column(1, 1), column(2, 1)))
    assert advantage.tolist() == pytest.approx([-0.5, 4.0])


def test_weights_are_exponentials_up_to_a_limit_of_rows_whose_goal_was_reached_later():
    weight = WeightingConfig(scale=2.0, limit=5.0).weight(torch.tensor([-0.5, 0.0, 0.5, 3.0]))
    assert weight.tolist() == pytest.approx([0.3678794, 1.0, 2.7182818, 5.0])
    zeros = torch.zeros(4, 1)
    batch = make_batch(zeros, zeros, zeros, steps_to_goal=torch.tensor([1.0, -1.0, 7.0, -1.0]))
    among = among_reached(weight, batch)
    assert among.tolist() == pytest.approx([2 * 0.3678794, 0.0, 2 * 2.7182818, 0.0])
    assert float(among.mean()) == pytest.approx((0.3678794 + 2.7182818) / 2)
    assert not among_reached(weight, replace(batch, steps_to_goal=-torch.ones(4))).any()


def test_q_learns_from_v_and_v_from_the_least_target_q_by_hand():
    agent = make("gciql", value={"hidden_sizes": [], "layer_norm": False, "expectile": 0.9, "learning_rate": 1e-9})
    constant(agent.value.network, [-5.0])
    constant(agent.critic.target.network, [-4.0, -6.0])  # 1 worse than V: weighs 0.1
    constant(agent.critic.network, [0.0, 0.0])
    metrics = agent.update(make_batch(column(0, 0), column(1, 1), column(2, 1)))
    assert float(metrics["value_loss"]) == pytest.approx(0.1, rel=1e-4)
    assert float(metrics["critic_loss"]) == pytest.approx(2 * (5.5**2 + 1) / 2, rel=1e-4)


def test_the_two_ways_to_draw_a_policy_from_q_by_hand():
    distribution = TanhNormal(torch.zeros(2, 1), torch.ones(2, 1))
    action, value = column(0, 0), torch.tensor([-2.0, -2.0])
    log_prob = -0.918939  # of 0 under a standard normal

    def q_of(action: Tensor) -> Tensor:
        return torch.tensor([-1.0, -3.0])

    awr = AdvantageWeightedConfig(scale=1.0).score(distribution, action, q_of, value)
    assert awr.tolist() == pytest.approx([2.7182818 * log_prob, 0.3678794 * log_prob], rel=1e-5)
    ddpg = GradientAndCloningConfig(cloning_weight=0.5).score(distribution, action, q_of, value)
    assert ddpg.tolist() == pytest.approx([-0.5 + 0.5 * log_prob, -1.5 + 0.5 * log_prob], rel=1e-5)


def chain(length: int) -> Batch:
    """Every step that a walk on a chain can take, under every goal; at the ends it may stay. States are one-hot."""
    state, move, goal = torch.cartesian_prod(torch.arange(length), torch.tensor([-1, 1]), torch.arange(length)).T
    after = (state + move).clamp(0, length - 1)
    batch = make_batch(*(F.one_hot(place, length).float() for place in (state, after, goal)))
    return replace(batch, action=move[:, None] / 2)


def chain_spec(length: int) -> TaskSpec:
    return replace(
        SPEC, observation_shape=(length,), goal_shape=(length,), action_low=-1.0, action_high=1.0,
        success_fn=lambda achieved, goal: (achieved == goal).all(-1),
    )  # fmt: skip


def shortest_ways(length: int, discount: float) -> Tensor:
    """[S, G], minus the discounted steps: back to the goal itself takes two, or one where one can stay at an end."""
    place = torch.arange(length)
    steps = (place[:, None] - place).abs()
    steps += torch.diag(torch.tensor([1, *[2] * (length - 2), 1]))
    return -(1 - discount**steps) / (1 - discount)


@pytest.mark.parametrize(("name", "expectile"), [("gcivl", 0.99), ("gciql", 0.99), ("hiql", 0.99)])
def test_values_with_an_expectile_near_one_are_minus_the_shortest_ways_of_a_chain(name, expectile):
    """The walk takes both directions equally often: only an expectile above one half finds the shorter one."""
    length, batch = 5, chain(5)
    value = {"hidden_sizes": [64], "layer_norm": False, "expectile": expectile, "learning_rate": 1e-2}
    agent = make(name, chain_spec(length), value=value, target={"rate": 0.1})
    for _ in range(400):
        agent.update(batch)
    each = torch.eye(length)
    state, goal = each.repeat_interleave(length, 0), each.repeat(length, 1)
    learned = agent.value.value(state, goal).unflatten(0, (length, length))
    assert (learned - shortest_ways(length, 0.9)).abs().max() < 0.35


@pytest.mark.parametrize(
    ("name", "kind"),
    [("gcivl", "continuous"), ("gcivl", "discrete"), ("gciql", "awr"), ("gciql", "ddpg_bc"), ("hiql", "continuous"),
     ("hiql", "discrete")],
)  # fmt: skip
def test_it_turns_towards_the_goal_though_the_data_walk_at_random(name, kind):
    """Copying alone would not: every row's goal counts as reached later, whichever way the row went."""
    spec, batch = chain_spec(7), chain(7)
    settings: dict[str, Any] = {"target": {"rate": 0.1}}
    if kind == "discrete":
        spec = replace(spec, discrete=True, action_size=2)
        batch = replace(batch, action=(batch.action[:, 0] > 0).long())
    if name == "gciql":
        settings["extraction"] = {"name": kind}
    agent = make(name, spec, **settings)
    for _ in range(300):
        agent.update(batch)
    here, goal = batch.observation.argmax(-1), batch.goal.argmax(-1)
    action = agent.policy(explore=False)(batch.observation, batch.goal).reshape(len(here))
    is_right = (action > 0) == (goal > here)
    assert is_right[here != goal].float().mean() > (0.8 if name == "hiql" else 0.95)  # by chance 0.5


def test_hiql_acts_by_what_its_high_policy_proposes():
    agent = make("hiql")
    batch = make_batch(column(0, 0), column(1, 1), column(2, 1))
    for _ in range(5):
        agent.update(batch)
    nn.init.constant_(agent.low.actor.network.body.layers[-1].weight, 0.1)
    before = agent.policy(explore=False)(batch.observation, batch.goal)
    nn.init.normal_(agent.high.actor.network.body.layers[-1].weight)
    assert not torch.equal(agent.policy(explore=False)(batch.observation, batch.goal), before)
    nn.init.zeros_(agent.low.actor.network.body.layers[0].weight[:, 1:])  # of all inputs but the observation
    after = agent.policy(explore=False)(batch.observation, batch.goal)
    assert torch.equal(after, agent.policy(explore=False)(batch.observation, 9 * batch.goal))


@every_agent
def test_what_it_cannot_learn_in_is_refused_with_what_fits(name):
    with pytest.raises(ConfigError, match=r"line shows observations of shape \[64, 64, 3\]; expected one axis"):
        make(name, replace(SPEC, observation_shape=(64, 64, 3)))


def test_what_only_some_can_learn_in_is_refused_with_what_fits():
    with pytest.raises(ConfigError, match="GCIQL needs continuous actions, line has discrete ones: use 'gcivl'"):
        make("gciql", replace(SPEC, discrete=True))
    with pytest.raises(ConfigError, match="HIQL needs the goals of waypoints, .* use 'gcivl' or 'gciql'"):
        make("hiql", replace(SPEC, observation_shape=(2,)))
    with pytest.raises(ConfigError, match=r"line has discrete actions, whose policy has no action_l2, got 0\.1"):
        make("gcivl", replace(SPEC, discrete=True), actor={"action_l2": 0.1})


@pytest.mark.parametrize(
    ("name", "settings", "message"),
    [
        ("gcivl", {"value": {"expectile": 1.0}}, r"hidden_sizes must be .* expectile in \(0, 1\), got .* and 1.0"),
        ("gcivl", {"weighting": {"scale": -1.0}}, "scale must be at least 0 and limit positive, got -1.0 and 100.0"),
        ("gciql", {"extraction": {"name": "awr", "limit": 0.0}}, "limit positive, got 3.0 and 0.0"),
        ("gciql", {"extraction": {"name": "ddpg_bc", "cloning_weight": -1.0}}, "cloning_weight must not be negative"),
        ("gciql", {"extraction": {"name": "ddpgbc"}}, "Did you mean 'ddpg_bc'"),
        ("hiql", {"representation_size": 0}, "representation_size must be at least 1, got 0"),
    ],
)
def test_settings_that_make_no_sense_are_refused(name, settings, message):
    with pytest.raises(ConfigError, match=message):
        make(name, **settings)
