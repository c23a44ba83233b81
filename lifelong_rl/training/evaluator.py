"""Plays the same seeded episodes at each call, in one batch, and compares with reference policies on those episodes."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from lifelong_rl.types import Agent, EnvironmentFault, Metrics, Policy, Task, TaskSpec


@dataclass(frozen=True, kw_only=True)
class Episodes:
    """What a policy did in E episodes of at most T steps, one per environment; on the CPU."""

    rewards: Tensor  # [T, E], 0 after the end
    success: Tensor  # [T, E] bool, false after the end
    length: Tensor  # [E] steps

    @property
    def success_at_end(self) -> Tensor:
        """[E] bool, at each episode's last step."""
        return self.success.gather(0, self.length[None] - 1)[0]


class Evaluator:
    """Episodes run for the full horizon; starts and goals are those of the task's state at construction."""

    def __init__(self, task: Task, references: Mapping[str, Callable[[], Policy]]) -> None:
        self.task = task
        self._references = references
        self._start = task.state_dict()
        self._reference_steps: dict[str, Tensor] = {}
        self.reference_metrics: dict[str, Metrics] = {}

    def evaluate(self, agent: Agent) -> Metrics:
        """Metrics of the agent's greedy policy, and its steps to goal as a multiple of each reference's."""
        for name, make in self._references.items():
            if name not in self.reference_metrics:
                played = self.play(make())
                self._reference_steps[name] = steps_to_goal(played.success)
                self.reference_metrics[name] = summary(played, self.task.spec)
        episodes = self.play(agent.policy(explore=False))
        metrics = summary(episodes, self.task.spec)
        steps = steps_to_goal(episodes.success)
        for name, reference in self._reference_steps.items() if "steps_to_goal_mean" in metrics else ():
            metrics[f"steps_over_{name}"] = steps.mean() / reference.mean()
        return metrics

    def play(self, policy: Policy, watch: Callable[[Tensor], Any] | None = None) -> Episodes:
        """`watch` is shown the simulator states [E, S] before each step and after the last."""
        while True:
            try:
                return self._play(policy, watch)
            except EnvironmentFault as fault:
                if not fault.recovered:
                    raise  # else all from the start: the episodes are the same ones

    def _play(self, policy: Policy, watch: Callable[[Tensor], Any] | None) -> Episodes:
        task = self.task
        task.load_state_dict(self._start)
        observed = task.reset()
        policy.reset(torch.ones(task.num_envs, dtype=torch.bool))
        rewards, success, running = [], [], []
        goes_on = torch.ones(task.num_envs, dtype=torch.bool, device=observed.observation.device)
        for _ in range(task.spec.horizon):
            if watch is not None:
                watch(task.sim_state())
            outcome = task.step(policy(observed.observation, observed.desired_goal))
            rewards.append(outcome.reward * goes_on)
            success.append(outcome.success & goes_on)
            running.append(goes_on)
            goes_on = goes_on & ~outcome.terminated
            if not bool(goes_on.any()):
                break
            # An environment whose episode is over is stepped on, in another one that does not count.
            observed = task.reset_where(outcome.terminated) if bool(outcome.terminated.any()) else outcome.observed
        if watch is not None:
            watch(task.sim_state())
        rest = (0, 0, 0, task.spec.horizon - len(rewards))
        reward, reached, played = (F.pad(torch.stack(rows).cpu(), rest) for rows in (rewards, success, running))
        return Episodes(rewards=reward, success=reached, length=played.sum(0))


def steps_to_goal(success: Tensor) -> Tensor:
    """Steps until the first success in each column of [T, E]; T + 1 where there is none. [E] float32."""
    first = success.float().argmax(0) + 1
    return torch.where(success.any(0), first, len(success) + 1).float()


def summary(episodes: Episodes, spec: TaskSpec) -> Metrics:
    """Returns; with goals, success at any step and at the last, steps to goal (failures count as horizon + 1), share of
    steps held after; without, how long episodes last."""
    returns = episodes.rewards.sum(0)
    metrics: Metrics = {"return_mean": returns.mean(), "return_std": returns.std(unbiased=False)}
    if spec.goal_shape == (0,):
        return metrics | {"episode_steps_mean": episodes.length.float().mean()}
    success, steps = episodes.success, steps_to_goal(episodes.success)
    reached = success.any(0)
    time = torch.arange(1, len(success) + 1)[:, None]
    after = (time >= steps) & (time <= episodes.length)
    metrics |= {
        "success_rate": reached.float().mean(),
        "success_at_end_rate": episodes.success_at_end.float().mean(),
        "steps_to_goal_mean": steps.mean(),
        "held_fraction": success[after].float().mean() if bool(reached.any()) else 0.0,
    }
    if spec.score_range is not None:
        low, high = spec.score_range
        metrics["normalized_score"] = 100 * (returns.mean() - low) / (high - low)
    return metrics
