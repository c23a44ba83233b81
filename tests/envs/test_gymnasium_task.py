"""Any gymnasium id as a Task: what it shows and takes, how episodes end, and that states restore exactly."""

from typing import Any

import gymnasium
import numpy as np
import pytest
import torch
from gymnasium.spaces import Discrete
from torch import Tensor

from lifelong_rl.config import ConfigError
from lifelong_rl.envs.gymnasium_episode import Episode
from lifelong_rl.envs.gymnasium_task import LARGEST_SEED, build_gymnasium
from lifelong_rl.envs.workers import WorkerConfig, WorkerTask
from lifelong_rl.types import Observed, Task
from tests.envs.gymnasium_fixtures import FIXTURES, make, robotics

HORIZON = 7
EXACT = [
    "CartPole-v1", "MountainCar-v0", "Pendulum-v1", "FrozenLake-v1", "HalfCheetah-v5", "Ant-v5", "FetchReach-v4",
    "FetchPush-v4", "HandReach-v3", "HandManipulateEggFull-v1", "PointMaze_UMaze-v3", "AntMaze_UMaze-v5",
]  # fmt: skip


def needing_robotics(names: list[str]) -> list[Any]:
    parts = ("Fetch", "Hand", "Maze_")
    return [pytest.param(name, marks=robotics) if any(part in name for part in parts) else name for name in names]


def actions(task: Task, generator: torch.Generator) -> Tensor:
    if task.spec.discrete:
        return torch.randint(task.spec.action_size, (task.num_envs,), generator=generator)
    return torch.rand(task.num_envs, task.spec.action_size, generator=generator) * 2 - 1


def led(task: Task, num_steps: int, seed: int = 0) -> list[Tensor]:
    """All that some steps show, episodes that end begun anew."""
    generator, seen = torch.Generator().manual_seed(seed), []
    for _ in range(num_steps):
        outcome = task.step(actions(task, generator))
        observed = task.reset_where(outcome.terminated | outcome.truncated)
        seen += [*vars(outcome.observed).values(), *vars(observed).values(), task.sim_state()]
        seen += [outcome.reward, outcome.terminated, outcome.truncated, outcome.success]
    return seen


def equal(first: list[Tensor], second: list[Tensor]) -> bool:
    return len(first) == len(second) and all(map(torch.equal, first, second))


@pytest.mark.parametrize("name", needing_robotics(EXACT))
def test_a_state_restores_exactly_in_the_middle_of_an_episode_and_over_the_next_resets(name):
    task, other = make(name, horizon=20), make(name, horizon=20, seed=1)
    led(task, 27)
    led(other, 5, seed=1)

    other.load_state_dict(task.state_dict())
    assert equal(led(task, 50, seed=2), led(other, 50, seed=2))


@pytest.mark.parametrize("name", needing_robotics(["CartPole-v1", "FetchReach-v4", "HandManipulateBlockFull-v1"]))
@pytest.mark.parametrize("num_envs", [1, 8])
def test_the_last_observation_of_an_episode_is_its_own_and_never_the_next_ones_first(name, num_envs):
    task = make(name, num_envs, HORIZON, seed=3)
    seeds = np.random.default_rng(3).integers(LARGEST_SEED, size=num_envs)
    plain = [gymnasium.make(name, max_episode_steps=HORIZON) for _ in range(num_envs)]
    shown = [env.reset(seed=int(seed))[0] for env, seed in zip(plain, seeds, strict=True)]
    same(task.reset_where(torch.zeros(num_envs, dtype=torch.bool)), shown)

    generator = torch.Generator().manual_seed(0)
    for _ in range(HORIZON):
        action = actions(task, generator)
        outcome = task.step(action)
        ends = []
        for index, env in enumerate(plain):
            taken = action[index].item() if task.spec.discrete else action[index].numpy()
            shown[index], reward, terminated, truncated, _ = env.step(taken)
            assert (outcome.reward[index], outcome.terminated[index]) == (np.float32(reward), terminated)
            assert outcome.truncated[index] == truncated
            ends.append(terminated or truncated)
        same(outcome.observed, shown)
    assert all(ends)

    last = outcome.observed.observation.clone()
    first = task.reset_where(torch.tensor(ends))
    assert torch.equal(outcome.observed.observation, last)
    assert (first.observation != last).any(1).all()


def same(observed: Observed, shown: list[Any]) -> None:
    if isinstance(shown[0], dict):
        for key, value in vars(observed).items():
            assert np.array_equal(value, np.stack([one[key] for one in shown]).astype(np.float32))
    else:
        assert np.array_equal(observed.observation, np.stack(shown).astype(np.float32))


@robotics
def test_a_force_that_an_episode_left_behind_does_not_reach_the_next():
    episode = Episode(gymnasium.make("HandManipulateBlockFull-v1", disable_env_checker=True))
    first = episode.begin(0)["observation"]
    episode.env.unwrapped.data.qfrc_applied[:] = 0.5
    assert (episode.env.reset(seed=0)[0]["observation"] != first).any()  # its own reset keeps it
    assert np.array_equal(episode.begin(0)["observation"], first)


