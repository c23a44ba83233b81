"""True distances are those of the quickest way at top speed."""

import numpy as np
import pytest

from lifelong_rl.envs.maze2d_config import MAZES
from lifelong_rl.envs.maze2d_distance import distance_field, steps_between
from lifelong_rl.envs.maze2d_grid import MazeGrid


def grid_of(maze: str) -> MazeGrid:
    return MazeGrid.from_layout(MAZES[maze].layout)


def test_in_the_open_it_is_the_longer_side_at_a_twentieth_of_a_metre_a_step():
    start, goal = np.array([[1.0, 1.0], [1.0, 1.0], [3.0, 5.0]]), np.array([[1.0, 4.0], [3.0, 3.0], [3.0, 5.0]])
    assert steps_between(grid_of("open"), start, goal).tolist() == pytest.approx([60.0, 40.0, 0.0], abs=1e-6)


def test_around_the_umaze_it_goes_by_the_inner_corners():
    # From (1, 1) to the inner corner at y = 2.4, across from x = 1.2 to 2.4, and back: 1.4 + 1.2 + 1.4 metres.
    steps = steps_between(grid_of("umaze"), np.array([[1.0, 1.0]]), np.array([[3.0, 1.0]]))
    assert steps.tolist() == pytest.approx([4.0 / 0.05])


@pytest.mark.parametrize("maze", ["umaze", "large"])
def test_it_is_the_same_both_ways_and_no_way_round_is_shorter(maze):
    grid, generator = grid_of(maze), np.random.default_rng(0)
    x, y, z = (np.round(grid.sample_positions(30, generator), 1) for _ in range(3))
    assert steps_between(grid, x, y) == pytest.approx(steps_between(grid, y, x))
    assert np.all(steps_between(grid, x, z) <= steps_between(grid, x, y) + steps_between(grid, y, z) + 1e-9)


def test_goals_off_the_nodes_are_right_to_a_step():
    grid, generator = grid_of("medium"), np.random.default_rng(1)
    start, goal = grid.sample_positions(50, generator), grid.sample_positions(50, generator)
    each = [distance_field(grid, one).at(begin[None])[0] for begin, one in zip(start, goal, strict=True)]
    assert steps_between(grid, start, goal) == pytest.approx(each, abs=2.0)


def test_a_field_is_defined_on_all_free_floor_and_infinite_deep_in_walls():
    grid = grid_of("umaze")
    field = distance_field(grid, grid.goal_cell.astype(np.float64))
    corners = np.array([[3.2, 3.2], [2.4, 2.4], [0.4, 0.4]])
    assert np.isfinite(field.at(corners)).all()
    assert np.isinf(field.at(np.array([[1.8, 1.3], [-0.5, -0.5], [99.0, 99.0]]))).all()
    assert field.at(np.array([1.0, 1.0])) == pytest.approx(0.0, abs=1e-6)
