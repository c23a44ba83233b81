"""A film follows episodes: where each began, whether its goal was reached, and a trail that never joins two of them."""

import numpy as np
import pytest

from lifelong_rl.envs.film import STRIP, draw_film
from lifelong_rl.envs.maze2d import Maze2dTask
from lifelong_rl.envs.maze2d_film import follow_episodes, maze_footage, top_down
from lifelong_rl.envs.registry import make_task


@pytest.fixture(scope="module")
def task() -> Maze2dTask:
    return make_task("maze2d-umaze-v1", num_envs=1, generator=np.random.default_rng(0), horizon=4)


def walk(*episodes: list[float], goal: float = 3.0) -> np.ndarray:
    """States [T, 1, 7] of episodes given as x positions, with y = 1 and the goal at (`goal`, 1)."""
    rows = [[x, 1.0, 0.0, 0.0, goal, 1.0, step] for episode in episodes for step, x in enumerate(episode)]
    return np.array(rows)[:, None]


def shown(task: Maze2dTask, states: np.ndarray, first: int = 0) -> list[tuple[np.ndarray, np.ndarray]]:
    """What the film of these states asks to be drawn: states and trails."""
    asked = []

    def draw(state, trail):
        asked.append((state, trail))
        return np.zeros((10, 200, 3), np.uint8)

    names = [f"env {env}" for env in range(states.shape[1])]
    list(draw_film(maze_footage(states, names, [""] * len(states), task.spec, draw, first)))
    return asked


def test_a_goal_counts_as_reached_until_its_episode_ends():
    start, is_at_goal, has_reached = follow_episodes(walk([1, 2.6, 1.5], [1, 2]))
    assert start[:, 0].tolist() == [0, 0, 0, 3, 3]
    assert is_at_goal[:, 0].tolist() == [False, True, False, False, False]
    assert has_reached[:, 0].tolist() == [False, True, True, False, False]


def test_episodes_cut_before_their_end_are_told_apart():
    states = walk([1, 1.1, 1.2, 1.3])
    states[2:, 0, 6] = [7, 8]
    assert follow_episodes(states)[0][:, 0].tolist() == [0, 0, 2, 2]


def test_environments_side_by_side_are_followed_each_by_itself():
    states = np.concatenate([walk([1, 1.1], [1, 1.1]), walk([1, 3, 1, 1])], axis=1)
    start, _, has_reached = follow_episodes(states)
    assert start.T.tolist() == [[0, 0, 2, 2], [0, 0, 0, 0]]
    assert has_reached.T.tolist() == [[False] * 4, [False, True, True, True]]


def test_a_trail_leads_from_its_episodes_start_to_now(task):
    long, short = np.linspace(1, 3, 21).tolist(), np.linspace(3, 1, 5).tolist()
    states = walk(long, short)
    for time, (state, trail) in enumerate(shown(task, states)):
        begin = 0 if time < len(long) else len(long)
        assert np.array_equal(trail[0], states[begin, 0, :2]) and np.array_equal(trail[-1], state[:2])
        assert np.all(np.diff(trail[:, 0]) * (1 if begin == 0 else -1) >= 0)


def test_a_trail_knows_what_came_before_the_first_frame(task):
    states = walk(np.linspace(1, 3, 10).tolist())
    asked = shown(task, states, first=7)
    assert len(asked) == 3 and np.array_equal(asked[0][1][0], states[0, 0, :2])


def test_the_text_tells_step_and_success(task):
    footage = maze_footage(walk([1, 2, 3]), ["a"], ["same"] * 3, task.spec, top_down(task, 1))
    assert (footage.step[:, 0].tolist(), footage.horizon) == ([0, 1, 2], 4)
    strips = [frame[STRIP : 2 * STRIP].astype(int) for frame in draw_film(footage)]
    is_green = [bool(((strip[..., 1] - strip[..., 0]) > 60).any()) for strip in strips]
    assert is_green == [False, False, True]
