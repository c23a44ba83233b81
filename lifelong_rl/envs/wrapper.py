"""A task around a task: what it does not change passes through, snapshots and simulator states among it."""

from typing import Any

from torch import Tensor

from lifelong_rl.types import Task


class TaskWrapper:
    """Its heirs say what `reset`, `step` and `reset_where` do."""

    def __init__(self, task: Task) -> None:
        self.task, self.spec, self.num_envs = task, task.spec, task.num_envs

    def sim_state(self) -> Tensor:
        return self.task.sim_state()

    def state_dict(self) -> dict[str, Any]:
        return self.task.state_dict()

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.task.load_state_dict(state)
