"""A task whose tensors live on the run's device, while its simulator stays on the processor."""

import torch
from torch import Tensor

from lifelong_rl.envs.wrapper import TaskWrapper
from lifelong_rl.types import Observed, Outcome, Task


class OnDevice(TaskWrapper):
    """Moves what `task` shows to the device and actions back; simulator states and snapshots stay on the CPU."""

    def __init__(self, task: Task, device: torch.device | str) -> None:
        super().__init__(task)
        self.device = torch.device(device)

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
    while isinstance(task, TaskWrapper):
        task = task.task
    return task
