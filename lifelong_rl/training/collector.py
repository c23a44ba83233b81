"""Steps a task with a policy and hands every step to a store."""

from typing import Any, Protocol

import torch
from torch import Tensor

from lifelong_rl.types import DivergenceError, GoalSource, Metrics, Observed, Policy, Step, Task


class StepStore(Protocol):
    """Keeps what was collected, on the device of what the task shows."""

    device: torch.device

    def add(self, step: Step) -> None: ...


class Collector:
    """Owns the running episodes of its task: what it observes and what it was told to do."""

    def __init__(self, task: Task, goals: GoalSource, store: StepStore) -> None:
        self.num_steps = 0
        self._task, self._goals, self._store = task, goals, store
        self._observed: Observed | None = None
        self._goal = torch.empty(0)
        # 0: not reached in this episode
        self._steps_since_success = torch.zeros(task.num_envs, dtype=torch.long, device=store.device)
        self._policy: Policy | None = None  # the one that acted last: another one starts with an empty memory

    def collect(self, policy: Policy, num_steps: int, steps_after_success: int | None = None) -> Metrics:
        """At least `num_steps` transitions (a whole number of steps of all N environments).

        `steps_after_success` ends an episode so many steps after the task's goal was first reached: else a goal that is
        held fills the store with standing still.
        """
        if num_steps == 0:
            return {}
        if self._observed is None:
            self._observed = self._task.reset()
            self._goal = self._goals.choose(self._observed.desired_goal, self._observed.observation)
        if policy is not self._policy:
            self._policy = policy
            policy.reset(torch.ones(self._task.num_envs, dtype=torch.bool, device=self._store.device))

        reward, success, ended = [], [], 0
        for _ in range(-(-num_steps // self._task.num_envs)):
            step, succeeded = self._step(policy, steps_after_success)
            reward.append(step.reward.mean())
            success.append(succeeded[step.ended])
            ended += int(step.ended.sum())
        metrics: Metrics = {"reward_mean": torch.stack(reward).mean(), "num_episodes": float(ended)}
        if ended:
            metrics["success_at_end_rate"] = torch.cat(success).float().mean()
        return metrics

    def _step(self, policy: Policy, steps_after_success: int | None) -> tuple[Step, Tensor]:
        now = self._observed
        assert now is not None
        sim_state = self._task.sim_state()
        action = policy(now.observation, self._goal)
        outcome = self._task.step(action)
        if not bool(torch.isfinite(outcome.observed.observation).all()):
            where = (~torch.isfinite(outcome.observed.observation).flatten(1).all(1)).nonzero()[0].item()
            what = f"observation of environment {where} of {self._task.spec.name}"
            raise DivergenceError(f"env step {self.num_steps}: {what} is not finite.")
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
        self._observed = outcome.observed
        if bool(ended.any()):
            self._begin_episodes(policy, ended)
        return step, outcome.success

    def _begin_episodes(self, policy: Policy, ended: Tensor) -> None:
        self._observed = self._task.reset_where(ended)
        fresh = self._goals.choose(self._observed.desired_goal, self._observed.observation)
        self._goal = torch.where(ended[:, None], fresh, self._goal)
        self._steps_since_success = torch.where(ended, 0, self._steps_since_success)
        policy.reset(ended)

    def state_dict(self) -> dict[str, Any]:
        if self._observed is None:
            return {"num_steps": self.num_steps}
        return {
            "num_steps": self.num_steps,
            "goal": self._goal,
            "observed": dict(vars(self._observed)),
            "steps_since_success": self._steps_since_success,
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.num_steps = state["num_steps"]
        if "observed" in state:
            device = self._store.device
            self._goal = state["goal"].to(device)
            self._observed = Observed(**{name: value.to(device) for name, value in state["observed"].items()})
            self._steps_since_success = state["steps_since_success"].to(device)
