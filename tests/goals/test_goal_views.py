"""Goals as nodes, on exact graphs; goals as states."""

import numpy as np
import pytest
import torch

from lifelong_rl.goals.views import NodeGoals, NodeGoalsConfig, StateGoals, StateGoalsConfig
from lifelong_rl.types import TaskSpec

INFINITE = 1e9


def shortest_paths(edges: np.ndarray) -> np.ndarray:
    """Floyd and Warshall: edges [N, N], INFINITE where there is none."""
    distance = np.minimum(edges, np.where(np.eye(len(edges)), 0, INFINITE))
    for via in range(len(edges)):
        distance = np.minimum(distance, distance[:, via, None] + distance[None, via])
    return distance


@pytest.mark.parametrize("seed", range(20))
def test_a_node_for_each_goal_keeps_all_state_distances_and_lies_one_step_behind_the_nearest_state_of_its_set(seed):
    generator = np.random.default_rng(seed)
    num_states, num_goals = 12, 4
    pairs = (num_states, num_states)
    edges = np.where(generator.random(pairs) < 0.25, generator.integers(1, 5, pairs), INFINITE)
    goal_of = generator.integers(0, num_goals, num_states)
    joined = np.full((num_states + num_goals, num_states + num_goals), INFINITE)
    joined[:num_states, :num_states] = edges
    joined[np.arange(num_states), num_states + goal_of] = 1  # the edge from a state to the node of the goal it achieves

    states, both = shortest_paths(edges), shortest_paths(joined)

    assert (both[:num_states, :num_states] == states).all()
    for goal in range(num_goals):
        members = np.flatnonzero(goal_of == goal)
        if len(members):
            nearest = states[:, members].min(1)
            reachable = nearest < INFINITE
            assert (both[:num_states, num_states + goal][reachable] == nearest[reachable] + 1).all()
    assert (both[:, None, :] <= both[:, :, None] + both[None, :, :]).all()  # again a quasimetric


def spec() -> TaskSpec:
    return TaskSpec(
        name="point", observation_shape=(4,), goal_shape=(2,), action_size=2, horizon=10,
        reward_fn=lambda a, g: a[..., 0], success_fn=lambda a, g: a[..., 0] > 0,
        goal_of=lambda o: o[..., :2], with_goal=lambda o, g: torch.cat([g, o[..., 2:]], -1),
        speed_of=lambda o: o[..., 2:].norm(dim=-1),
    )  # fmt: skip


def test_a_goal_becomes_a_state_at_rest_or_moving_as_the_agent_moves():
    observation, goal = torch.tensor([[1.0, 2.0, 3.0, 4.0]]), torch.tensor([[8.0, 9.0]])
    assert StateGoals(StateGoalsConfig(motion="rest"), spec()).asked(observation, goal).tolist() == [[8, 9, 0, 0]]
    assert StateGoals(StateGoalsConfig(motion="current"), spec()).asked(observation, goal).tolist() == [[8, 9, 3, 4]]


def test_an_edge_costs_more_the_faster_the_state_and_is_missing_above_the_limit():
    observation = torch.tensor([[0.0, 0.0, 0.0, 0.0], [0.0, 0.0, 3.0, 4.0]])
    cost, weight = NodeGoals(NodeGoalsConfig(cost=1.0, speed_cost=2.0), spec()).edge(observation)
    assert cost.tolist() == [1, 11] and weight.tolist() == [1, 1]
    cost, weight = NodeGoals(NodeGoalsConfig(max_speed=0.5), spec()).edge(observation)
    assert cost.tolist() == [1, 1] and weight.tolist() == [1, 0]
