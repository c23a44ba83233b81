"""A point in a square: what moves it, what it is rewarded for, and that it can be put back."""

import warnings

import gymnasium
import numpy as np
import pytest
import torch
from gymnasium.utils.env_checker import check_env
from torch import Tensor

from lifelong_rl.config import ConfigError
from lifelong_rl.envs.plane import PlaneTask
from lifelong_rl.envs.registry import make_task, register_gymnasium


def build(*, num_envs: int = 4, seed: int = 0, **options) -> PlaneTask:
    return make_task("plane-v1", num_envs=num_envs, generator=np.random.default_rng(seed), **options)


def at(x: float, y: float, goal=(0.0, 0.0)) -> PlaneTask:
    task = build(num_envs=1)
    task.set_sim_state(torch.tensor([[x, y, 0.0, 0.0, *goal, 0.0]], dtype=torch.float64))
    return task


@pytest.mark.parametrize(
    ("action", "after"), [((1.0, -0.5), (0.7, 0.4)), ((0.0, 3.0), (0.5, 0.7)), ((-9.0, 0.0), (0.3, 0.5))]
)
def test_an_action_moves_by_a_fifth_of_itself_and_counts_as_1_at_most(action, after):
    observation = at(0.5, 0.5).step(torch.tensor([action])).observed.observation
    assert observation[0].tolist() == pytest.approx(after)


def test_the_border_of_the_square_holds():
    task = at(0.9, -1.0)
    assert task.step(torch.tensor([[1.0, -1.0]])).observed.observation[0].tolist() == [1.0, -1.0]


@pytest.mark.parametrize(("gap", "near"), [(0.149, True), (0.151, False)])
def test_success_and_a_reward_of_0_are_for_being_near(gap, near):
    outcome = at(0.0, gap).step(torch.zeros(1, 2))
    assert (bool(outcome.success), outcome.reward.item()) == (near, near - 1.0)
    assert not outcome.terminated.any()


def test_starts_and_goals_fill_the_square_and_the_own_goal_stays():
    observed = build(num_envs=4000, random_goals=True).reset()
    for place in (observed.observation, observed.desired_goal):
        assert place.mean(0).abs().max() < 0.05 and place.std(0).numpy() == pytest.approx(1 / np.sqrt(3), abs=0.03)
    task = build()
    assert task.reset().desired_goal.tolist() == task.reset().desired_goal.tolist() == [[0.5, 0.5]] * 4


def test_an_episode_lasts_15_steps_and_any_place_is_10_away_at_most():
    task = at(-1.0, -1.0, goal=(1.0, 1.0))
    outcomes = [task.step(torch.ones(1, 2)) for _ in range(15)]
    assert [bool(outcome.truncated) for outcome in outcomes] == [False] * 14 + [True]
    assert [bool(outcome.success) for outcome in outcomes] == [False] * 9 + [True] * 6


def test_a_plane_goes_on_from_its_state_dict_as_if_nothing_had_happened():
    def play(task: PlaneTask) -> list[Tensor]:
        seen = []
        for step in range(8):
            outcome = task.step(torch.full((4, 2), 0.1 * step))
            seen.append(torch.cat([outcome.observed.observation, outcome.observed.desired_goal]))
            task.reset_where(outcome.truncated)
        return seen

    task, other = build(horizon=5, random_goals=True), build(horizon=5, random_goals=True, seed=7)
    play(task)
    state = task.state_dict()
    expected = play(task)
    other.load_state_dict(state)
    assert all(torch.equal(a, b) for a, b in zip(expected, play(other), strict=True))


def test_bad_input_is_refused_in_one_line():
    with pytest.raises(ValueError, match=r"^plane-v1: action of environment 1 must be finite, got \[nan  0\.\]\.$"):
        build().step(torch.tensor([[0.0, 0.0], [torch.nan, 0.0], [0.0, 0.0], [0.0, 0.0]]))
    with pytest.raises(ConfigError, match=r"^task.layout belongs to the mazes and grids, got '#' for 'plane-v1'\.$"):
        build(layout="#")
    with pytest.raises(ConfigError, match=r"^task.horizon must be at least 1 step, got 0\.$"):
        build(horizon=0)


def test_gymnasiums_own_checker_has_nothing_to_say_and_there_is_no_picture():
    register_gymnasium()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_env(gymnasium.make("lifelong_rl/Plane-v1", random_goals=True).unwrapped, skip_render_check=True)
    with pytest.raises(ConfigError, match="^plane-v1: has no picture, so render_mode must be None, got 'rgb_array'"):
        gymnasium.make("lifelong_rl/Plane-v1", render_mode="rgb_array")
