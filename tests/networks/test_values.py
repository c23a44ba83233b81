"""Values of states under goals, plain and by way of a representation."""

import pytest
import torch

from lifelong_rl.networks.values import GoalValue, RepresentedValue, WaypointProposer, on_sphere

OBSERVATION, GOAL = torch.randn(2, 5, 3, generator=torch.Generator().manual_seed(0))


def represented(size: int = 4) -> RepresentedValue:
    torch.manual_seed(0)
    return RepresentedValue(2, 3, 3, size, [16], layer_norm=True)


def test_members_estimate_each_for_themselves_and_look_at_state_and_goal():
    torch.manual_seed(0)
    network = GoalValue(2, 3, 3, [16], layer_norm=True)
    value = network(OBSERVATION, GOAL)
    assert value.shape == (2, 5) and not torch.equal(value[0], value[1])
    assert not torch.equal(network(OBSERVATION, GOAL + 1), value)
    assert not torch.equal(network(OBSERVATION + 1, GOAL), value)


@pytest.mark.parametrize("size", [1, 4, 10])
def test_representations_lie_on_the_sphere_of_radius_root_of_their_size(size):
    representation = represented(size).represent(OBSERVATION, GOAL)
    assert representation.shape == (5, size)
    assert representation.square().sum(-1).tolist() == pytest.approx([size] * 5, rel=1e-5)
    assert on_sphere(torch.tensor([3.0, 4.0])).tolist() == pytest.approx([0.6 * 2**0.5, 0.8 * 2**0.5])


def test_a_value_knows_of_the_goal_by_its_representation_alone():
    network = represented()
    representation = network.represent(OBSERVATION, GOAL)
    assert torch.equal(network(OBSERVATION, GOAL), network.value(OBSERVATION, representation))
    assert {name.split(".")[0] for name, _ in network.named_parameters()} == {"representation", "value"}


def test_learning_a_value_teaches_the_representation():
    network = represented()
    network(OBSERVATION, GOAL).square().sum().backward()
    assert all(float(weight.grad.abs().sum()) > 0 for weight in network.representation.layers[0].parameters())


def test_a_proposer_begins_with_no_waypoint_in_mind():
    assert torch.equal(WaypointProposer(3, 3, 4, [16])(OBSERVATION, GOAL), torch.zeros(5, 4))
