"""A point in a square, N at once: the quickest check that an agent with continuous actions learns to reach goals."""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from lifelong_rl.config import ConfigError
from lifelong_rl.envs.points import Floats, PointTask, point_spec

STEP_LENGTH = 0.2  # on each axis, of an action of 1; the square has sides of 2
SUCCESS_RADIUS = 0.15
HORIZON = 15  # steps; corner to corner takes 10
OWN_GOAL = np.array([0.5, 0.5])


def is_near(achieved_goal: Tensor, goal: Tensor) -> Tensor:
    """[..., 2], [..., 2] to [...] bool."""
    return torch.linalg.vector_norm(achieved_goal - goal, dim=-1) <= SUCCESS_RADIUS


class PlaneTask(PointTask):
    """Positions and goals lie in [-1, 1]^2; an action in [-1, 1]^2 moves by a fifth of itself, never out of it."""

    def sample_positions(self, count: int, generator: np.random.Generator) -> Floats:
        return generator.uniform(-1.0, 1.0, (count, 2))

    def moved(self, position: Floats, action: NDArray[Any]) -> Floats:
        if not np.isfinite(action).all():
            index = int(np.argwhere(~np.isfinite(action))[0, 0])
            raise ValueError(f"{self.spec.name}: action of environment {index} must be finite, got {action[index]}.")
        return np.clip(position + STEP_LENGTH * np.clip(action, -1.0, 1.0), -1.0, 1.0)

    def shown(self, position: Floats) -> Floats:
        return position


def build_plane(
    *, name: str, num_envs: int, generator: np.random.Generator, random_goals: bool, layout: str | None,
    horizon: int | None, num_threads: int,
) -> PlaneTask:  # fmt: skip
    """The builder that the registry names; a plane has no layout and needs no threads."""
    if layout is not None:
        raise ConfigError(f"task.layout belongs to the mazes and grids, got {layout!r} for {name!r}.")
    if horizon is not None and horizon < 1:
        raise ConfigError(f"task.horizon must be at least 1 step, got {horizon}.")
    spec = point_spec(name, size=2, num_choices=None, horizon=horizon or HORIZON, success_fn=is_near)
    return PlaneTask(spec, num_envs=num_envs, generator=generator, own_goal=None if random_goals else OWN_GOAL)
