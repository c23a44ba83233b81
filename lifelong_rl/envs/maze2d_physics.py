"""The point mass of D4RL's maze2d (Fu et al. 2020): a sphere that two motors push between box walls."""

import numpy as np

from lifelong_rl.envs.batched_mujoco import BatchedMujoco, Floats
from lifelong_rl.envs.maze2d_grid import Ints, MazeGrid
from lifelong_rl.envs.mujoco_import import mujoco

TOP_SPEED = 5.0  # metres a second, on each axis, applied before each step
STEP_SECONDS = 0.01
BODY_OFFSET = 1.2  # where in the scene the position (0, 0) is; walls of cell [w, h] are at (w + 1, h + 1)
PARTICLE_RADIUS = 0.1
DAMPING = 1.0

_SCENE = """
<mujoco model="maze2d">
  <compiler inertiafromgeom="true" angle="radian"/>
  <option timestep="{step_seconds}" gravity="0 0 0" iterations="20" integrator="Euler"/>
  <default>
    <joint type="slide" damping="{damping}" limited="false"/>
    <geom friction="0.5 0.1 0.1" density="1000" margin="0.002" condim="1" contype="2" conaffinity="1"/>
    <motor ctrllimited="true" ctrlrange="-1 1" gear="100"/>
  </default>
  <visual>
    <headlight ambient="0.4 0.4 0.4" diffuse="0.8 0.8 0.8" specular="0.1 0.1 0.1"/>
    <map znear="0.01"/>
    <global offwidth="1024" offheight="1024"/>
  </visual>
  <asset>
    <texture name="floor" type="2d" builtin="checker" rgb1=".93 .94 .95" rgb2=".87 .89 .91" width="100" height="100"/>
    <material name="floor" texture="floor" texrepeat="40 40"/>
    <material name="wall" rgba="0.30 0.36 0.44 1"/>
  </asset>
  <worldbody>
    <geom name="floor" type="plane" size="40 40 0.25" pos="0 0 -0.1" contype="1" conaffinity="0" material="floor"/>
    <body name="particle" pos="{offset} {offset} 0">
      <geom name="particle" type="sphere" size="{radius}" contype="1" rgba="0.85 0.33 0.10 1"/>
      <joint name="x" axis="1 0 0"/>
      <joint name="y" axis="0 1 0"/>
    </body>
    <site name="goal" size="0.5 0.005" type="cylinder" pos="0 0 -0.09" rgba="0.20 0.63 0.35 0.6"/>
{walls}
  </worldbody>
  <actuator><motor joint="x"/><motor joint="y"/></actuator>
</mujoco>
"""


def build_maze_model(grid: MazeGrid) -> mujoco.MjModel:
    """The scene. What is not D4RL's is for the eye alone: colours, and the goal's disc of radius 0.5."""
    walls = "\n".join(
        f'    <geom type="box" pos="{w + 1} {h + 1} 0" size="0.5 0.5 0.2" material="wall"/>'
        for w, h in np.argwhere(grid.walls)
    )
    scene = _SCENE.format(
        step_seconds=STEP_SECONDS, damping=DAMPING, offset=BODY_OFFSET, radius=PARTICLE_RADIUS, walls=walls
    )
    return mujoco.MjModel.from_xml_string(scene)


class Maze2dPhysics:
    """N particles in one maze, each in a world of its own. `position`, `velocity` [N, 2] may be written to."""

    def __init__(self, grid: MazeGrid, *, num_envs: int, num_threads: int = 1) -> None:
        self.grid, self.num_envs = grid, num_envs
        self._mujoco = BatchedMujoco(build_maze_model(grid), num_envs=num_envs, num_threads=num_threads)
        self.model = self._mujoco.model
        self.position, self.velocity = self._mujoco.position, self._mujoco.velocity
        self.state: Floats = self._mujoco.state[:, 1:5]  # [N, 4]: position, velocity; a view
        self.warmstart = self._mujoco.warmstart  # the last acceleration; 0 at a start
        self._gained_to_acceleration = (1 + STEP_SECONDS * DAMPING / self.model.body("particle").mass[0]) / STEP_SECONDS

    def step(self, action: Floats) -> None:
        """action [N, 2] is clipped to [-1, 1]; velocities are clipped before the step, so those after may exceed 5."""
        np.clip(self.velocity, -TOP_SPEED, TOP_SPEED, out=self.velocity)
        before = self.velocity.copy()
        self._mujoco.step(np.clip(action, -1.0, 1.0))
        # Euler's method with implicit damping gained h a / (1 + h d / m); solved for the acceleration a.
        np.multiply(self.velocity - before, self._gained_to_acceleration, out=self.warmstart)

    def scatter(self, where: Ints, generator: np.random.Generator) -> None:
        """Puts the particles at indices `where` [K] to fresh starts: near a cell's whole numbers, almost at rest."""
        self.position[where] = self.grid.sample_positions(len(where), generator)
        self.velocity[where] = 0.1 * generator.standard_normal((len(where), 2))
        self.warmstart[where] = 0.0
