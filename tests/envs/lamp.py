"""An environment without goals that draws itself without a graphics library, and lamps that fail at it."""

from typing import Any

import gymnasium
import numpy as np
from gymnasium.spaces import Box, Discrete

HORIZON = 12


class Lamp(gymnasium.Env[Any, Any]):
    """Grows brighter by ten at each step, from a brightness that the seed draws; choice 1 ends the episode."""

    metadata = {"render_modes": ["rgb_array"]}
    observation_space, action_space = Box(0.0, 1.0, (1,)), Discrete(2)

    def __init__(self, render_mode: str | None = None, gives: str = "a picture") -> None:
        self.render_mode, self.gives, self.light = render_mode, gives, 0

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[Any, dict[str, Any]]:
        super().reset(seed=seed)
        self.light = int(self.np_random.integers(100))
        return np.zeros(1, np.float32), {}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        self.light += 10
        return np.zeros(1, np.float32), 1.0, action == 1, False, {}

    def render(self) -> Any:
        if self.gives == "an error":
            raise RuntimeError("the bulb\nis broken")
        return np.full((6, 8, 3), self.light, np.uint8) if self.gives == "a picture" else [self.light]


for name, gives in {"Lamp-v0": "a picture", "BrokenLamp-v0": "an error", "OddLamp-v0": "a list"}.items():
    if name not in gymnasium.registry:
        gymnasium.register(name, Lamp, max_episode_steps=HORIZON, kwargs={"gives": gives})
