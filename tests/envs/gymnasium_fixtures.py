"""Environments for tests of the gymnasium adapter: one that is in order, and variants in which one thing is wrong."""

from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium.spaces import Box, Dict, Discrete, MultiDiscrete, Space, Tuple

from lifelong_rl.envs.gymnasium_task import GymnasiumTask
from lifelong_rl.envs.robotics import register_robotics

robotics = pytest.mark.skipif(not register_robotics(), reason="the extra 'robotics' is not installed")
FIXTURES = "tests.envs.gymnasium_fixtures:"
GOAL = Box(-1.0, 1.0, (2,), np.float64)


def make(name: str, num_envs: int = 2, horizon: int | None = None, seed: int = 0) -> GymnasiumTask:
    return GymnasiumTask(name, num_envs=num_envs, generator=np.random.default_rng(seed), horizon=horizon)


class Slide(gymnasium.Env[Any, Any]):
    """A point on a plane that the action moves; the observation is its position twice, the goal its position."""

    def __init__(self, fault: str = "", action_space: Space[Any] | None = None) -> None:
        self.fault = fault
        whole = Box(-1.0, 1.0, (4,), np.float64)
        self.observation_space: Space[Any] = Dict(observation=whole, achieved_goal=GOAL, desired_goal=GOAL)
        self.action_space = action_space or Box(np.array([-0.1, 0.0]), np.array([0.1, 0.3]), dtype=np.float64)

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[Any, dict[str, Any]]:
        super().reset(seed=seed)
        self.position, self.goal = self.np_random.uniform(-0.5, 0.5, (2, 2))
        if self.fault == "unseeded":
            self.position = np.random.default_rng().uniform(-0.5, 0.5, 2)
        return self._shown(), {}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        assert self.action_space.contains(action), action
        self.taken = action
        if isinstance(self.action_space, Box):
            self.position = np.clip(self.position + np.ravel(action)[:2], -1, 1)
        shown = self._shown()
        told = {"success as array": {"success": np.array([1.0])}, "is_success": {"is_success": np.float32(1)}}
        reward = self.compute_reward(self.position[None], self.goal[None], {"reward": 0.0})
        return shown, float(np.ravel(reward)[0]), False, False, told.get(self.fault, {})

    def compute_reward(self, achieved: Any, desired: Any, info: Any) -> Any:
        near = np.linalg.norm(achieved - desired, axis=-1) < 0.05
        match self.fault:
            case "one number":
                return float(np.mean(near))
            case "needs info":
                return info["reward"]
            case "raises":
                return -1.0 if near else 0.0
            case "wrong row":
                return near.astype(float) * (1 if achieved.ndim == 1 else 2)
            case "nan reward":
                return near * np.nan
        return -(~near).astype(float)

    def _shown(self) -> Any:
        shown = {
            "observation": np.tile(self.position, 2),
            "achieved_goal": self.position.copy(),
            "desired_goal": self.goal.copy(),
        }
        match self.fault:
            case "nan":
                shown["observation"][3] = np.nan
            case "shape":
                shown["observation"] = self.position
            case "range":
                shown["achieved_goal"] = self.position + 7.0
            case "no goal":
                del shown["desired_goal"]
        return shown


class Camera(gymnasium.Env[Any, Any]):
    """An image whose brightness counts the steps."""

    observation_space = Box(0, 255, (8, 6, 3), np.uint8)
    action_space = Discrete(3, start=5)

    def __init__(self, as_floats: bool = False) -> None:
        self.as_floats = as_floats

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[Any, dict[str, Any]]:
        super().reset(seed=seed)
        self.count, self.taken = 0, -1
        return self._shown(), {}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        self.count, self.taken = self.count + 1, action
        return self._shown(), 1.0, self.count == 9, False, {}

    def _shown(self) -> Any:
        image = np.full((8, 6, 3), self.count, np.uint8)
        return image / 255 if self.as_floats else image


class Other(Camera):
    """With a space that does not fit."""

    def __init__(self, observation_space: Space[Any], action_space: Space[Any]) -> None:
        super().__init__()
        self.observation_space, self.action_space = observation_space, action_space


FAULTS = ("success as array", "is_success", "unseeded", "one number", "needs info", "raises", "wrong row", "nan reward")
ODD_SPACES = {
    "Tuple": {"observation_space": Tuple([Discrete(2)]), "action_space": Discrete(2)},
    "Keys": {"observation_space": Dict(image=Camera.observation_space), "action_space": Discrete(2)},
    "Many": {"observation_space": Camera.observation_space, "action_space": MultiDiscrete([2, 2])},
    "Unbounded": {"observation_space": Camera.observation_space, "action_space": Box(-np.inf, np.inf, (2,))},
}


def slide_id(fault: str) -> str:
    """ "" to "Slide-v0", "one number" to "SlideOneNumber-v0"."""
    return f"Slide{''.join(map(str.capitalize, fault.split()))}-v0"


def _register(identifier: str, entry_point: Any, max_episode_steps: int | None = 12, **options: Any) -> None:
    if identifier not in gymnasium.registry:
        gymnasium.register(identifier, entry_point, max_episode_steps=max_episode_steps, kwargs=options)


for fault in ("", *FAULTS, "nan", "shape", "range", "no goal"):
    _register(slide_id(fault), Slide, fault=fault)
_register("SlideMatrix-v0", Slide, action_space=Box(-1.0, 1.0, (2, 1), np.float32))
_register("SlideEndless-v0", Slide, max_episode_steps=None)
_register("Camera-v0", Camera)
_register("CameraFloat-v0", Camera, as_floats=True)
for odd, spaces in ODD_SPACES.items():
    _register(f"Odd{odd}-v0", Other, **spaces)