def test_only_the_environments_that_ended_begin_anew():
    task = make("CartPole-v1", 3)
    before = task.step(torch.zeros(3, dtype=torch.int64)).observed.observation
    after = task.reset_where(torch.tensor([False, True, False])).observation
    assert (before != after).any(1).tolist() == [False, True, False]


def test_a_box_of_any_bounds_takes_actions_between_minus_one_and_one():
    task = make(f"{FIXTURES}Slide-v0", 3)
    task.step(torch.tensor([[-1.0, -1.0], [0.0, 0.0], [1.0, 1.0]]))
    taken = [episode.env.unwrapped.taken for episode in task._episodes]
    np.testing.assert_allclose(taken, [[-0.1, 0.0], [0.0, 0.15], [0.1, 0.3]], atol=1e-8)
    assert (task.spec.action_low, task.spec.action_high, task.spec.action_size) == (-1.0, 1.0, 2)
    make(f"{FIXTURES}SlideMatrix-v0").step(torch.zeros(2, 2))  # a Box of shape [2, 1], which the environment asserts


def test_images_stay_bytes_and_choices_are_counted_from_zero():
    task = make(f"{FIXTURES}Camera-v0", 2)
    outcome = task.step(torch.tensor([0, 2]))
    assert (task.spec.observation_shape, task.spec.action_size, task.spec.discrete) == ((8, 6, 3), 3, True)
    assert outcome.observed.observation.dtype == torch.uint8 and (outcome.observed.observation == 1).all()
    assert [episode.env.unwrapped.taken for episode in task._episodes] == [5, 7]
    assert task.sim_state().shape == (2, 0)


def test_without_goals_their_tensors_have_width_zero_and_a_numbered_state_is_one_hot():
    task = make("FrozenLake-v1")
    observed = task.reset()
    assert (task.spec.goal_shape, task.spec.reward_fn, task.spec.success_fn) == ((0,), None, None)
    assert observed.achieved_goal.shape == observed.desired_goal.shape == (2, 0)
    assert observed.observation.tolist() == [[1.0] + [0.0] * 15] * 2
    assert not task.step(torch.zeros(2, dtype=torch.int64)).success.any()


def test_a_horizon_of_ones_own_ends_episodes_also_where_the_environment_has_none():
    task = make(f"{FIXTURES}SlideEndless-v0", horizon=3)
    ends = [task.step(torch.zeros(2, 2)).truncated.tolist() for _ in range(3)]
    assert task.spec.horizon == 3 and ends == [[False] * 2, [False] * 2, [True] * 2]
    with pytest.raises(ConfigError, match=r"^task.horizon must be at least 1 step, got 0\.$"):
        make("CartPole-v1", horizon=0)


def test_wrong_actions_and_foreign_states_are_named():
    task = make("Pendulum-v1")
    with pytest.raises(ValueError, match=r"^Pendulum-v1: action of environment 1 must be finite, got \[nan\]\.$"):
        task.step(torch.tensor([[0.0], [torch.nan]]))
    with pytest.raises(ValueError, match=r"^Pendulum-v1: the state of 2 environments does not fit 3\.$"):
        make("Pendulum-v1", 3).load_state_dict(task.state_dict())
    options = {"generator": np.random.default_rng(0), "random_goals": True, "horizon": None, "num_threads": 1}
    with pytest.raises(ConfigError, match=r"^task.layout belongs to the mazes, got '###' for 'CartPole-v1'\.$"):
        build_gymnasium(name="CartPole-v1", num_envs=1, layout="###", **options)


def test_an_environment_that_ignores_seeds_is_named_at_the_start_and_when_a_state_is_not_restored():
    name = f"{FIXTURES}SlideUnseeded-v0"
    with pytest.warns(UserWarning, match="does not repeat itself when seeded"):
        task, other = make(name), make(name)
    with pytest.warns(UserWarning, match="environment 1 shows numbers that differ by up to .* saved: its episodes"):
        other.load_state_dict(task.state_dict())


@pytest.mark.parametrize("name", [f"{FIXTURES}Camera-v0", f"{FIXTURES}Slide-v0"])
def test_worker_processes_show_bytes_goals_and_choices_as_one_process_does(name):
    options = {"name": name, "random_goals": False, "layout": None, "horizon": HORIZON, "num_threads": 1}
    builder, config = "lifelong_rl.envs.gymnasium_task:build_gymnasium", WorkerConfig(num_workers=1)
    with WorkerTask(builder, options, num_envs=2, seed=0, config=config) as task:
        led(task, 10)
        state = task.state_dict()
        alone = make(name, 2, HORIZON)
        alone.load_state_dict(state["workers"]["0"])
        assert equal(led(task, 10, seed=1), led(alone, 10, seed=1))
        task.load_state_dict(state)
        assert task.spec.discrete is isinstance(gymnasium.make(name).action_space, Discrete)
