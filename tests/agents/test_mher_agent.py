"""MHER: virtual goals are where the actor leads a known model; their rows are cloned; first only the model learns."""

from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import nn

from experiment_configs.agents import AGENTS, BUILDERS
from lifelong_rl.agents.mher import MHERAgent, RelabelledBatch
from lifelong_rl.config import ConfigError, from_dict, resolve
from lifelong_rl.seeding import Seeds
from lifelong_rl.types import Batch, TaskSpec

SPEC = TaskSpec(
    name="line", observation_shape=(2,), goal_shape=(1,), action_size=1, action_low=-2.0, action_high=2.0, horizon=5,
    reward_fn=lambda achieved, goal: -((achieved - goal).abs()[..., 0] > 0.25).float(),
    success_fn=lambda achieved, goal: (achieved - goal).abs()[..., 0] <= 0.25, goal_of=lambda seen: seen[..., :1],
)  # fmt: skip
STEP = 0.5  # what the linear model below adds to the place for an action of 1
SMALL: dict[str, Any] = {
    "network": {"name": "monolithic", "hidden_sizes": [32]}, "actor": {"hidden_sizes": [32]},
    "model": {"num_models": 2, "hidden_sizes": []},
}  # fmt: skip


def make(relabelling: dict[str, Any], spec: TaskSpec = SPEC, **settings: Any) -> MHERAgent:
    torch.manual_seed(0)
    config = from_dict(resolve(AGENTS["mher"]), {**SMALL, **settings, "relabelling": relabelling})
    return resolve(BUILDERS["mher"])(config, spec, Seeds(0), "cpu")


def make_batch(size: int = 64, seed: int = 0) -> Batch:
    """Observations are a place and a number that says nothing; an action of 2 moves the place by 1."""
    generator = torch.Generator().manual_seed(seed)
    here, noise, goal, action = 2 * torch.rand(4, size, 1, generator=generator) - 1
    after = here + action
    seen, then = torch.cat([here, noise], 1), torch.cat([after, noise], 1)
    return Batch(
        observation=seen, action=2 * action, reward=SPEC.reward_fn(after, goal), discount=torch.full((size,), 0.5),
        next_observation=then, next_achieved_goal=after, goal=goal, goal_observation=then,
        steps_to_goal=torch.full((size,), -1.0), cost=torch.ones(size), ended=torch.zeros(size).bool(),
    )  # fmt: skip


def with_known_world(agent: MHERAgent, action: float) -> MHERAgent:
    """Every model adds STEP times the action to the place, and the actor always acts alike."""
    with torch.no_grad():
        for parameter in (*agent.model.network.members.parameters(), *agent.actor.network.parameters()):
            parameter.zero_()
        agent.model.network.members.weights[0][:, 2, 0] = STEP
        agent.actor.network.body.layers[-1].bias.fill_(torch.tensor(action).atanh())
    return agent


def test_states_are_imagined_as_many_steps_ahead_as_asked():
    agent = with_known_world(make({"rollout_noise": 0.0}), action=0.8)
    start = torch.tensor([[0.0, 7.0], [1.0, 7.0], [2.0, 7.0], [3.0, 7.0]])
    reached = agent.imagined(start, torch.zeros(4, 1), torch.tensor([0, 1, 2, 5]))
    assert torch.allclose(reached, torch.tensor([[0.0, 7.0], [1.4, 7.0], [2.8, 7.0], [5.0, 7.0]]), atol=1e-5)


@pytest.mark.parametrize("normalizer", [None, {}])
def test_virtual_goals_are_the_places_reached_in_the_tasks_own_units_and_rewards_follow_them(normalizer):
    agent = with_known_world(make({"rollout_noise": 0.0, "fraction": 1.0}, normalizer=normalizer), action=0.8)
    batch = make_batch(500)
    if agent.normalizer is not None:
        agent.normalizer.learn(10 + 3 * batch.observation, 10 + 3 * batch.goal)
    virtual = agent.relabelled(batch)
    num_imagined = virtual.steps_to_goal - 1
    assert num_imagined.unique().tolist() == [0, 1, 2, 3, 4, 5]
    assert torch.allclose(virtual.goal, batch.next_achieved_goal + 0.4 * num_imagined[:, None], atol=1e-5)
    assert torch.equal(virtual.reward, -(num_imagined > 0).float())  # one imagined step is further than 0.25
    assert torch.equal(virtual.goal_observation[:, :1], virtual.goal)
    assert torch.equal(virtual.next_observation, batch.next_observation)


