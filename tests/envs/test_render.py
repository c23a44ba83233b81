"""Simulator states are drawn without a screen, or one line says what to install."""

import os
import subprocess
import sys

import pytest

from lifelong_rl.envs.mujoco_import import no_renderer

DRAW = """
import numpy as np
from lifelong_rl.envs.mujoco_import import NoRendererError
try:
    from lifelong_rl.envs.maze2d_grid import MazeGrid
    from lifelong_rl.envs.maze2d_physics import build_maze_model
    from lifelong_rl.envs.render import MazeRenderer
    model = build_maze_model(MazeGrid.from_layout(r"#####\\#GOO#\\###O#\\#OOO#\\#####"))
    state = np.array([1.0, 1.0, 0.0, 0.0, 1.0, 1.0, 0.0])
    with MazeRenderer(model, height=120, width=160) as renderer:
        first = renderer.draw(state)
        state[:2] = 3.0
        second = renderer.draw(state)
    print("drawn", first.shape, first.dtype, (first != second).any(axis=-1).sum())
except NoRendererError as error:
    print("refused", error)
"""


def draw_with(backend: str) -> str:
    environment = {**os.environ, "MUJOCO_GL": backend}
    environment.pop("DISPLAY", None)
    environment.pop("PYOPENGL_PLATFORM", None)
    result = subprocess.run([sys.executable, "-c", DRAW], capture_output=True, text=True, env=environment)
    assert result.stdout, result.stderr
    return result.stdout.strip()


@pytest.mark.parametrize("backend", ["osmesa", "egl"])
def test_a_state_is_drawn_or_the_package_to_install_is_named(backend):
    told = draw_with(backend)
    if told.startswith("drawn"):
        num_changed = int(told.split()[-1])
        assert told.startswith("drawn (120, 160, 3) uint8")
        assert 10 < num_changed < 2000
    else:
        assert told.startswith(f"refused cannot draw with MUJOCO_GL={backend} (")
        assert "Install the package libosmesa6 and set MUJOCO_GL=osmesa" in told
        assert "\n" not in told


def test_a_library_that_is_nowhere_is_named_in_the_complaint():
    told = str(no_renderer(AttributeError("'NoneType' object has no attribute\n 'glGetError'")))
    assert "(AttributeError: 'NoneType' object has no attribute 'glGetError')" in told
    assert "libosmesa6" in told
