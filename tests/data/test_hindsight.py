"""Where goals come from: mrl's names in our words, and the sources that read whole episodes or the whole store."""

import pytest
import torch

from lifelong_rl.data.episodes import EpisodeStore
from lifelong_rl.data.hindsight import MIXES, HindsightConfig, hindsight_mix
from lifelong_rl.data.samplers import HindsightSampler


@pytest.mark.parametrize(
    ("name", "shares"),
    [
        ("future_4", {"behaviour": 0.2, "future": 0.8}),
        ("futureactual_2_2", {"behaviour": 0.2, "future": 0.4, "desired": 0.4}),
        ("futureachieved_3_1", {"behaviour": 0.2, "future": 0.6, "achieved": 0.2}),
        ("rfaa_1_4_3_2", {"behaviour": 0.1, "future": 0.4, "desired": 0.3, "achieved": 0.2}),
        ("rfaab_1_4_3_1_1", {"behaviour": 0.1, "future": 0.4, "achieved": 0.1, "desired": 0.3, "followed": 0.1}),
    ],
)
def test_mrls_names_are_mixtures_of_our_sources(name, shares):
    assert hindsight_mix(name).sources == pytest.approx(shares)
    assert hindsight_mix(name).future_discount is None  # uniform over the rest of the episode


@pytest.mark.parametrize("name", ["future", "future_x", "future_4_1", "futur_4", "rfaab_1_4_3_1", ""])
def test_names_that_are_no_mixture_are_refused_with_what_was_expected(name):
    expected = next((mix for mix in MIXES if mix.split("_")[0] == name.split("_")[0]), MIXES[0])
    with pytest.raises(ValueError, match=f"is no mixture of goals; expected .*{expected}.*, e.g. future_4"):
        hindsight_mix(name)


def store_of(lengths: list[int]) -> EpisodeStore:
    """Achieved at time t is t; the goal that was followed is 1000 + its episode, the one asked for 2000 + that."""
    total = sum(lengths)
    episode = torch.repeat_interleave(torch.arange(len(lengths)), torch.tensor(lengths)).float()[:, None]
    time = torch.arange(total).float()[:, None]
    ended = torch.cat([torch.arange(length) == length - 1 for length in lengths])
    store = EpisodeStore(total)
    store.extend(
        {
            "observation": time, "action": time, "reward": time[:, 0], "next_observation": time, "goal": 1000 + episode,
            "next_achieved_goal": time, "desired_goal": 2000 + episode, "terminated": torch.zeros(total, dtype=bool),
        },
        ended,
    )  # fmt: skip
    return store


def test_final_goals_are_what_the_episode_ended_with_and_how_far_that_was():
    sampler = HindsightSampler(
        store_of([3, 5, 1]), HindsightConfig(final=1.0), torch.Generator().manual_seed(0), batch_size=200
    )
    batch = sampler.sample()
    time = batch.observation[:, 0]
    ends = torch.where(time < 3, 2, torch.where(time < 8, 7, 8))
    assert torch.equal(batch.goal[:, 0].long(), ends.long()) and set(time.tolist()) == set(range(9))
    assert torch.equal(batch.steps_to_goal, ends - time + 1)


def test_goals_that_were_followed_or_asked_for_come_from_anywhere_in_the_store():
    store, generator = store_of([3, 5, 1]), torch.Generator().manual_seed(0)
    config = HindsightConfig(followed=1.0, desired=1.0, behaviour=2.0)
    batch = HindsightSampler(store, config, generator, batch_size=8000).sample()
    goal, own = batch.goal[:, 0], 1000 + (batch.observation[:, 0] >= 3).float() + (batch.observation[:, 0] >= 8).float()
    assert (goal >= 2000).float().mean().item() == pytest.approx(0.25, abs=0.02)
    others = (goal < 2000) & (goal != own)
    assert others.float().mean().item() == pytest.approx(0.25 * (1 - (3**2 + 5**2 + 1) / 9**2), abs=0.02)
    assert set(goal.tolist()) == {1000.0, 1001.0, 1002.0, 2000.0, 2001.0, 2002.0}
    assert (batch.steps_to_goal == -1).all()
