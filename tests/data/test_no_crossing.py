"""Sampled pairs stay in their episodes, whoever filled the store; benchmarks/torture_crossing.py draws a million."""

import numpy as np
import pytest
import torch

from benchmarks.torture_crossing import crosses, filled_store, samplers
from lifelong_rl.data.hindsight import HindsightConfig
from lifelong_rl.data.samplers import HindsightSampler


def test_no_pair_crosses_whatever_the_store_the_goals_and_the_steps_joined():
    drawn = [(label, crosses(sampler.sample(), n_step)) for label, sampler, n_step in samplers(generator(), 500)]
    assert len(drawn) == 84
    assert [label for label, crossing in drawn if crossing.any()] == []


@pytest.mark.parametrize("num_envs", [1, 8])
@pytest.mark.parametrize("n_step", [3, 10])
def test_a_store_that_knows_of_no_ends_is_caught(num_envs, n_step):
    store = filled_store(generator(), num_envs, "extend", marked=False)
    sampler = HindsightSampler(
        store, HindsightConfig(future=1), torch.Generator().manual_seed(0), batch_size=500, n_step=n_step
    )
    assert crosses(sampler.sample(), n_step).float().mean() > 0.5


def generator() -> np.random.Generator:
    return np.random.default_rng(7)