def test_a_share_of_the_rows_keeps_the_goals_that_were_followed():
    batch = make_batch(2000)
    virtual = make({"fraction": 0.3}).relabelled(batch)
    kept = ~virtual.is_virtual
    assert virtual.is_virtual.float().mean().item() == pytest.approx(0.3, abs=0.03)
    for name in ("goal", "reward", "steps_to_goal", "goal_observation"):
        assert torch.equal(getattr(virtual, name)[kept], getattr(batch, name)[kept])
    assert not make({"fraction": 0.0}).relabelled(batch).is_virtual.any()


def test_noise_spreads_imagined_places_and_stays_within_the_action_range():
    agent = with_known_world(make({"rollout_noise": 5.0, "rollout_steps": 1}), action=0.0)
    reached = agent.imagined(torch.zeros(500, 2), torch.zeros(500, 1), torch.ones(500))[:, 0]
    assert reached.abs().max().item() == pytest.approx(STEP) and reached.std() > 0.8 * STEP


def test_rows_with_virtual_goals_are_cloned_and_no_others():
    agent = with_known_world(make({"cloning_weight": 3.0}), action=0.5)
    for parameter in agent.critic.network.parameters():
        nn.init.zeros_(parameter)
    batch = replace(make_batch(4), action=torch.tensor([[1.0], [0.5], [-1.0], [0.0]]))
    relabelled = RelabelledBatch(**vars(batch), is_virtual=torch.tensor([True, False, True, False]))
    metrics = agent.update_actor(relabelled)
    mean_error = (0.5**2 + 1.5**2) / 4
    assert float(metrics["cloning_error"]) == pytest.approx(mean_error, rel=1e-5)
    assert float(metrics["actor_loss"]) == pytest.approx(3.0 * mean_error, rel=1e-5)


def test_only_the_model_learns_while_it_warms_up():
    agent = make({"warmup_updates": 2})
    before = [parameter.detach().clone() for parameter in agent.critic.network.parameters()]
    for _ in range(2):
        assert agent.update(make_batch()).keys() == {"model_error"}
    assert all(torch.equal(*pair) for pair in zip(before, agent.critic.network.parameters(), strict=True))
    assert {"model_error", "critic_loss", "cloning_error"} <= agent.update(make_batch()).keys()


def test_the_model_is_fitted_to_actions_as_the_actor_speaks_of_them():
    agent = make({"warmup_updates": 1000}, model_learning={"learning_rate": 0.02})
    for seed in range(200):
        agent.update(make_batch(seed=seed))
    reached = agent.model.network.predict(torch.zeros(1, 2), torch.ones(1, 1))
    assert reached[0, 0].item() == pytest.approx(1.0, abs=0.1)  # an action of 2 in the task's units


def test_it_learns_to_go_where_it_is_told_from_goals_that_were_missed():
    agent = make(
        {"warmup_updates": 20, "cloning_weight": 1.0}, critic={"learning_rate": 5e-3, "target_range": [-2.0, 0.0]},
        actor={"hidden_sizes": [32], "learning_rate": 5e-3}, target={"rate": 0.1},
        model={"num_models": 2, "hidden_sizes": [32]},
    )  # fmt: skip
    for seed in range(250):
        agent.update(make_batch(seed=seed))
    test = make_batch(200, seed=1000)
    action = agent.policy(explore=False)(test.observation, test.goal)
    assert (test.observation[:, :1] + action / 2 - test.goal).abs().mean() < 0.3  # at best 0.08, standing still 0.67


@pytest.mark.parametrize(
    ("lacking", "what"),
    [("goal_of", "read achieved goals off observations"), ("reward_fn", "compute rewards of any goal")],
)
def test_a_task_that_does_not_tell_goals_or_rewards_is_refused(lacking, what):
    with pytest.raises(ConfigError, match=rf"^variant\.agent: MHER must {what}, which line does not allow: use 'ddpg'"):
        make({}, replace(SPEC, **{lacking: None}))


def test_where_goals_are_observations_they_need_not_be_read_off():
    agent = make({}, replace(SPEC, goal_of=None, observation_shape=(1,)))
    assert agent.goal_of(torch.ones(1, 1)).tolist() == [[1.0]]


@pytest.mark.parametrize("setting", [{"fraction": 1.5}, {"rollout_steps": -1}, {"warmup_updates": -1}])
def test_settings_that_make_no_sense_are_refused(setting):
    (name,) = setting
    with pytest.raises(ConfigError, match=f"{name} must "):
        make(setting)
