"""A loaded policy acts in any loop of gymnasium, and says in one line what does not fit."""

import gymnasium
import numpy as np
import pytest

from lifelong_rl.config import ConfigError
from lifelong_rl.exported_policy import ExportedPolicy
from tests.experiment_configs.tiny_policies import exported


@pytest.fixture(scope="module")
def maze(tmp_path_factory) -> ExportedPolicy:
    return exported(tmp_path_factory.mktemp("maze"), "gcivl")[2]


@pytest.fixture(scope="module")
def pendulum(tmp_path_factory) -> ExportedPolicy:
    return exported(tmp_path_factory.mktemp("pendulum"), "sac, stretched actions")[2]


@pytest.fixture(scope="module")
def lake(tmp_path_factory) -> ExportedPolicy:
    return exported(tmp_path_factory.mktemp("lake"), "dqn, one-hot rows")[2]


def observation(count: int | None = None) -> dict[str, np.ndarray]:
    leading = () if count is None else (count,)
    generator = np.random.default_rng(0)
    return {key: generator.uniform(1, 3, (*leading, size)) for key, size in (("observation", 4), ("desired_goal", 2))}


def test_one_observation_gives_one_action_and_a_batch_gives_a_batch(maze):
    batch = observation(5)
    actions = maze(batch)
    assert actions.shape == (5, 2) and actions.dtype == np.float32
    alone = [maze({key: rows[index] for key, rows in batch.items()}) for index in range(5)]
    assert np.allclose(actions, alone, atol=1e-6) and alone[0].shape == (2,)
    assert maze({key: rows.tolist() for key, rows in batch.items()}).shape == (5, 2)


def test_what_else_the_environment_shows_does_not_matter(maze):
    shown = observation()
    assert np.array_equal(maze(shown | {"achieved_goal": np.zeros(2)}), maze(shown))


def test_actions_are_stretched_to_the_environments_bounds(pendulum):
    env = gymnasium.make("Pendulum-v1")
    assert pendulum.action_space == env.action_space and pendulum.observation_space == env.observation_space
    shown = np.random.default_rng(0).normal(size=(200, 3)).astype(np.float32)
    actions = pendulum(shown)
    assert actions.shape == (200, 1) and actions.dtype == env.action_space.dtype
    assert 1 < np.abs(actions).max() <= 2
    assert env.action_space.contains(pendulum(shown[0]))


def test_choices_of_places_are_whole_numbers_that_the_environment_takes(lake):
    env = gymnasium.make("FrozenLake-v1")
    shown, _ = env.reset(seed=0)
    assert env.action_space.contains(lake(shown))
    assert lake(np.arange(16)).shape == (16,) and lake(np.arange(16)).dtype == np.int64


def test_a_vector_of_environments_takes_its_batches(pendulum):
    envs = gymnasium.make_vec("Pendulum-v1", num_envs=3)
    shown, _ = envs.reset(seed=0)
    assert envs.step(pendulum(shown))[1].shape == (3,)
    envs.close()


@pytest.mark.parametrize(
    ("wrong", "part"),
    [
        (np.zeros(4), "expected a dict with observation and desired_goal, got no dict"),
        ({"observation": np.zeros(4)}, "got a dict of observation"),
        ({"observation": np.zeros(5), "desired_goal": np.zeros(2)}, "expected numbers of shape [4], or a batch [N, 4]"),
        ({"observation": np.zeros((2, 3, 4)), "desired_goal": np.zeros(2)}, "got [2, 3, 4]"),
        ({"observation": np.zeros((3, 4)), "desired_goal": np.zeros((2, 2))}, "3 observations come with 2"),
        ({"observation": np.zeros(4), "desired_goal": np.array([1, np.nan])}, "holds nan"),
        ({"observation": ["x"] * 4, "desired_goal": np.zeros(2)}, "expected numbers"),
    ],
)
def test_an_observation_that_does_not_fit_is_refused_in_one_line(maze, wrong, part):
    with pytest.raises(ConfigError, match="observation") as error:
        maze(wrong)
    assert part in str(error.value) and "\n" not in str(error.value)


@pytest.mark.parametrize("wrong", [16, -1, 2.5, np.array([[1, 2]])])
def test_a_place_that_is_not_there_is_refused(lake, wrong):
    with pytest.raises(ConfigError, match="^observation: expected"):
        lake(wrong)


def test_a_plan_is_remembered_until_it_is_reset(tmp_path):
    _, _, policy = exported(tmp_path, "qrl, mppi")
    shown = observation(4)
    policy(shown)
    plan = policy._policy.state_dict()["plan"].clone()
    policy.reset([True, False, False, True])
    kept = policy._policy.state_dict()["plan"]
    assert not kept[[0, 3]].any() and np.array_equal(kept[1:3], plan[1:3]) and plan.any()
    policy.reset()
    assert not policy._policy.state_dict()["plan"].any()
