"""Batches drawn from real stores: whose goals, rewards and costs they carry, and with what probability."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from lifelong_rl.data.episodes import EpisodeStore
from lifelong_rl.data.hindsight import HindsightConfig
from lifelong_rl.data.samplers import HindsightSampler, MixedSampler, split_batch, truncated_geometric
from lifelong_rl.types import Step

DISCOUNT = 0.5


def store_of(lengths: list[list[int]], num_steps: int, *, terminated: bool = False) -> EpisodeStore:
    """One list of episode lengths per environment, repeated for `2 * num_steps + 3` steps.

    Observations are [environment, episode, step]; the achieved goal is the same row, the reward the step's number.
    """
    num_envs = len(lengths)
    store = EpisodeStore(num_steps * num_envs, num_envs)
    at = [[env, 0, 0] for env in range(num_envs)]
    for _ in range(2 * num_steps + 3):
        ended = [step + 1 >= lengths[env][episode % len(lengths[env])] for env, episode, step in at]
        here = torch.tensor(at, dtype=torch.float32)
        after = here + torch.tensor([0.0, 0, 1])
        flags = torch.tensor(ended)
        store.add(
            Step(
                observation=here,
                action=here,
                reward=after[:, 2],
                next_observation=after,
                next_achieved_goal=after,
                goal=-here,
                desired_goal=-10 - here,
                terminated=flags & terminated,
                ended=flags,
                cost=2 * after[:, 2],
            )
        )
        at = [[e, k + 1, 0] if end else [e, k, s + 1] for (e, k, s), end in zip(at, ended, strict=True)]
    return store


def sampler_of(store: EpisodeStore, hindsight: HindsightConfig, **settings) -> HindsightSampler:
    return HindsightSampler(store, hindsight, torch.Generator().manual_seed(0), discount=DISCOUNT, **settings)


@settings(max_examples=80, deadline=None)
@given(
    st.lists(st.lists(st.integers(1, 9), min_size=1, max_size=3), min_size=1, max_size=3),
    st.integers(1, 12),
    st.sampled_from([None, 0.3, 0.99]),
    st.integers(1, 4),
)
def test_no_pair_spans_two_episodes_however_the_ring_has_wrapped(lengths, num_steps, future_discount, n_step):
    store = store_of(lengths, num_steps)
    hindsight = HindsightConfig(future=1, future_discount=future_discount)
    batch = sampler_of(store, hindsight, batch_size=300, n_step=n_step).sample()
    for other in (batch.next_observation, batch.goal, batch.goal_observation):
        assert torch.equal(other[:, :2], batch.observation[:, :2])
        assert (other[:, 2] > batch.observation[:, 2]).all()
    assert torch.equal(batch.goal[:, 2] - batch.observation[:, 2], batch.steps_to_goal)
    assert torch.equal(batch.goal_observation, batch.goal)
    spanned = batch.next_observation[:, 2] - batch.observation[:, 2]
    assert (spanned <= n_step).all() and torch.equal(batch.discount, DISCOUNT**spanned)
    assert batch.num_steps is not None and torch.equal(batch.num_steps.float(), spanned)


@pytest.mark.parametrize("length", [1, 7, 200, 600])
@pytest.mark.parametrize("discount", [0.5, 0.99, None])
def test_future_goals_follow_the_truncated_geometric_distribution(length, discount):
    count = 400_000
    uniform = torch.rand(count, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    drawn = truncated_geometric(uniform, torch.full((count,), length), discount)
    weights = torch.ones(length) if discount is None else discount ** torch.arange(length, dtype=torch.float64)
    expected = (weights / weights.sum()).cumsum(0)
    measured = torch.bincount(drawn, minlength=length).cumsum(0) / count
    assert len(measured) == length
    assert (measured - expected).abs().max() < 0.004


def test_the_extremes_of_the_uniform_draw_stay_in_range():
    ends = torch.tensor([0.0, 1 - 2**-53], dtype=torch.float64).repeat(1000)
    length = torch.arange(1, 1001).repeat_interleave(2)
    for discount in (None, 1e-6, 0.9, 0.99, 1 - 1e-12):
        drawn = truncated_geometric(ends, length, discount)
        assert (drawn[::2] == 0).all() and (drawn >= 0).all() and (drawn < length).all()


def test_goals_come_from_each_source_as_often_as_its_weight_says():
    store = store_of([[5]], 20)
    hindsight = HindsightConfig(behaviour=1, future=2, desired=1)
    batch = sampler_of(store, hindsight, batch_size=40_000).sample()
    behaviour = (batch.goal == -batch.observation).all(1)
    desired, future = batch.goal[:, 1] <= -10, batch.steps_to_goal > 0
    for chosen, share in [(behaviour, 0.25), (future, 0.5), (desired, 0.25)]:
        assert chosen.float().mean().item() == pytest.approx(share, abs=0.02)
    never = ~future
    assert torch.equal(batch.goal_observation[never], batch.next_observation[never])
    assert (batch.steps_to_goal[never] == -1).all()


def test_random_goals_are_the_previous_row_of_the_batch():
    batch = sampler_of(store_of([[4], [3]], 30), HindsightConfig(random=1), batch_size=50).sample()
    assert torch.equal(batch.goal, batch.next_achieved_goal.roll(1, 0))
    assert torch.equal(batch.goal_observation, batch.next_observation.roll(1, 0))


def test_achieved_goals_come_from_anywhere_in_the_store():
    batch = sampler_of(store_of([[4], [3]], 30), HindsightConfig(achieved=1), batch_size=5000).sample()
    assert torch.equal(batch.goal_observation, batch.goal)
    other_env = batch.goal[:, 0] != batch.observation[:, 0]
    assert other_env.float().mean().item() == pytest.approx(0.5, abs=0.05)


def test_n_step_rewards_are_discounted_and_costs_are_summed_up_to_the_end_of_the_episode():
    batch = sampler_of(store_of([[5]], 41), HindsightConfig(behaviour=1), batch_size=500, n_step=3).sample()
    for row in range(500):
        first, last = int(batch.observation[row, 2]) + 1, int(batch.next_observation[row, 2])
        assert last == min(first + 2, 5)
        rewards = range(first, last + 1)
        assert batch.reward[row].item() == sum(DISCOUNT**k * r for k, r in enumerate(rewards))
        assert batch.cost[row].item() == 2 * sum(rewards)


@pytest.mark.parametrize("n_step", [1, 2])
def test_rewards_follow_the_chosen_goal(n_step):
    def reached(achieved, goal):
        return (achieved == goal).all(-1).float()

    hindsight = HindsightConfig(future=1)
    store = store_of([[6]], 30)
    batch = sampler_of(store, hindsight, batch_size=2000, n_step=n_step, reward_fn=reached).sample()
    inside = batch.steps_to_goal <= n_step
    expected = torch.where(inside, DISCOUNT ** (batch.steps_to_goal - 1), 0)
    assert torch.equal(batch.reward, expected) and inside.any() and not inside.all()


def test_nothing_is_bootstrapped_where_the_task_ended_for_good():
    store = store_of([[4]], 40, terminated=True)
    batch = sampler_of(store, HindsightConfig(behaviour=1), batch_size=400, n_step=2).sample()
    assert torch.equal(batch.discount == 0, batch.next_observation[:, 2] == 4)
    assert torch.equal(batch.ended, batch.discount == 0)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.lists(st.integers(1, 9), min_size=1, max_size=3), min_size=1, max_size=3),
    st.integers(1, 12),
    st.integers(1, 6),
    st.integers(1, 3),
)
def test_waypoints_lie_so_many_steps_ahead_or_at_the_goal_or_the_end_of_the_episode(lengths, num_steps, ahead, n_step):
    store = store_of(lengths, num_steps)
    batch = sampler_of(store, HindsightConfig(future=1), batch_size=300, waypoint_steps=ahead, n_step=n_step).sample()
    assert batch.waypoint_observation is not None
    assert torch.equal(batch.waypoint_observation[:, :2], batch.observation[:, :2])
    steps = batch.waypoint_observation[:, 2] - batch.observation[:, 2]
    assert torch.equal(steps, batch.steps_to_goal.clamp(max=ahead))

    anywhere = HindsightConfig(achieved=1)
    batch = sampler_of(store, anywhere, batch_size=300, waypoint_steps=ahead, n_step=n_step).sample()
    assert batch.waypoint_observation is not None
    end = sampler_of(store, HindsightConfig(final=1), batch_size=300, waypoint_steps=10**6).sample()
    last = {tuple(row[:2].tolist()): float(row[2]) for row in end.goal}
    assert end.waypoint_observation is not None and torch.equal(end.waypoint_observation, end.goal)
    for here, waypoint in zip(batch.observation.tolist(), batch.waypoint_observation.tolist(), strict=True):
        assert waypoint[:2] == here[:2]
        assert waypoint[2] == here[2] + ahead or waypoint[2] == last.get((here[0], here[1]), waypoint[2])
        assert waypoint[2] <= here[2] + ahead


def test_waypoints_change_nothing_else_and_are_absent_unless_asked_for():
    store, hindsight = store_of([[5], [3]], 30), HindsightConfig(future=1, random=1)
    plain = sampler_of(store, hindsight, batch_size=50).sample()
    batch = sampler_of(store, hindsight, batch_size=50, waypoint_steps=2).sample()
    assert plain.waypoint_observation is None
    for name, value in vars(plain).items():
        assert name == "waypoint_observation" or torch.equal(getattr(batch, name), value)


def test_mixed_batches_carry_the_waypoints_of_their_rows_where_there_are_any():
    parts = [sampler_of(store_of([lengths], 20), HindsightConfig(future=1), batch_size=40, waypoint_steps=2)
             for lengths in ([4], [7])]  # fmt: skip
    batch = MixedSampler(parts, torch.Generator().manual_seed(5)).sample()
    assert batch.waypoint_observation is not None
    assert torch.equal(batch.waypoint_observation[:, 2] - batch.observation[:, 2], batch.steps_to_goal.clamp(max=2))
    plain = sampler_of(store_of([[4]], 20), HindsightConfig(future=1), batch_size=40)
    assert MixedSampler([plain, plain], torch.Generator()).sample().waypoint_observation is None


def test_a_restored_sampler_draws_the_same_batch():
    sampler = sampler_of(store_of([[4]], 40), HindsightConfig(future=1, achieved=1), batch_size=64)
    state = sampler.state_dict()
    first, second = sampler.sample(), sampler.sample()
    sampler.load_state_dict(state)
    again = sampler.sample()
    assert torch.equal(again.goal, first.goal) and not torch.equal(again.goal, second.goal)


def test_mixed_batches_hold_the_rows_of_each_sampler_shuffled_together():
    offline, online = split_batch(100, 0.3)
    old = sampler_of(store_of([[4]], 20), HindsightConfig(future=1), batch_size=offline)
    new = sampler_of(store_of([[2], [2], [2]], 20), HindsightConfig(future=1), batch_size=online)
    mixed = MixedSampler([old, new], torch.Generator().manual_seed(5))
    state = mixed.state_dict()
    apart = torch.cat([old.sample().observation, new.sample().observation])
    mixed.load_state_dict(state)
    together = mixed.sample().observation

    assert sorted(map(tuple, together.tolist())) == sorted(map(tuple, apart.tolist()))
    assert not torch.equal(together, apart)
    mixed.load_state_dict(state)
    assert torch.equal(mixed.sample().observation, together)


@pytest.mark.parametrize(("fraction", "rows"), [(0, (0, 64)), (1, (64, 0)), (0.5, (32, 32)), (0.001, (1, 63))])
def test_offline_fraction_gives_the_rows_of_each(fraction, rows):
    assert split_batch(64, fraction) == rows


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({}, "positive sum"),
        ({"future": 1, "achieved": -1}, "at least 0"),
        ({"future": 1, "future_discount": 1.0}, r"in \(0, 1\) or None, got 1.0"),
    ],
)
def test_impossible_mixtures_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        HindsightConfig(**settings)
