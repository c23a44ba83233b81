"""A task whose tensors live on the run's device, while its simulator stays on the processor."""

from typing import Any

import torch
from torch import Tensor

from lifelong_rl.envs.guard import Guarded
from lifelong_rl.types import Observed, Outcome, Task


class OnDevice:
    """Moves what `task` shows to the device and actions back; simulator states and snapshots stay on the CPU."""

    def __init__(self, task: Task, device: torch.device | str) -> None:
        self.task, self.device = task, torch.device(device)
        self.spec, self.num_envs = task.spec, task.num_envs

    def reset(self) -> Observed:
        return self._moved(self.task.reset())

    def step(self, action: Tensor) -> Outcome:
        outcome = self.task.step(action.cpu())
        return Outcome(
            observed=self._moved(outcome.observed), reward=outcome.reward.to(self.device),
            terminated=outcome.terminated.to(self.device), truncated=outcome.truncated.to(self.device),
            success=outcome.success.to(self.device),
        )  # fmt: skip

    def reset_where(self, ended: Tensor) -> Observed:
        return self._moved(self.task.reset_where(ended.cpu()))

    def sim_state(self) -> Tensor:
        return self.task.sim_state()

    def state_dict(self) -> dict[str, Any]:
        return self.task.state_dict()

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.task.load_state_dict(state)

    def _moved(self, observed: Observed) -> Observed:
        return Observed(
            observation=observed.observation.to(self.device), achieved_goal=observed.achieved_goal.to(self.device),
            desired_goal=observed.desired_goal.to(self.device),
        )  # fmt: skip


def on_device(task: Task, device: str) -> Task:
    """The task as a run on `device` needs it: itself, on a CPU."""
    return task if device == "cpu" else OnDevice(task, device)


def unwrapped(task: Task) -> Task:
    """The task itself, without what moves it to a device or watches it."""
    while isinstance(task, OnDevice | Guarded):
        task = task.task
    return task
