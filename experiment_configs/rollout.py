"""Fresh episodes of an agent's greedy policy, and all that it takes to draw them and to say what they were worth."""

import dataclasses
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from experiment_configs.experiment import ExperimentConfig, GoalSet
from experiment_configs.measures import build_evaluator
from lifelong_rl.envs.fetch_images import FetchImageTask
from lifelong_rl.envs.gymnasium_task import GymnasiumTask
from lifelong_rl.envs.on_device import unwrapped
from lifelong_rl.envs.wrapper import TaskWrapper
from lifelong_rl.training.evaluator import Episodes, Evaluator, steps_to_goal, summary
from lifelong_rl.types import Agent, Policy, Task, TaskSpec


@dataclass(frozen=True, kw_only=True)
class Rollout:
    """E episodes of at most T steps on the CPU; `task` is without what watches it or moves it to a device."""

    task: Task
    episodes: Episodes
    states: NDArray[np.float64]  # [T + 1, E, S]
    actions: NDArray[Any]  # [T, E, ...]
    seeds: list[int]  # of episodes of gymnasium; else none

    @property
    def spec(self) -> TaskSpec:
        return self.task.spec

    def report(self) -> dict[str, Any]:
        """Returns and successes, on the whole and of each episode."""
        played = self.episodes
        columns: dict[str, list[Any]] = {"return": played.rewards.sum(0).tolist(), "steps": played.length.tolist()}
        if self.spec.goal_shape != (0,):
            columns |= {
                "success": played.success.any(0).tolist(),
                "success_at_end": played.success_at_end.tolist(),
                "steps_to_goal": steps_to_goal(played.success).long().tolist(),
            }
        episodes = [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]
        metrics = {name: float(value) for name, value in summary(played, self.spec).items()}
        return {"task": self.spec.name, "metrics": metrics, "episodes": episodes}


def evaluator_of(config: ExperimentConfig, goals: GoalSet, num_episodes: int, seed: int | None = None) -> Evaluator:
    """As the run's own one, but for the number of episodes and their seed."""
    own = config.evaluation
    evaluation = dataclasses.replace(own, seed=own.seed if seed is None else seed)
    return build_evaluator(dataclasses.replace(config, evaluation=evaluation), goals, num_episodes=num_episodes)


def play(agent: Agent, evaluator: Evaluator, advance_to: Callable[[int], None] = lambda count: None) -> Rollout:
    """The evaluator's episodes; `advance_to` is told how many steps were taken."""
    task = shown(evaluator.task)
    states: list[Tensor] = []
    seeds: list[int] = []

    def watch(state: Tensor) -> None:
        inner = unwrapped(task)
        if not states and isinstance(inner, GymnasiumTask):
            seeds.extend(inner.state_dict()["seeds"])
        states.append(state)
        advance_to(len(states) - 1)

    policy = _Noted(agent.policy(explore=False))
    episodes = evaluator.play(policy, watch)
    return Rollout(
        task=task, episodes=episodes, states=torch.stack(states).numpy(), actions=torch.stack(policy.actions).numpy(),
        seeds=seeds,
    )  # fmt: skip


def caption_of(rollout: Rollout, snapshot: str, goals: GoalSet) -> str:
    """ "itr_20   FetchReach-v4, multi goals"."""
    return f"{snapshot}   {rollout.spec.name}" + (f", {goals} goals" if rollout.spec.goal_shape != (0,) else "")


def about(snapshot: Path, counters: Mapping[str, Any], goals: GoalSet, seed: int) -> dict[str, Any]:
    """Where a rollout belongs: the run, its snapshot, and how far it had come."""
    place = {"run": snapshot.absolute().parent.name, "snapshot": snapshot.name}
    clocks = {name: counters[name] for name in ("updates", "env_steps", "epoch") if name in counters}
    return place | clocks | {"goals": goals, "seed": seed}


def write_report(path: Path, report: Mapping[str, Any]) -> None:
    """As JSON; whoever reads meanwhile sees all of it or nothing."""
    temporary = path.with_name(f".{path.name}.part")
    temporary.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    temporary.replace(path)


def shown(task: Task) -> Task:
    """The task itself; one that shows pictures of another stays."""
    while isinstance(task, TaskWrapper) and not isinstance(task, FetchImageTask):
        task = task.task
    return task


class _Noted:
    """A policy, and what it did."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self.actions: list[Tensor] = []

    def reset(self, ended: Tensor) -> None:
        self._policy.reset(ended)

    def __call__(self, observation: Tensor, goal: Tensor) -> Tensor:
        action = self._policy(observation, goal)
        self.actions.append(action.cpu())
        return action

    def state_dict(self) -> dict[str, Any]:
        return self._policy.state_dict()

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self._policy.load_state_dict(state)
