"""Fetch reach and push from pictures, with pictures as goals (Eysenbach et al. 2022, Wang et al. 2023).

The simulation is a `GymnasiumTask` that shows configurations; this draws them. So a picture follows from the state of
the simulator alone, and a task's state holds no pictures.
"""

import atexit
import contextlib
import functools
import weakref
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from lifelong_rl.config import ConfigError
from lifelong_rl.envs.robotics import INSTALL, register_robotics
from lifelong_rl.envs.wrapper import TaskWrapper
from lifelong_rl.types import Observed, Outcome, Task

SIZE = 64  # pixels, both ways
Image = NDArray[np.uint8]


@dataclass(frozen=True, kw_only=True)
class View:
    """Where the camera is; metres and degrees."""

    lookat: tuple[float, float, float]
    distance: float
    azimuth: float
    elevation: float


@dataclass(frozen=True, kw_only=True)
class Scene:
    """A kind of environment and how it is seen."""

    entry_point: str
    view: View


SCENES = {
    "fetch-reach-image-v1": Scene(
        entry_point="lifelong_rl.envs.fetch_configurations:FetchReachConfiguration",
        view=View(lookat=(1.2, 0.8, 0.5), distance=0.8, azimuth=180.0, elevation=-30.0),
    ),
    "fetch-push-image-v1": Scene(
        entry_point="lifelong_rl.envs.fetch_configurations:FetchPushConfiguration",
        view=View(lookat=(1.25, 0.8, 0.4), distance=0.65, azimuth=90.0, elevation=-40.0),
    ),
}


class FetchCamera:
    """Draws configurations of one model, without the marks that show a goal or what moves the hand."""

    def __init__(self, model: Any, view: View) -> None:
        from lifelong_rl.envs.mujoco_import import mujoco, no_renderer

        self._mujoco, self._model, self._data = mujoco, model, mujoco.MjData(model)
        model.geom_rgba[model.geom_bodyid == model.body("robot0:mocap").id] = 0.0
        model.site("target0").rgba[:] = 0.0
        model.vis.global_.offwidth = model.vis.global_.offheight = SIZE
        try:
            self._renderer = mujoco.Renderer(model, SIZE, SIZE)
        except Exception as error:  # AttributeError, ImportError, FatalError, EGLError: each backend has its own
            raise ConfigError(f"task.name: {no_renderer(error)}") from error
        end = functools.partial(_close, self._renderer)
        atexit.register(end)  # before EGL's own, after which nothing can be freed
        weakref.finalize(self, end).atexit = False
        self._camera = mujoco.MjvCamera()
        self._camera.lookat[:] = view.lookat
        self._camera.distance, self._camera.azimuth = view.distance, view.azimuth
        self._camera.elevation = view.elevation

    def draw(self, configurations: Tensor) -> Tensor:
        """[N, nq] to [N, SIZE, SIZE, 3] uint8."""
        pictures = np.empty((len(configurations), SIZE, SIZE, 3), np.uint8)
        for picture, configuration in zip(pictures, configurations.numpy(), strict=True):
            self._data.qpos[:] = configuration
            self._mujoco.mj_kinematics(self._model, self._data)
            self._mujoco.mj_camlight(self._model, self._data)
            self._renderer.update_scene(self._data, self._camera)
            self._renderer.render(out=picture)
        return torch.from_numpy(pictures)


class FetchImageTask(TaskWrapper):
    """Observation, achieved and desired goal are [N, 64, 64, 3] uint8, the first two one and the same.

    What is a success only the simulator can say, and a reward does not follow from two pictures: the spec has neither.
    """

    def __init__(self, name: str, task: Task, camera: FetchCamera, configuration_size: int) -> None:
        super().__init__(task)
        shape = (SIZE, SIZE, 3)
        nothing: dict[str, Any] = dict.fromkeys(("reward_fn", "success_fn", "goal_of", "with_goal"))
        self.spec = replace(task.spec, name=name, observation_shape=shape, goal_shape=shape, **nothing)
        self._camera, self._size = camera, configuration_size
        self._goals = torch.zeros(self.num_envs, 0)  # as configurations, and drawn
        self._drawn_goals = torch.zeros(self.num_envs, *shape, dtype=torch.uint8)

    def reset(self) -> Observed:
        return self._drawn(self.task.reset())

    def step(self, action: Tensor) -> Outcome:
        outcome = self.task.step(action)
        return replace(outcome, observed=self._drawn(outcome.observed))

    def reset_where(self, ended: Tensor) -> Observed:
        return self._drawn(self.task.reset_where(ended))

    def picture_of(self, state: NDArray[np.float64]) -> Image:
        """[64, 128, 3]: what a row of `sim_state` shows and, beside it, its goal."""
        ends = torch.from_numpy(np.stack([state[: self._size], state[-self._size :]]))
        return np.concatenate(list(self._camera.draw(ends).numpy()), axis=1)

    def _drawn(self, observed: Observed) -> Observed:
        picture = self._camera.draw(observed.observation[:, -self._size :])
        self._draw_goals(observed.desired_goal[:, -self._size :])
        return Observed(observation=picture, achieved_goal=picture, desired_goal=self._drawn_goals)

    def _draw_goals(self, goals: Tensor) -> None:
        """Those alone that are new."""
        if goals.shape == self._goals.shape:
            where = (goals != self._goals).any(1)
            if not bool(where.any()):
                return
            drawn = self._drawn_goals.clone()  # what was returned stays as it is
            drawn[where] = self._camera.draw(goals[where])
        else:
            drawn = self._camera.draw(goals)
        self._goals, self._drawn_goals = goals.clone(), drawn


def build_fetch_image(
    *, name: str, num_envs: int, generator: np.random.Generator, random_goals: bool, layout: str | None,
    horizon: int | None, num_threads: int,
) -> FetchImageTask:  # fmt: skip
    """The builder that the registry names; the environment draws its own goals, and needs no threads."""
    if layout is not None:
        raise ConfigError(f"task.layout belongs to the mazes, got {layout!r} for {name!r}.")
    if not register_robotics():
        raise ConfigError(f"task.name: {name!r} needs gymnasium-robotics, which is not installed: {INSTALL}")
    import gymnasium

    from lifelong_rl.envs.fetch_configurations import HORIZON
    from lifelong_rl.envs.gymnasium_task import GymnasiumTask

    scene, identifier = SCENES[name], f"lifelong_rl/{name.removesuffix('-v1')}-configurations-v1"
    if identifier not in gymnasium.registry:
        gymnasium.register(identifier, scene.entry_point, max_episode_steps=HORIZON)
    model: Any = gymnasium.make(identifier, disable_env_checker=True).unwrapped.model  # type: ignore[attr-defined]
    camera = FetchCamera(model, scene.view)
    task = GymnasiumTask(identifier, num_envs=num_envs, generator=generator, horizon=horizon)
    return FetchImageTask(name, task, camera, model.nq)


def _close(renderer: Any) -> None:
    """A renderer frees what bears its numbers in the context that is current, which must be its own."""
    with contextlib.suppress(Exception):  # closed before, or the library is gone
        renderer.render()
        renderer.close()
