"""One environment of a task as a gymnasium environment (Towers et al. 2024), with the dict observations of goals."""

from typing import Any

import gymnasium
import numpy as np
import torch
from gymnasium.spaces import Box, Dict, Discrete, Space
from numpy.typing import NDArray

from lifelong_rl.config import ConfigError
from lifelong_rl.envs.grid import GridTask
from lifelong_rl.envs.maze2d import Maze2dTask
from lifelong_rl.envs.maze2d_config import MAZE2D_NAMES, Maze2dConfig
from lifelong_rl.envs.maze2d_film import top_down
from lifelong_rl.envs.points import PointTask
from lifelong_rl.envs.registry import make_task
from lifelong_rl.types import Observed

Floats = NDArray[np.float32]
DictObservation = dict[str, Floats]
_FASTEST = 10.0  # metres a second; about twice what a step can leave behind


class TaskView(gymnasium.Env[DictObservation, Any]):
    """Observations hold observation, achieved_goal, desired_goal; info["success"]: is the goal reached?"""

    metadata = {"render_modes": ["rgb_array"], "render_fps": 100}

    def __init__(
        self, task: Maze2dTask | PointTask, generator: np.random.Generator, *, low: Floats, high: Floats,
        render_mode: str | None,
    ) -> None:  # fmt: skip
        """`generator` is the task's. `low` and `high` bound observations, and by their first entries goals."""
        spec = task.spec
        if render_mode not in (None, *self.metadata["render_modes"]):
            raise ConfigError(f"{spec.name}: render_mode must be None or 'rgb_array', got {render_mode!r}.")
        if render_mode is not None and not isinstance(task, Maze2dTask | GridTask):
            raise ConfigError(f"{spec.name}: has no picture, so render_mode must be None, got {render_mode!r}.")
        self.render_mode = render_mode
        self._task, self._generator, self._is_seeded = task, generator, False
        self._draw = top_down(task, 1) if isinstance(task, Maze2dTask | GridTask) else None

        size = spec.goal_shape[0]
        goal_space = Box(low[:size], high[:size])
        self.observation_space: Space[Any] = Dict(
            observation=Box(low, high), achieved_goal=goal_space, desired_goal=goal_space
        )
        self.action_space: Space[Any] = Box(-1.0, 1.0, (spec.action_size,), np.float32)
        if spec.discrete:
            self.action_space = Discrete(spec.action_size)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[DictObservation, dict[str, Any]]:
        super().reset(seed=seed)
        if seed is not None or not self._is_seeded:
            self._generator.bit_generator.state = self.np_random.bit_generator.state
            self._is_seeded = True
        observed = self._task.reset()
        assert self._task.spec.success_fn is not None
        success = self._task.spec.success_fn(observed.achieved_goal, observed.desired_goal)
        return _as_dict(observed), {"success": bool(success[0])}

    def step(self, action: Any) -> tuple[DictObservation, float, bool, bool, dict[str, Any]]:
        kind = np.int64 if self._task.spec.discrete else np.float32
        outcome = self._task.step(torch.as_tensor(np.asarray(action, kind)[None]))
        info = {"success": bool(outcome.success[0])}
        reward, terminated, truncated = outcome.reward.item(), bool(outcome.terminated[0]), bool(outcome.truncated[0])
        return _as_dict(outcome.observed), reward, terminated, truncated, info

    def compute_reward(self, achieved_goal: Floats, desired_goal: Floats, info: Any) -> Any:
        """[..., G], [..., G] to [...] float32, a plain number for one pair; `info` is not looked at."""
        achieved, desired = torch.as_tensor(np.asarray(achieved_goal)), torch.as_tensor(np.asarray(desired_goal))
        assert self._task.spec.reward_fn is not None
        return self._task.spec.reward_fn(achieved, desired).numpy()[()]

    def render(self) -> Any:
        """[H, W, 3] uint8 from above, or None without render_mode; needs no GL."""
        if self.render_mode is None or self._draw is None:
            return None
        state = self._task.sim_state()[0].numpy()
        return self._draw(state, state[None, :2])


class Maze2dView(TaskView):
    """Of a maze: observation [4], goals [2]."""

    def __init__(self, config: Maze2dConfig, *, render_mode: str | None = None) -> None:
        generator = np.random.default_rng(0)
        task = Maze2dTask(config, num_envs=1, generator=generator)
        high = np.array([*task.grid.shape, _FASTEST, _FASTEST], np.float32)
        low = np.array([-1, -1, -_FASTEST, -_FASTEST], np.float32)
        super().__init__(task, generator, low=low, high=high, render_mode=render_mode)


def make_view(
    name: str,
    render_mode: str | None = None,
    random_goals: bool = False,
    layout: str | None = None,
    horizon: int | None = None,
) -> TaskView:
    """The entry point that gymnasium.make calls."""
    if name in MAZE2D_NAMES:
        config = Maze2dConfig(name=name, layout=layout, horizon=horizon, random_goals=random_goals)
        return Maze2dView(config, render_mode=render_mode)
    options: dict[str, Any] = {"random_goals": random_goals, "layout": layout, "horizon": horizon}
    generator = np.random.default_rng(0)
    task = make_task(name, num_envs=1, generator=generator, **options)
    if not isinstance(task, PointTask):
        raise ConfigError(f"{name!r} is not a task of ours that gymnasium can be shown.")
    high = np.ones(task.spec.observation_shape, np.float32)
    return TaskView(task, generator, low=-high, high=high, render_mode=render_mode)


def _as_dict(observed: Observed) -> DictObservation:
    return {
        "observation": observed.observation[0].numpy(),
        "achieved_goal": observed.achieved_goal[0].numpy().copy(),
        "desired_goal": observed.desired_goal[0].numpy(),
    }
