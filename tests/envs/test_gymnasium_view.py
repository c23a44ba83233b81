"""A maze as gymnasium knows environments."""

import subprocess
import sys
import warnings

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

from lifelong_rl.config import ConfigError
from lifelong_rl.envs.registry import register_gymnasium


@pytest.fixture(autouse=True, scope="module")
def _registered():
    register_gymnasium()


@pytest.mark.parametrize("name", ["Maze2d-UMaze-v1", "Maze2d-Eval-Large-Dense-v1"])
def test_gymnasiums_own_checker_has_nothing_to_say(name):
    env = gymnasium.make(f"lifelong_rl/{name}", render_mode="rgb_array")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_env(env.unwrapped)


def test_an_episode_is_truncated_at_the_horizon_and_never_terminated():
    env = gymnasium.make("lifelong_rl/Maze2d-UMaze-v1", horizon=4)
    env.reset(seed=0)
    ends = [env.step(env.action_space.sample())[2:4] for _ in range(4)]
    assert ends == [(False, False)] * 3 + [(False, True)]


def test_rewards_and_success_follow_from_the_goals_one_or_many():
    env = gymnasium.make("lifelong_rl/Maze2d-UMaze-v1", random_goals=True)
    env.reset(seed=0)
    observation, reward, _, _, info = env.step(np.zeros(2, np.float32))
    compute_reward = env.unwrapped.compute_reward
    assert compute_reward(observation["achieved_goal"], observation["desired_goal"], info) == reward == info["success"]

    achieved, desired = np.zeros((3, 2)), np.array([[0.0, 0.4], [0.0, 0.6], [0.5, 0.0]])
    assert compute_reward(achieved, desired, [{}] * 3).tolist() == [1.0, 0.0, 1.0]


def test_a_seed_decides_an_episode_and_episodes_without_one_differ():
    env = gymnasium.make("lifelong_rl/Maze2d-Large-v1", random_goals=True)
    first, second, third = env.reset(seed=7)[0], env.reset()[0], env.reset(seed=7)[0]
    assert np.array_equal(first["observation"], third["observation"])
    assert np.array_equal(first["desired_goal"], third["desired_goal"])
    assert not np.array_equal(first["observation"], second["observation"])


def test_a_picture_is_drawn_only_when_asked_for():
    env = gymnasium.make("lifelong_rl/Maze2d-UMaze-v1", render_mode="rgb_array")
    env.reset(seed=0)
    assert env.render().shape == (480, 480, 3)
    with pytest.raises(ConfigError, match=r"^maze2d-umaze-v1: render_mode must be None or 'rgb_array', got 'human'\.$"):
        type(env.unwrapped)(env.unwrapped._task.config, render_mode="human")


def test_an_id_can_be_made_in_a_fresh_process_by_naming_its_module():
    made = 'gymnasium.make("lifelong_rl.envs.gymnasium_ids:lifelong_rl/Maze2d-UMaze-v1").reset(seed=0)[0].keys()'
    command = [sys.executable, "-c", f"import gymnasium; print(sorted({made}))"]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert printed.strip() == "['achieved_goal', 'desired_goal', 'observation']"
