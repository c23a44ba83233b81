"""Deep Q-networks on numbers: what they learn towards, and how they explore."""

from typing import Any

import pytest
import torch
from torch import Tensor

from experiment_configs.agents.dqn import DQNConfig, build_dqn
from lifelong_rl.agents.dqn import DQNAgent, EpsilonConfig
from lifelong_rl.config import ConfigError, from_dict
from lifelong_rl.networks.choice_q import ChoiceQ
from lifelong_rl.seeding import Seeds
from lifelong_rl.types import Batch, TaskSpec

SPEC = TaskSpec(
    name="row", observation_shape=(1,), goal_shape=(1,), action_size=3, discrete=True, horizon=5,
    reward_fn=lambda achieved, goal: (achieved - goal).abs()[..., 0], success_fn=None,
)  # fmt: skip


def make(spec: TaskSpec = SPEC, **settings: Any) -> DQNAgent:
    torch.manual_seed(0)
    return build_dqn(from_dict(DQNConfig, {"hidden_sizes": [8], **settings}), spec, Seeds(0), "cpu")


def make_batch(reward: float = -1.0, discount: float = 0.5, size: int = 4) -> Batch:
    ones = torch.ones(size, 1)
    return Batch(
        observation=ones, action=torch.zeros(size, dtype=torch.int64), reward=torch.full((size,), reward),
        discount=torch.full((size,), discount), next_observation=ones, next_achieved_goal=ones, goal=ones,
        goal_observation=ones, steps_to_goal=ones[:, 0], cost=ones[:, 0], ended=torch.zeros(size).bool(),
    )  # fmt: skip


def constant(network: ChoiceQ, values: list[float]) -> None:
    """Makes it say the same three values, whatever it is shown."""
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.zero_()
        list(network.parameters())[-1][:] = torch.tensor(values)


@pytest.mark.parametrize(("is_double", "next_value"), [(False, 5.0), (True, 3.0)])
def test_double_values_the_choice_that_the_network_thinks_best_by_the_target(is_double, next_value):
    agent = make(learning={"is_double": is_double, "huber": False})
    constant(agent.network, [0.0, 9.0, 1.0])
    constant(agent.target.network, [4.0, 3.0, 5.0])
    loss = agent.update(make_batch(reward=-1.0, discount=0.5))["critic_loss"]
    assert float(loss) == pytest.approx((-1.0 + 0.5 * next_value - 0.0) ** 2)


@pytest.mark.parametrize(("huber", "loss"), [(False, 9.0), (True, 2.5)])
def test_huber_is_a_line_beyond_an_error_of_1(huber, loss):
    agent = make(learning={"huber": huber})
    constant(agent.network, [0.0, 0.0, 0.0])
    assert float(agent.update(make_batch(reward=-3.0, discount=0.0))["critic_loss"]) == pytest.approx(loss)


def test_targets_stay_in_their_range_and_a_step_after_the_end_counts_nothing():
    agent = make(learning={"huber": False, "target_range": [-2.0, 0.0]})
    constant(agent.network, [0.0, 0.0, 0.0])
    constant(agent.target.network, [-9.0, -9.0, -9.0])
    assert float(agent.update(make_batch(reward=-1.0, discount=0.9))["critic_loss"]) == pytest.approx(4.0)
    agent = make(learning={"huber": False})
    constant(agent.network, [0.0, 0.0, 0.0])
    constant(agent.target.network, [7.0, 7.0, 7.0])
    assert float(agent.update(make_batch(reward=-1.0, discount=0.0))["critic_loss"]) == pytest.approx(1.0)


def test_only_the_choice_that_was_taken_learns():
    agent, batch = make(learning={"learning_rate": 0.1}), make_batch(reward=-5.0, discount=0.0)
    before = list(agent.network.parameters())[-1].detach().clone()
    agent.update(batch)
    change = list(agent.network.parameters())[-1].detach() - before
    assert change[0] < 0 and change[1] == change[2] == 0


def test_advantages_of_a_dueling_network_are_those_over_their_mean():
    network = ChoiceQ(1, 1, 3, [8], is_dueling=True)
    constant(network, [10.0, 1.0, 2.0, 6.0])  # the state's value, then three advantages, 3 on average
    assert network(torch.ones(1, 1), torch.ones(1, 1)).tolist() == [[8.0, 9.0, 13.0]]


def shares(agent: DQNAgent, explore: bool) -> Tensor:
    many = torch.ones(6000, 1)
    return agent.policy(explore=explore)(many, many).bincount(minlength=3) / 6000


def test_each_environment_draws_for_itself_whether_it_explores():
    agent = make(exploration={"initial": 0.6, "final": 0.6})
    constant(agent.network, [0.0, 1.0, 0.0])
    assert shares(agent, explore=True).tolist() == pytest.approx([0.2, 0.6, 0.2], abs=0.03)
    assert shares(agent, explore=False).tolist() == [0.0, 1.0, 0.0]


def test_the_share_of_random_choices_falls_along_a_line_to_its_end():
    schedule = EpsilonConfig(initial=0.8, final=0.2, updates=100)
    assert [schedule.after(updates) for updates in (0, 50, 100, 1000)] == pytest.approx([0.8, 0.5, 0.2, 0.2])


def test_it_learns_the_values_of_a_row_of_three_choices_without_goals():
    spec = TaskSpec(
        name="plain", observation_shape=(1,), goal_shape=(0,), action_size=3, discrete=True, horizon=1, reward_fn=None,
        success_fn=None,
    )  # fmt: skip
    agent, generator = make(spec, learning={"learning_rate": 1e-2}, normalizer={}), torch.Generator().manual_seed(0)
    state, nothing = torch.rand(256, 1, generator=generator), torch.zeros(256, 0)
    action = torch.randint(3, (256,), generator=generator)
    batch = Batch(
        observation=state, action=action, reward=state[:, 0] * action, discount=torch.zeros(256),
        next_observation=state, next_achieved_goal=nothing, goal=nothing, goal_observation=state,
        steps_to_goal=torch.ones(256), cost=torch.ones(256), ended=torch.ones(256).bool(),
    )  # fmt: skip
    for _ in range(500):
        agent.update(batch)
    learned = agent.values(state, nothing)
    assert torch.allclose(learned, state * torch.arange(3), atol=0.15)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"exploration": {"initial": 0.1, "final": 0.2}}, "0 <= final <= initial <= 1 and updates at least 1"),
        ({"learning": {"target_range": [0.0, -50.0]}}, "target_range must be .low, high. with low < high"),
        ({"learning": {"learning_rate": 0.0}}, "learning_rate must be positive, got 0.0"),
        ({"hidden_sizes": [0]}, "hidden_sizes must be at least 1 each"),
    ],
)
def test_settings_that_make_no_sense_are_refused(settings, message):
    with pytest.raises(ConfigError, match=message):
        make(**settings)


def test_continuous_actions_are_refused_with_what_fits():
    spec = TaskSpec(
        name="line", observation_shape=(1,), goal_shape=(1,), action_size=1, horizon=5, reward_fn=None, success_fn=None
    )
    with pytest.raises(ConfigError, match="DQN needs discrete actions, line has continuous ones: use 'sac', 'td3'"):
        make(spec)
