"""Fetch from pictures: what is shown, what counts as success, that states restore exactly, and what cannot be drawn."""

import functools
from typing import Any

import numpy as np
import pytest
import torch

from lifelong_rl.config import ConfigError
from lifelong_rl.envs import registry
from lifelong_rl.envs.fetch_images import FetchCamera, FetchImageTask, build_fetch_image
from lifelong_rl.envs.mujoco_import import mujoco
from lifelong_rl.envs.registry import check_task_name, make_task
from lifelong_rl.types import Task
from tests.envs.gymnasium_fixtures import robotics

pytestmark = [robotics, pytest.mark.usefixtures("opengl")]
NAMES = ["fetch-reach-image-v1", "fetch-push-image-v1"]
every_task = pytest.mark.parametrize("name", NAMES)


def make(name: str, num_envs: int = 2, seed: int = 0, horizon: int | None = 8) -> FetchImageTask:
    task = make_task(name, num_envs=num_envs, generator=np.random.default_rng(seed), horizon=horizon)
    assert isinstance(task, FetchImageTask)
    return task


@functools.cache
def shared(name: str) -> FetchImageTask:
    """Whoever takes it resets it."""
    return make(name, horizon=None)


def led(task: Task, num_steps: int) -> list[torch.Tensor]:
    generator, seen = torch.Generator().manual_seed(3), []
    for _ in range(num_steps):
        outcome = task.step(torch.rand(task.num_envs, 4, generator=generator) * 2 - 1)
        observed = task.reset_where(outcome.truncated)
        seen += [*vars(outcome.observed).values(), *vars(observed).values(), outcome.success, task.sim_state()]
    return seen


@every_task
def test_observations_and_goals_are_pictures_of_bytes_and_the_first_is_what_was_achieved(name):
    task = shared(name)
    observed = task.reset()
    for picture in vars(observed).values():
        assert picture.shape == (2, 64, 64, 3) and picture.dtype == torch.uint8
        assert picture.float().std() > 20
    assert observed.achieved_goal is observed.observation
    spec = task.spec
    assert (spec.name, spec.observation_shape, spec.goal_shape) == (name, (64, 64, 3), (64, 64, 3))
    assert (spec.horizon, spec.action_size) == (50, 4)
    assert spec.reward_fn is spec.success_fn is spec.goal_of is spec.with_goal is None


@every_task
def test_a_picture_of_the_goal_is_one_of_its_episode_alone_and_stays_until_the_next(name):
    task = shared(name)
    goal = task.reset().desired_goal
    assert not torch.equal(goal[0], goal[1])
    during = task.step(torch.zeros(2, 4)).observed.desired_goal
    after = task.reset_where(torch.tensor([False, True])).desired_goal
    assert torch.equal(during, goal) and torch.equal(after[0], goal[0]) and not torch.equal(after[1], goal[1])
    assert torch.equal(goal, during)  # what was returned has not changed


@every_task
def test_a_state_restores_exactly_in_the_middle_of_an_episode_and_over_the_next_resets(name):
    task, other = make(name, 1), make(name, 1, seed=1)
    led(task, 5)
    other.load_state_dict(task.state_dict())
    assert all(map(torch.equal, led(task, 6), led(other, 6)))


def test_the_hand_that_goes_to_the_place_in_the_picture_has_succeeded():
    task = shared("fetch-reach-image-v1")
    task.reset()
    inner: Any = task.task
    for _ in range(15):
        shown = inner.reset_where(torch.zeros(2, dtype=torch.bool))
        ahead = shown.desired_goal[:, :3] - shown.observation[:, :3]
        outcome = task.step(torch.cat([(10 * ahead).clamp(-1, 1), torch.zeros(2, 1)], 1))
    assert outcome.success.all() and outcome.reward.tolist() == [1.0, 1.0]
    apart = (outcome.observed.observation.float() - outcome.observed.desired_goal.float()).abs().mean((1, 2, 3))
    start = (task.reset().observation.float() - outcome.observed.desired_goal.float()).abs().mean((1, 2, 3))
    assert (apart < start / 3).all()  # it looks alike


def test_pushing_counts_by_the_block_alone_which_begins_beside_the_hand():
    task = shared("fetch-push-image-v1")
    task.reset()
    inner: Any = task.task
    shown = inner.reset_where(torch.zeros(2, dtype=torch.bool))
    assert shown.observation[:, :2].tolist() == pytest.approx(np.array([[1.15, 0.75]] * 2), abs=5e-3)
    assert shown.desired_goal[:, 1].tolist() == pytest.approx([0.75] * 2, abs=5e-3)

    environment = inner._episodes[0].env.unwrapped
    near = environment.compute_reward(np.array([[1.2, 0.75, 9.0]]), np.array([[1.24, 0.75, 0.0]]), {})
    far = environment.compute_reward(np.array([[1.2, 0.75, 0.0]]), np.array([[1.26, 0.75, 0.0]]), {})
    assert (near.tolist(), far.tolist()) == ([1.0], [0.0])


def test_a_task_that_is_gone_leaves_the_pictures_of_others_as_they_were():
    task, other = shared("fetch-reach-image-v1"), make("fetch-push-image-v1", 1)
    before = task.reset().observation
    other.reset()
    del other
    assert torch.equal(task.reset_where(torch.zeros(2, dtype=torch.bool)).observation, before)


def test_a_layout_and_an_absent_extra_are_refused_in_one_line(monkeypatch):
    options: Any = {"num_envs": 1, "generator": np.random.default_rng(0), "random_goals": True, "num_threads": 1}
    with pytest.raises(ConfigError, match="task.layout belongs to the mazes, got '##' for 'fetch-reach-image-v1'"):
        build_fetch_image(name=NAMES[0], layout="##", horizon=None, **options)
    monkeypatch.setattr(registry, "register_robotics", lambda: False)
    line = r"^task.name: 'fetch-push-image-v1' belongs to gymnasium-robotics, which is not installed: pip install .*'$"
    with pytest.raises(ConfigError, match=line):
        check_task_name("fetch-push-image-v1")


def test_where_nothing_can_be_drawn_one_line_says_what_to_install(monkeypatch):
    def fail(*sizes: Any) -> None:
        raise AttributeError("'NoneType' object has no attribute\n 'glGetError'")

    monkeypatch.setattr(mujoco, "Renderer", fail)
    with pytest.raises(ConfigError, match=r"^task.name: cannot draw with MUJOCO_GL=.*glGetError.* libosmesa6"):
        make(NAMES[0], 1)


def test_a_camera_draws_nothing_of_the_goal_and_of_what_moves_the_hand():
    task: Any = shared("fetch-reach-image-v1")
    camera: FetchCamera = task._camera
    model = camera._model
    assert model.site("target0").rgba.tolist() == [0.0] * 4
    assert not model.geom_rgba[model.geom_bodyid == model.body("robot0:mocap").id].any()
