"""What every test shares: one thread, repeatable examples, and a way to say that nothing can draw here."""

import ctypes.util
import os

import hypothesis
import pytest
import torch

# MuJoCo picks its renderer as it is imported, and with MUJOCO_GL=osmesa that import fails where the library is absent.
if ctypes.util.find_library("OSMesa"):
    os.environ.setdefault("MUJOCO_GL", "osmesa")

torch.set_num_threads(1)
hypothesis.settings.register_profile("repeatable", derandomize=True, deadline=None, database=None)
hypothesis.settings.load_profile("repeatable")


@pytest.fixture(scope="session")
def opengl() -> None:
    """Skips the test where no scene can be drawn."""
    if os.environ.get("MUJOCO_GL") not in {"osmesa", "egl"}:
        pytest.skip("no OpenGL library to draw with: install libosmesa6, or set MUJOCO_GL=egl on a machine with EGL")
