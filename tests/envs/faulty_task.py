"""A small real task, points on a line, that fails on demand: an action of at least 10 names the way."""

import ctypes
import os
import signal
import subprocess
import sys
import time
from typing import Any

import numpy as np
import torch
from torch import Tensor

from lifelong_rl.types import Observed, Outcome, TaskSpec

RAISE, EXIT, CRASH, SLEEP, HOLD_LOCK, NAN, INFINITE_REWARD, SPAM, HELPER = range(10, 19)
BUILDER = "tests.envs.faulty_task:FaultyTask"
SPAM_BYTES = 20_000_000


class FaultyTask:
    """observation = [position, steps so far], goal = [position]."""

    def __init__(self, *, num_envs: int, generator: np.random.Generator, refuses_more_than: int = 8) -> None:
        if num_envs > refuses_more_than:
            raise RuntimeError(f"no more than {refuses_more_than} points fit")
        self.spec = TaskSpec(
            name="line-v0", observation_shape=(2,), goal_shape=(1,), action_size=1, horizon=5,
            reward_fn=lambda achieved, goal: -(achieved - goal).abs()[..., 0],
            success_fn=lambda achieved, goal: (achieved - goal).abs()[..., 0] < 0.1,
        )  # fmt: skip
        self.num_envs, self._generator = num_envs, generator
        self._state = torch.zeros(num_envs, 2)
        self._goal = torch.zeros(num_envs, 1)
        self.reset()

    def reset(self) -> Observed:
        return self.reset_where(torch.ones(self.num_envs, dtype=torch.bool))

    def step(self, action: Tensor) -> Outcome:
        self._state = self._state + torch.cat([action.clamp(-1, 1), torch.ones_like(action)], 1)
        observed = self._observed()
        reward = self.spec.reward_fn(observed.achieved_goal, observed.desired_goal)
        for index, code in enumerate(action[:, 0].tolist()):
            fail(int(code), index, observed.observation, reward)
        success = self.spec.success_fn(observed.achieved_goal, observed.desired_goal)
        truncated = self._state[:, 1] >= self.spec.horizon
        return Outcome(
            observed=observed, reward=reward, terminated=torch.zeros_like(truncated), truncated=truncated,
            success=success,
        )  # fmt: skip

    def reset_where(self, ended: Tensor) -> Observed:
        for index in ended.nonzero()[:, 0].tolist():
            position, goal = self._generator.standard_normal(2)
            self._state[index] = torch.tensor([position, 0.0])
            self._goal[index] = goal
        return self._observed()

    def sim_state(self) -> Tensor:
        return torch.cat([self._state, self._goal], 1).double()

    def state_dict(self) -> dict[str, Any]:
        return {"sim_state": self.sim_state(), "generator": self._generator.bit_generator.state}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self._state, self._goal = state["sim_state"].float().split([2, 1], 1)
        self._generator.bit_generator.state = state["generator"]

    def _observed(self) -> Observed:
        state = self._state.clone()
        return Observed(observation=state, achieved_goal=state[:, :1].clone(), desired_goal=self._goal.clone())


def fail(code: int, index: int, observation: Tensor, reward: Tensor) -> None:
    """What environment `index` does at a step with this action; nothing where it is below 10."""
    match code:
        case 10:
            raise RuntimeError("the spring\nbroke")
        case 11:
            os._exit(7)
        case 12:
            os.kill(os.getpid(), signal.SIGSEGV)
        case 13:
            time.sleep(1000)
        case 14:
            ctypes.PyDLL(None).sleep(1000)  # C code that holds Python's lock
        case 15:
            observation[index, 1] = torch.nan
        case 16:
            reward[index] = torch.inf
        case 17:
            os.write(sys.stdout.fileno(), b"spam " * (SPAM_BYTES // 5))
        case 18:
            helper = subprocess.Popen(["sleep", "1000"])
            print(f"helper {helper.pid}", file=sys.stderr, flush=True)
