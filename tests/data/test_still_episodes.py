"""Episodes in which nothing moved that goals speak of are drawn less often where a sampler is asked to."""

import pytest
import torch

from lifelong_rl.data.episodes import EpisodeStore
from lifelong_rl.data.hindsight import HindsightConfig
from lifelong_rl.data.samplers import HindsightSampler
from lifelong_rl.types import Step

NUM_ENVS, LENGTH = 4, 5


def store() -> EpisodeStore:
    """Observations number the 8 episodes, two in each environment; only in number 6 something moves, a metre a step."""
    held = EpisodeStore(1000, NUM_ENVS)
    number = torch.arange(NUM_ENVS, dtype=torch.float32)
    for time in range(2 * LENGTH):
        episode = (2 * number + (time >= LENGTH))[:, None]
        moved = (number == 3) * min(time, LENGTH - 1)
        flags = torch.full((NUM_ENVS,), time % LENGTH == LENGTH - 1)
        held.add(
            Step(
                observation=episode, action=episode, reward=0 * number,
                next_observation=episode, next_achieved_goal=moved[:, None], goal=number[:, None],
                desired_goal=number[:, None], terminated=flags & False, ended=flags,
            )
        )  # fmt: skip
    return held


def sampler(redraws: int, distance: float = 0.5) -> HindsightSampler:
    generator = torch.Generator().manual_seed(0)
    config = HindsightConfig(future=1.0)
    return HindsightSampler(
        store(), config, generator, batch_size=40_000, still_redraws=redraws, still_distance=distance
    )  # fmt: skip


@pytest.mark.parametrize("redraws", [0, 1, 4])
def test_the_share_of_moving_episodes_is_that_of_the_last_of_several_draws(redraws):
    drawn = sampler(redraws).sample().observation == 6
    assert float(drawn.float().mean()) == pytest.approx(1 - (7 / 8) ** (redraws + 1), abs=0.01)


def test_what_does_not_move_is_not_lost():
    batch = sampler(3).sample()
    assert set(batch.observation[:, 0].tolist()) == set(range(8))


def test_what_moves_by_no_more_than_the_distance_counts_as_still():
    drawn = sampler(4, distance=LENGTH - 1).sample().observation == 6
    assert float(drawn.float().mean()) == pytest.approx(1 / 8, abs=0.01)
