"""The camera of gymnasium's MuJoCo environments, on what there is to be seen, in one OpenGL context for all of them."""

import warnings
from collections.abc import Sequence
from typing import Any

from gymnasium.spaces import Dict

from lifelong_rl.envs.gymnasium_episode import Environment

NEARER, FARTHER = 0.7, 1.2  # times the distance of an environment's own camera
OVERVIEW_DISTANCE, OVERVIEW_ELEVATION = 1.3, -60.0  # times the extent of the scene; degrees
GOAL_OPACITY = 0.4
_HOLDERS = ("ant_env", "point_env")  # where the mazes of gymnasium-robotics keep their simulator


class Camera:
    """Draws any of several environments of one id by the first one's renderer: each would take about 120 MB.

    gymnasium's own camera stands still. Here it goes along with a robot that has nowhere to be, shows Fetch from nearer
    and the Hand's objects from farther off, since the goal is beside them, and the whole of an ant's maze.
    """

    def __init__(self, environments: Sequence[Environment], size: int) -> None:
        self._environments = environments
        self._holders = [_holder(env) for env in environments]
        self._renderer: Any = self._holders[0].mujoco_renderer
        for holder in self._holders:
            holder.mujoco_renderer = self._renderer
        share = min(1.0, size / max(self._renderer.width, self._renderer.height))  # without a screen each pixel costs
        self._renderer.width, self._renderer.height = (
            round(share * side) for side in (self._renderer.width, self._renderer.height)
        )
        has_goal = isinstance(environments[0].observation_space, Dict)
        self._ahead = None if has_goal else [0.0, 0.0]  # from the robot's trunk to where the camera looks
        for env in environments:
            _show_goal(env)

    @classmethod
    def of(cls, environments: Sequence[Environment], size: int) -> "Camera | None":
        """Of pictures with sides of at most `size`; None where they draw without gymnasium's MuJoCo renderer."""
        return cls(environments, size) if hasattr(_holder(environments[0]), "mujoco_renderer") else None

    def look_at(self, index: int) -> None:
        """What the environment draws next is what this one holds; all must have been reset."""
        if self._renderer.viewer is None:
            with warnings.catch_warnings(action="ignore"):  # where there is no screen, glfw says so before it fails
                self._environments[0].render()
            self._place()
        viewer, holder = self._renderer.viewer, self._holders[index]
        viewer.model, viewer.data = holder.model, holder.data
        viewer.make_context_current()
        if self._ahead is not None:
            viewer.cam.lookat[:2] = holder.data.xpos[1, :2] + self._ahead

    def close(self) -> None:
        self._renderer.close()

    def _place(self) -> None:
        inner, camera = self._environments[0].unwrapped, self._renderer.viewer.cam
        if self._ahead is not None:
            self._ahead = camera.lookat[:2] - self._holders[0].data.xpos[1, :2]
        elif _is_fetch(self._environments[0]):
            camera.distance *= NEARER
        elif hasattr(inner, "target_position"):
            camera.distance *= FARTHER
        elif hasattr(inner, "ant_env"):
            scene = self._holders[0].model.stat
            camera.lookat[:], camera.distance = scene.center, OVERVIEW_DISTANCE * scene.extent
            camera.elevation = OVERVIEW_ELEVATION


def _show_goal(env: Environment) -> None:
    """Fetch marks it by a ball that the hand hides: here it is as large as what counts as near."""
    if _is_fetch(env):
        inner: Any = env.unwrapped
        mark = inner.model.site("target0")
        mark.size[:], mark.rgba[3] = inner.distance_threshold, GOAL_OPACITY


def _is_fetch(env: Environment) -> bool:
    space = env.observation_space
    is_place = isinstance(space, Dict) and space["desired_goal"].shape == (3,)
    return is_place and hasattr(env.unwrapped, "distance_threshold")


def _holder(env: Environment) -> Any:
    inner = env.unwrapped
    return next((getattr(inner, name) for name in _HOLDERS if hasattr(inner, name)), inner)
