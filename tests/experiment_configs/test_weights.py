"""The line about networks: every agent has one, and the numbers are those of its networks."""

import pytest
import torch

from experiment_configs.agents import AGENTS
from experiment_configs.weights import count_weights, networks_line
from tests.experiment_configs.test_agent_contract import make


@pytest.mark.parametrize("name", AGENTS)
def test_every_agent_says_how_many_weights_its_networks_have(name: str):
    line = networks_line(make(name).state_dict())
    assert line.startswith("networks: ") and line.endswith(" weights") and any(map(str.isdigit, line)), line
    assert "target" not in line


def test_networks_are_counted_once_without_targets_optimizers_and_normalizers():
    agent = make("sac")  # twin critics [16] and an actor [16], of 4 numbers observed, 2 of a goal and 2 of an action
    assert networks_line(agent.state_dict()) == "networks: critic 322, actor 180 weights"


def test_thousands_and_millions_are_short():
    state = {"critics": [{"critic": {"w": torch.zeros(140, 1000)}, "multipliers": [torch.zeros(1)]}] * 2}
    big = {"actor": {"network": {"w": torch.zeros(1200, 1000)}}, "num_updates": 3, "log_temperature": torch.zeros(1)}
    assert networks_line(state | big) == "networks: critics 280.0k, actor 1.2M weights"
    assert count_weights({"ring": torch.zeros(5), "num_seen": 0}) == 0
