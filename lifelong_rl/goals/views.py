"""How a goal enters the networks of quasimetric RL.

A goal of the task is often a set of states (a position, at any speed). Either some state of the set stands for it
(`StateGoals`), or the goal itself becomes a point, a node joined by an edge to the states that reach it (`NodeGoals`;
derived in docs/algorithms/qrl.md).
"""

from dataclasses import dataclass
from typing import Literal, Protocol

import torch
from torch import Tensor

from lifelong_rl.types import Batch, TaskSpec


class GoalView(Protocol):
    """`size` is None where goals are states. All methods return what goal encoder and actor take, [B, G']."""

    size: int | None

    def reached(self, batch: Batch) -> Tensor:
        """What each transition reached."""
        ...

    def future(self, batch: Batch) -> Tensor:
        """What each transition's episode reached later: the sampler's goal."""
        ...

    def asked(self, observation: Tensor, goal: Tensor) -> Tensor:
        """The task's goal, while acting."""
        ...


@dataclass(frozen=True, kw_only=True)
class StateGoalsConfig:
    """A goal is a state that achieves it: at rest, or moving as the agent does now. The same where goals are states."""

    motion: Literal["rest", "current"] = "current"


@dataclass(frozen=True, kw_only=True)
class NodeGoalsConfig:
    """A goal is a node. An edge of `cost` steps, plus `speed_cost` for each m/s, leads to it from the states that
    achieve it, if they are no faster than `max_speed` (m/s; None: any)."""

    cost: float = 1.0
    speed_cost: float = 0.0
    max_speed: float | None = None


class StateGoals:
    """Networks see whole states as goals; the task's goal is completed to one while acting."""

    size: int | None = None

    def __init__(self, config: StateGoalsConfig, spec: TaskSpec) -> None:
        self._motion, self._with_goal = config.motion, spec.with_goal

    def reached(self, batch: Batch) -> Tensor:
        return batch.next_observation

    def future(self, batch: Batch) -> Tensor:
        return batch.goal_observation

    def asked(self, observation: Tensor, goal: Tensor) -> Tensor:
        if self._with_goal is None:
            return goal
        return self._with_goal(observation if self._motion == "current" else torch.zeros_like(observation), goal)


class NodeGoals:
    """Networks see the goal alone."""

    def __init__(self, config: NodeGoalsConfig, spec: TaskSpec) -> None:
        self.size: int | None = spec.goal_shape[0]
        self._config, self._speed_of = config, spec.speed_of

    def reached(self, batch: Batch) -> Tensor:
        return batch.next_achieved_goal

    def future(self, batch: Batch) -> Tensor:
        return batch.goal

    def asked(self, observation: Tensor, goal: Tensor) -> Tensor:
        return goal

    def edge(self, observation: Tensor) -> tuple[Tensor, Tensor]:
        """Cost and weight [B] of the edge from a state to the node of the goal that it achieves."""
        ones = torch.ones_like(observation[:, 0])
        if self._speed_of is None:
            return self._config.cost * ones, ones
        speed = self._speed_of(observation)
        limit = self._config.max_speed
        weight = ones if limit is None else (speed <= limit).to(ones.dtype)
        return self._config.cost + self._config.speed_cost * speed, weight


GOAL_VIEWS = {"state": StateGoalsConfig, "node": NodeGoalsConfig}
