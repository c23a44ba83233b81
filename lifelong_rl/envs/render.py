"""Draws simulator states through MuJoCo's own renderer, without a screen."""

from types import TracebackType

import numpy as np
from numpy.typing import NDArray

from lifelong_rl.envs.maze2d_grid import Floats
from lifelong_rl.envs.maze2d_physics import BODY_OFFSET
from lifelong_rl.envs.mujoco_import import mujoco, no_renderer

Image = NDArray[np.uint8]


class MazeRenderer:
    """Draws rows of `Maze2dTask.sim_state()`; a context manager, for GL contexts must be given back."""

    def __init__(self, model: mujoco.MjModel, *, height: int = 480, width: int = 480) -> None:
        self._model, self._data = model, mujoco.MjData(model)
        self._renderer = _open_renderer(model, height, width)
        self._camera = _camera_above(model)

    def draw(self, sim_state: Floats) -> Image:
        """sim_state [7], columns as in maze2d.SIM_STATE, to [H, W, 3] uint8."""
        self._data.qpos[:], self._data.qvel[:] = sim_state[:2], sim_state[2:4]
        self._model.site_pos[self._model.site("goal").id][:2] = sim_state[4:6] + BODY_OFFSET
        mujoco.mj_forward(self._model, self._data)
        self._renderer.update_scene(self._data, self._camera)
        image: Image = self._renderer.render()
        return image.copy()

    def close(self) -> None:
        self._renderer.close()

    def __enter__(self) -> "MazeRenderer":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()


def _open_renderer(model: mujoco.MjModel, height: int, width: int) -> mujoco.Renderer:
    try:
        return mujoco.Renderer(model, height, width)
    except Exception as error:  # AttributeError, ImportError, FatalError, EGLError: each backend has its own
        raise no_renderer(error) from error


def _camera_above(model: mujoco.MjModel) -> mujoco.MjvCamera:
    """Looks down on the middle of the walls, a little from the side, near enough to fill the picture."""
    walls = model.geom_pos[model.geom_type == mujoco.mjtGeom.mjGEOM_BOX]
    low, high = walls.min(axis=0), walls.max(axis=0)
    camera = mujoco.MjvCamera()
    camera.lookat[:] = (low + high) / 2
    camera.distance = 1.25 * float((high - low).max() + 1)
    camera.azimuth, camera.elevation = 180.0, -75.0  # x comes towards the viewer, as rows do in the layout's text
    return camera
