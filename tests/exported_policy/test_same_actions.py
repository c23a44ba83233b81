"""An exported policy acts as its agent does, bit by bit, for every agent and every way to act."""

import pytest
import torch

from experiment_configs.acting import ACTING_OF
from experiment_configs.agents import AGENTS
from tests.experiment_configs.tiny_policies import CASES, exported, rows_for


@pytest.mark.parametrize("name", [*AGENTS, *CASES])
def test_a_loaded_policy_acts_as_the_agent_does(name, tmp_path):
    loaded, _, policy = exported(tmp_path, name)
    rows = rows_for(loaded, 50)
    loaded.agent.generator.manual_seed(0)
    original = loaded.agent.policy(explore=False)
    for _ in range(2):  # those that plan remember their plans
        action = original(*rows)
        assert torch.equal(policy.act(*rows), action)
    assert len(action.unique(dim=0)) > 1


def test_every_agent_of_the_table_has_a_line():
    assert set(ACTING_OF) == set(AGENTS)


def test_loading_draws_nothing_from_the_global_generator(tmp_path):
    state = torch.get_rng_state()
    exported(tmp_path, "qrl, mppi")
    assert torch.equal(torch.get_rng_state(), state)
