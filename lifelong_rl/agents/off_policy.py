"""What DDPG, TD3 and SAC share: the order of an update, normalised inputs, policies that act by the actor."""

import dataclasses
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic

import torch
from torch import Tensor

from lifelong_rl.agents.actions import to_range, to_unit
from lifelong_rl.agents.learners import ActorLearner, AnyActor, CriticLearner
from lifelong_rl.networks.normalizer import InputNormalizer
from lifelong_rl.types import Batch, Memoryless, Metrics, Policy, TaskSpec


class ActingPolicy(Memoryless):
    """Acts by a function of normalised observation and goal, which gives actions in [-1, 1]."""

    def __init__(
        self, act: Callable[[Tensor, Tensor], Tensor], normalizer: InputNormalizer | None, spec: TaskSpec
    ) -> None:
        self._act, self._normalizer, self._spec = act, normalizer, spec

    @torch.no_grad()
    def __call__(self, observation: Tensor, goal: Tensor) -> Tensor:
        if self._normalizer is not None:
            observation, goal = self._normalizer.observation(observation), self._normalizer.goal(goal)
        return to_range(self._act(observation, goal), self._spec)


def as_networks_take_it(batch: Batch, normalizer: InputNormalizer | None, spec: TaskSpec) -> Batch:
    """Actions in [-1, 1] (choices stay), inputs normalised by what was seen up to and with this batch."""
    action = to_unit(batch.action, spec)
    if normalizer is None:
        return dataclasses.replace(batch, action=action)
    normalizer.learn(batch.observation, batch.goal)
    observation, next_observation = map(normalizer.observation, (batch.observation, batch.next_observation))
    return dataclasses.replace(
        batch, observation=observation, action=action, next_observation=next_observation,
        goal=normalizer.goal(batch.goal),
    )  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class OffPolicyParts(Generic[AnyActor]):
    """What each of these agents is given. The actor learns once in `policy_delay` updates, and targets follow then."""

    critic: CriticLearner
    actor: ActorLearner[AnyActor]
    normalizer: InputNormalizer | None
    policy_delay: int
    spec: TaskSpec
    generator: torch.Generator


class OffPolicyAgent(ABC, Generic[AnyActor]):
    """An update of the critic, and now and then one of the actor."""

    def __init__(self, parts: OffPolicyParts[AnyActor]) -> None:
        self.critic, self.actor, self.normalizer = parts.critic, parts.actor, parts.normalizer
        self.policy_delay, self.spec, self.generator = parts.policy_delay, parts.spec, parts.generator
        self.num_updates = 0

    @abstractmethod
    def policy(self, *, explore: bool) -> Policy: ...

    @abstractmethod
    def update_critic(self, batch: Batch) -> Metrics:
        """`batch` as networks take it: normalised, with actions in [-1, 1]."""

    @abstractmethod
    def update_actor(self, batch: Batch) -> Metrics:
        """The same batch, after the critic has learned from it."""

    def prepare(self) -> Metrics:
        return {}

    def update(self, batch: Batch) -> Metrics:
        batch = as_networks_take_it(batch, self.normalizer, self.spec)
        metrics = self.update_critic(batch)
        self.num_updates += 1
        if self.num_updates % self.policy_delay == 0:
            metrics |= self.update_actor(batch)
            self.follow()
        return metrics

    def follow(self) -> None:
        """Target networks take a step."""
        self.critic.target.follow()

    def state_dict(self) -> dict[str, Any]:
        state = {"critic": self.critic.state_dict(), "actor": self.actor.state_dict(), "num_updates": self.num_updates}
        return state if self.normalizer is None else state | {"normalizer": self.normalizer.state_dict()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.critic.load_state_dict(state["critic"])
        self.actor.load_state_dict(state["actor"])
        self.num_updates = state["num_updates"]
        if self.normalizer is not None:
            self.normalizer.load_state_dict(state["normalizer"])
