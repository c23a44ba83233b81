"""One maze as a gymnasium environment (Towers et al. 2024) with the dict observations of goal-conditioned tasks."""

from typing import Any

import gymnasium
import numpy as np
import torch
from gymnasium.spaces import Box, Dict, Space
from numpy.typing import NDArray

from lifelong_rl.config import ConfigError
from lifelong_rl.envs.maze2d import Maze2dTask, is_near, reward_of
from lifelong_rl.envs.maze2d_config import Maze2dConfig
from lifelong_rl.envs.maze2d_picture import MazePicture
from lifelong_rl.types import Observed

Floats = NDArray[np.float32]
DictObservation = dict[str, Floats]
_FASTEST = 10.0  # metres a second; about twice what a step can leave behind


class Maze2dView(gymnasium.Env[DictObservation, Floats]):
    """Observations hold observation [4], achieved_goal [2], desired_goal [2]; info["success"]: is the goal near?"""

    metadata = {"render_modes": ["rgb_array"], "render_fps": 100}

    def __init__(self, config: Maze2dConfig, *, render_mode: str | None = None) -> None:
        if render_mode not in (None, *self.metadata["render_modes"]):
            raise ConfigError(f"{config.name}: render_mode must be None or 'rgb_array', got {render_mode!r}.")
        self.render_mode = render_mode
        self._generator = np.random.default_rng(0)
        self._is_seeded = False
        self._task = Maze2dTask(config, num_envs=1, generator=self._generator)
        self._picture = MazePicture(self._task.grid)

        far = np.array([*self._task.grid.shape, _FASTEST, _FASTEST], np.float32)
        near = np.array([-1, -1, -_FASTEST, -_FASTEST], np.float32)
        goal_space = Box(near[:2], far[:2])
        self.observation_space: Space[Any] = Dict(
            observation=Box(near, far), achieved_goal=goal_space, desired_goal=goal_space
        )
        self.action_space = Box(-1.0, 1.0, (2,), np.float32)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[DictObservation, dict[str, Any]]:
        super().reset(seed=seed)
        if seed is not None or not self._is_seeded:
            self._generator.bit_generator.state = self.np_random.bit_generator.state
            self._is_seeded = True
        observed = self._task.reset()
        success = is_near(observed.achieved_goal, observed.desired_goal)
        return _as_dict(observed), {"success": bool(success[0])}

    def step(self, action: Floats) -> tuple[DictObservation, float, bool, bool, dict[str, Any]]:
        outcome = self._task.step(torch.as_tensor(np.asarray(action, np.float32)[None]))
        info = {"success": bool(outcome.success[0])}
        reward, terminated, truncated = outcome.reward.item(), bool(outcome.terminated[0]), bool(outcome.truncated[0])
        return _as_dict(outcome.observed), reward, terminated, truncated, info

    def compute_reward(self, achieved_goal: Floats, desired_goal: Floats, info: Any) -> Any:
        """[..., 2], [..., 2] to [...] float32, a plain number for one pair; `info` is not looked at."""
        achieved, desired = torch.as_tensor(np.asarray(achieved_goal)), torch.as_tensor(np.asarray(desired_goal))
        return reward_of(self._task.config)(achieved, desired).numpy()[()]

    def render(self) -> Any:
        """[H, W, 3] uint8 from above, or None without render_mode; needs no GL."""
        if self.render_mode is None:
            return None
        state = self._task.sim_state()[0].numpy()
        return self._picture.draw(position=state[:2], goal=state[4:6])


def make_view(
    name: str,
    render_mode: str | None = None,
    random_goals: bool = False,
    layout: str | None = None,
    horizon: int | None = None,
) -> Maze2dView:
    """The entry point that gymnasium.make calls."""
    config = Maze2dConfig(name=name, layout=layout, horizon=horizon, random_goals=random_goals)
    return Maze2dView(config, render_mode=render_mode)


def _as_dict(observed: Observed) -> DictObservation:
    return {
        "observation": observed.observation[0].numpy(),
        "achieved_goal": observed.achieved_goal[0].numpy().copy(),
        "desired_goal": observed.desired_goal[0].numpy(),
    }
