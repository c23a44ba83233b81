"""Fetch as contrastive RL and QRL set it up for images (Eysenbach et al. 2022, Wang et al. 2023), before it is drawn.

What is shown of the robot, and of a goal, is what a picture of it follows from: its configuration. The arm was really
led to each goal, so that a picture of the goal is one that the task can show. Needs gymnasium-robotics.
"""

from typing import Any

import gymnasium
import numpy as np
from gymnasium.spaces import Box, Dict, Space
from numpy.typing import NDArray

Floats = NDArray[np.float64]
NEAR = 0.05  # metres from the goal that count as success
HORIZON = 50
TABLE_HEIGHT = 0.4  # metres; a block below it has fallen


class FetchConfiguration(gymnasium.Env[dict[str, Floats], Floats]):
    """Observations and goals are [the place that counts, in metres; qpos]. Its heirs say what a goal is."""

    def __init__(self, robot: Any, place_size: int) -> None:
        self._robot, self._place_size = robot, place_size
        self.model, self.data = robot.model, robot.data
        self.action_space = robot.action_space
        shown = Box(-np.inf, np.inf, (place_size + self.model.nq,), np.float64)
        self.observation_space: Space[Any] = Dict(observation=shown, achieved_goal=shown, desired_goal=shown)
        self._desired = np.zeros(shown.shape)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[dict[str, Floats], dict[str, Any]]:
        super().reset(seed=seed)
        self._robot.reset(seed=seed)
        self._desired = self.lead_to_goal()
        self._robot.reset()
        self.begin()
        return self._shown(), {}

    def step(self, action: Floats) -> tuple[dict[str, Floats], float, bool, bool, dict[str, Any]]:
        self._robot.step(action)
        shown = self._shown()
        reward = float(self.compute_reward(shown["achieved_goal"], shown["desired_goal"], {}))
        return shown, reward, False, False, {"is_success": reward == 1.0}

    def compute_reward(self, achieved_goal: Floats, desired_goal: Floats, info: Any) -> Floats:
        """1 near the goal, else 0: [..., G], [..., G] to [...]."""
        apart = (achieved_goal - desired_goal)[..., : self._place_size]
        near: Floats = (np.linalg.norm(apart, axis=-1) < NEAR).astype(np.float64)
        return near

    def place(self) -> Floats:
        """Where the part that counts is."""
        raise NotImplementedError

    def lead_to_goal(self) -> Floats:
        """Leads a robot just reset to a goal; returns what it shows there."""
        raise NotImplementedError

    def begin(self) -> None:
        """Where an episode begins, of a robot just reset."""

    def move(self, by: Floats) -> None:
        """One step of the hand, by up to 1 in each direction, which stands for 5 cm."""
        self._robot.step(np.append(np.clip(by, -1, 1), 0.0))

    def hand(self) -> Floats:
        position: Floats = self.data.site("robot0:grip").xpos
        return position

    def here(self) -> Floats:
        return np.concatenate([self.place(), self.data.qpos])

    def _shown(self) -> dict[str, Floats]:
        here = self.here()
        return {"observation": here, "achieved_goal": here.copy(), "desired_goal": self._desired.copy()}


class FetchReachConfiguration(FetchConfiguration):
    """The hand goes to a place in the air: FetchReach-v4's, which the arm has come near (2 cm at worst) in 10 steps."""

    def __init__(self) -> None:
        from gymnasium_robotics.envs.fetch.reach import MujocoFetchReachEnv

        super().__init__(MujocoFetchReachEnv(), 3)

    def place(self) -> Floats:
        return self.hand()

    def lead_to_goal(self) -> Floats:
        goal: Floats = self._robot.goal.copy()
        for _ in range(10):
            self.move(10 * (goal - self.hand()))
        return np.concatenate([goal, self.data.qpos])


class FetchPushConfiguration(FetchConfiguration):
    """The hand, beside the block from the start, pushes it along x to another place; the block's y is 0.75 in both."""

    def __init__(self) -> None:
        from gymnasium_robotics.envs.fetch.push import MujocoFetchPushEnv

        super().__init__(MujocoFetchPushEnv(), 2)

    def place(self) -> Floats:
        position: Floats = self._block()[:2]
        return position

    def lead_to_goal(self) -> Floats:
        while True:
            self._draw_back()
            self._block()[1] = 0.75
            self._go_to_block()
            if self._block()[2] >= TABLE_HEIGHT:
                return self.here()
            self._robot.reset()

    def begin(self) -> None:
        self._draw_back()
        self._block()[:2] = 1.15, 0.75
        self._go_to_block()

    def _draw_back(self) -> None:
        for _ in range(8):
            self.move(np.array([-1.0, 0.0, 0.0]))

    def _go_to_block(self) -> None:
        self._robot._mujoco.mj_forward(self.model, self.data)  # the block was just put somewhere else
        for _ in range(100):
            ahead = self._block()[:3] - [0.02, 0.0, 0.0] - self.hand()
            if np.linalg.norm(ahead) < 0.06:
                return
            self.move(ahead)

    def _block(self) -> Floats:
        """A view of qpos [7]: place and orientation."""
        joint: Floats = self.data.joint("object0:joint").qpos
        return joint
