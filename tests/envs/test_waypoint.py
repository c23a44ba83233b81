"""The waypoint controller takes D4RL's ways, arrives, and plans afresh exactly when it should."""

import numpy as np
import pytest
import torch

from lifelong_rl.envs.maze2d_config import MAZES
from lifelong_rl.envs.maze2d_grid import MazeGrid
from lifelong_rl.envs.registry import make_task
from lifelong_rl.envs.waypoint import WaypointController, WaypointPolicy, plan_next_cells

MOVES = [(0, 0), (0, -1), (0, 1), (-1, 0), (1, 0)]  # stay, up, down, left, right


def q_iteration_ways(grid: MazeGrid, target: tuple[int, int]) -> dict[tuple[int, int], tuple[int, int]]:
    """The next cell from each free cell by D4RL's planner: 50 rounds of Q-iteration, first best action."""
    cells = [tuple(cell) for cell in grid.free_cells.tolist()]
    leads_to = {(cell, move): (cell[0] + move[0], cell[1] + move[1]) for cell in cells for move in MOVES}
    leads_to = {key: after if after in cells else key[0] for key, after in leads_to.items()}
    value = dict.fromkeys(cells, 0.0)
    for _ in range(50):
        q = {cell: [float(cell == target) + 0.99 * value[leads_to[cell, move]] for move in MOVES] for cell in cells}
        value = {cell: max(q[cell]) for cell in cells}
    return {cell: leads_to[cell, MOVES[int(np.argmax(q[cell]))]] for cell in cells}


@pytest.mark.parametrize("maze", ["umaze", "medium", "large", "open"])
def test_ways_and_their_ties_are_those_of_q_iteration(maze):
    grid = MazeGrid.from_layout(MAZES[maze].layout)
    next_cells = plan_next_cells(grid)
    for target in grid.free_cells[:: max(1, len(grid.free_cells) // 6)]:
        for cell, expected in q_iteration_ways(grid, tuple(target.tolist())).items():
            assert tuple(next_cells[(*target, *cell)].tolist()) == expected


def run_policy(name: str, num_envs: int, *, random_goals: bool = True) -> tuple[torch.Tensor, torch.Tensor]:
    """Returns, and whether it was at the goal in the last step."""
    task = make_task(name, num_envs=num_envs, generator=np.random.default_rng(0), random_goals=random_goals)
    policy = WaypointPolicy(task.grid, num_envs=num_envs, generator=np.random.default_rng(1))
    observed, total = task.reset(), torch.zeros(num_envs)
    for _ in range(task.spec.horizon):
        outcome = task.step(policy(observed.observation, observed.desired_goal))
        observed, total = outcome.observed, total + outcome.reward
    return total, outcome.success


@pytest.mark.parametrize("name", ["maze2d-umaze-v1", "maze2d-large-v1"])
def test_it_arrives_from_everywhere_and_stays(name):
    assert run_policy(name, 100)[1].all()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("maze", "random_goals", "expected", "tolerance"),
    # The reference's returns over 300 episodes and three of its standard errors (about 3, 5, 7), ours added.
    [
        ("umaze", False, 225.0, 10), ("medium", False, 422.1, 16), ("large", False, 555.9, 22),
        ("umaze", True, 242.4, 10), ("medium", True, 457.2, 16), ("large", True, 574.1, 22),
    ],
)  # fmt: skip
def test_a_fresh_controller_scores_what_is_known_of_it(maze, random_goals, expected, tolerance):
    returns, _ = run_policy(f"maze2d-{maze}-v1", 2000, random_goals=random_goals)
    assert returns.mean().item() == pytest.approx(expected, abs=tolerance)


def build(num_envs: int = 1) -> WaypointController:
    grid = MazeGrid.from_layout(MAZES["umaze"].layout)
    return WaypointController(grid, num_envs=num_envs, generator=np.random.default_rng(0))


def test_control_is_proportional_and_damped_and_clipped():
    position, velocity = np.array([[3.0, 1.0]]), np.array([[0.3, 2.0]])
    controller = build()
    controller.act(position, velocity, np.array([[3.0, 1.05]]))
    action, solved = controller.act(position, velocity, np.array([[3.0, 1.05]]))
    assert solved.tolist() == [True]
    np.testing.assert_allclose(action, [[-0.3, -1.0]])


def test_waypoints_lie_towards_the_middle_of_the_floor_but_the_last_is_the_whole_number():
    controller, position, goal = build(500), np.full((500, 2), [1.0, 1.0]), np.full((500, 2), [1.0, 3.0])
    controller.act(position, np.zeros((500, 2)), goal)
    jitter = np.array([1, 2]) - controller._waypoint
    assert (jitter.min(), jitter.max()) == pytest.approx((0.0, 0.2), abs=0.01)

    at_waypoint = controller._waypoint.copy()
    controller.act(at_waypoint, np.zeros((500, 2)), goal)  # too fast to count: a jump of a metre
    controller.act(at_waypoint, np.zeros((500, 2)), goal)
    assert np.array_equal(controller._waypoint, np.full((500, 2), [1.0, 3.0]))


def test_a_plan_is_kept_until_the_goals_cell_changes_or_it_is_told_to_forget():
    controller, position, still = build(), np.array([[1.0, 1.0]]), np.zeros((1, 2))
    controller.act(position, still, np.array([[3.0, 3.0]]))
    waypoint = controller._waypoint.copy()
    controller.act(position, still, np.array([[3.08, 2.95]]))
    assert np.array_equal(controller._waypoint, waypoint)

    controller.act(position, still, np.array([[3.0, 2.0]]))
    assert not np.array_equal(controller._waypoint, waypoint)

    waypoint = controller._waypoint.copy()
    controller.forget(np.array([True]))
    controller.act(position, still, np.array([[3.0, 2.0]]))
    assert not np.array_equal(controller._waypoint, waypoint)


def test_a_goal_inside_a_wall_is_refused():
    with pytest.raises(ValueError, match=r"^waypoint controller: the goal's cell \(2, 1\) is a wall\.$"):
        build().act(np.ones((1, 2)), np.zeros((1, 2)), np.array([[2.0, 1.0]]))
