"""Steps a task with a policy and hands every step to a store."""

from collections.abc import Callable
from typing import Any, Protocol

import torch
from torch import Tensor

from lifelong_rl.types import EnvironmentFault, GoalSource, Metrics, Observed, Policy, Step, Task


class StepStore(Protocol):
    """Keeps what was collected, on the device of what the task shows."""

    device: torch.device

    def add(self, step: Step) -> None: ...
    def cut(self) -> None:
        """Ends every open episode."""
        ...


class Collector:
    """Owns the running episodes of its task: what it observes and what it was told to do."""

    def __init__(self, task: Task, goals: GoalSource, store: StepStore) -> None:
        self.num_steps = 0
        self._task, self._goals, self._store = task, goals, store
        self._observed: Observed | None = None
        self._goal = torch.empty(0)
        # 0: not reached in this episode
        self._steps_since_success = torch.zeros(task.num_envs, dtype=torch.long, device=store.device)
        self._sums = self._no_sums()

    @property
    def num_envs(self) -> int:
        return self._task.num_envs

    def begin(self, policy: Policy) -> None:
        """Another policy takes over: it starts with an empty memory."""
        policy.reset(torch.ones(self._task.num_envs, dtype=torch.bool, device=self._store.device))

    def collect(
        self, policy: Policy, until: int, steps_after_success: int | None = None,
        between: Callable[[], None] = lambda: None,
    ) -> None:  # fmt: skip
        """Steps until `num_steps` is at least `until`; calls `between` after each step of all N environments.

        `steps_after_success` ends an episode so many steps after the task's goal was first reached: else a goal that is
        held fills the store with standing still.
        """
        while self.num_steps < until:
            if self._observed is None:
                self._begin_all()
            try:
                self._step(policy, steps_after_success)
            except EnvironmentFault as fault:
                if not fault.recovered:
                    raise
                self._go_on_after_fault(policy)
            between()

    def read_metrics(self) -> Metrics:
        """Of the steps since the last reading; nothing where there were none."""
        sums, self._sums = self._sums, self._no_sums()
        if not sums["steps"]:
            return {}
        metrics: Metrics = {"reward_mean": sums["reward"] / sums["steps"], "num_episodes": sums["episodes"]}
        if sums["faults"]:
            metrics["num_faults"] = sums["faults"]
        if sums["episodes"]:
            metrics["success_at_end_rate"] = sums["successes"] / sums["episodes"]
        return metrics

    def _step(self, policy: Policy, steps_after_success: int | None) -> None:
        now = self._observed
        assert now is not None
        sim_state = self._task.sim_state()
        action = policy(now.observation, self._goal)
        outcome = self._task.step(action)
        ended = outcome.terminated | outcome.truncated
        if steps_after_success is not None:
            self._steps_since_success += (outcome.success | (self._steps_since_success > 0)).long()
            ended = ended | (self._steps_since_success > steps_after_success)
        step = Step(
            observation=now.observation, action=action, reward=outcome.reward,
            next_observation=outcome.observed.observation, next_achieved_goal=outcome.observed.achieved_goal,
            goal=self._goal, desired_goal=now.desired_goal, terminated=outcome.terminated, ended=ended,
            sim_state=sim_state,
        )  # fmt: skip
        self._store.add(step)
        self.num_steps += self._task.num_envs
        self._sum_up(step, outcome.success)
        self._observed = outcome.observed
        if bool(ended.any()):
            self._begin_episodes(policy, ended)

    def _sum_up(self, step: Step, success: Tensor) -> None:
        self._sums["steps"] += 1.0
        self._sums["reward"] += step.reward.mean()
        self._sums["episodes"] += step.ended.sum()
        self._sums["successes"] += (step.ended & success).sum()

    def _no_sums(self) -> dict[str, Tensor]:
        """0-d, added to on their device: collecting waits for no transfer."""
        names = ("steps", "reward", "episodes", "successes", "faults")
        return {name: torch.zeros((), device=self._store.device) for name in names}

    def _begin_all(self) -> None:
        self._observed = self._task.reset()
        self._goal = self._goals.choose(self._observed.desired_goal, self._observed.observation)
        self._steps_since_success = torch.zeros_like(self._steps_since_success)

    def _go_on_after_fault(self, policy: Policy) -> None:
        """Nobody saw how the step ended, in no environment: all open episodes end with what was stored before it."""
        self._store.cut()
        self._sums["faults"] += 1.0
        self._begin_all()
        self.begin(policy)

    def _begin_episodes(self, policy: Policy, ended: Tensor) -> None:
        self._observed = self._task.reset_where(ended)
        fresh = self._goals.choose(self._observed.desired_goal, self._observed.observation)
        self._goal = torch.where(ended.reshape(-1, *[1] * (fresh.ndim - 1)), fresh, self._goal)
        self._steps_since_success = torch.where(ended, 0, self._steps_since_success)
        policy.reset(ended)

    def state_dict(self) -> dict[str, Any]:
        sums = {name: value.clone() for name, value in self._sums.items()}
        state: dict[str, Any] = {"num_steps": self.num_steps, "goals": self._goals.state_dict(), "sums": sums}
        if self._observed is not None:
            state["goal"], state["observed"] = self._goal, dict(vars(self._observed))
            state["steps_since_success"] = self._steps_since_success
        return state

    def load_state_dict(self, state: dict[str, Any]) -> None:
        device = self._store.device
        self.num_steps = state["num_steps"]
        self._goals.load_state_dict(state["goals"])
        self._sums = {name: value.to(device).clone() for name, value in state["sums"].items()}
        if "observed" in state:
            self._goal = state["goal"].to(device)
            self._observed = Observed(**{name: value.to(device) for name, value in state["observed"].items()})
            self._steps_since_success = state["steps_since_success"].to(device).clone()
