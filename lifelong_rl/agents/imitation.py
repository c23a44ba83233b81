"""Goal-conditioned imitation: do as was done on the way to where the episode came later.

Offline it is behaviour cloning (GCBC); in turn with collecting it is GCSL (Ghosh et al. 2019, arXiv:1912.06088).
"""

from collections.abc import Callable
from typing import Any, Protocol

import torch
from torch import Tensor
from torch.nn import functional as F

from lifelong_rl.agents.learners import ActorLearner
from lifelong_rl.agents.off_policy import ActingPolicy, as_networks_take_it
from lifelong_rl.losses.imitation import achieved_weight, squared_action_error
from lifelong_rl.networks.actors import (
    ActorNetwork,
    CategoricalActor,
    DeterministicActor,
    TanhNormal,
    TanhNormalActor,
)
from lifelong_rl.networks.normalizer import InputNormalizer
from lifelong_rl.types import Batch, Metrics, Policy, TaskSpec


class CloningRule(Protocol):
    """What an actor's `output` says: how far from a seen action it is, what it thinks best, what it would try."""

    actor_class: type[ActorNetwork]

    def error(self, output: Any, seen: Tensor) -> Tensor:
        """[B], what learning lessens."""
        ...

    def best(self, output: Any) -> Tensor: ...
    def sample(self, output: Any, generator: torch.Generator) -> Tensor: ...


class Likelihood:
    """Minus the log-probability under a tanh-normal; explores by its samples."""

    actor_class: type[ActorNetwork] = TanhNormalActor

    def error(self, output: TanhNormal, seen: Tensor) -> Tensor:
        return -output.log_prob(seen)

    def best(self, output: TanhNormal) -> Tensor:
        return output.squashed_mean()

    def sample(self, output: TanhNormal, generator: torch.Generator) -> Tensor:
        return output.sample(generator)


class SquaredError:
    """The distance of one action from another; exploring is left to the phase's noise."""

    actor_class: type[ActorNetwork] = DeterministicActor

    def error(self, output: Tensor, seen: Tensor) -> Tensor:
        return squared_action_error(output, seen)

    def best(self, output: Tensor) -> Tensor:
        return output

    def sample(self, output: Tensor, generator: torch.Generator) -> Tensor:
        return output


class ChoiceLikelihood:
    """Minus the log-probability of a choice; explores by its samples. Choices are int64 [B], outputs logits [B, A]."""

    actor_class: type[ActorNetwork] = CategoricalActor

    def error(self, output: Tensor, seen: Tensor) -> Tensor:
        return F.cross_entropy(output, seen, reduction="none")

    def best(self, output: Tensor) -> Tensor:
        return output.argmax(-1)

    def sample(self, output: Tensor, generator: torch.Generator) -> Tensor:
        return torch.multinomial(output.softmax(-1), 1, generator=generator).squeeze(-1)


class Imitator:
    """An actor and the rule by which it learns to act as was acted."""

    def __init__(self, rule: CloningRule, actor: ActorLearner[ActorNetwork]) -> None:
        self.rule, self.actor = rule, actor

    def best(self, observation: Tensor, goal: Tensor) -> Tensor:
        return self.rule.best(self.actor.network(observation, goal))

    def acting(self, explore: bool, generator: torch.Generator) -> Callable[[Tensor, Tensor], Tensor]:
        """Observation and goal, as networks take them, to actions; samples where it explores."""
        if not explore:
            return self.best
        return lambda observation, goal: self.rule.sample(self.actor.network(observation, goal), generator)

    def clone(self, batch: Batch, weight: Tensor) -> Tensor:
        """One step towards the batch's actions under weights [B]; returns the loss."""
        output = self.actor.network(batch.observation, batch.goal)
        return self.actor.climb(-weight * self.rule.error(output, batch.action), self.rule.best(output))


class ImitationAgent:
    """GCBC and GCSL: every example counts alike. A batch wants goals that were achieved later; others are left out."""

    def __init__(
        self, imitator: Imitator, normalizer: InputNormalizer | None, spec: TaskSpec, generator: torch.Generator
    ) -> None:
        self.imitator, self.actor = imitator, imitator.actor
        self.normalizer, self.spec, self.generator = normalizer, spec, generator

    def policy(self, *, explore: bool) -> Policy:
        return ActingPolicy(self.imitator.acting(explore, self.generator), self.normalizer, self.spec)

    def prepare(self) -> Metrics:
        return {}

    def update(self, batch: Batch) -> Metrics:
        batch = as_networks_take_it(batch, self.normalizer, self.spec)
        weight = achieved_weight(batch.steps_to_goal)
        return {"actor_loss": self.imitator.clone(batch, weight), "cloned_fraction": weight.mean()}

    def state_dict(self) -> dict[str, Any]:
        state = {"actor": self.actor.state_dict()}
        return state if self.normalizer is None else state | {"normalizer": self.normalizer.state_dict()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.actor.load_state_dict(state["actor"])
        if self.normalizer is not None:
            self.normalizer.load_state_dict(state["normalizer"])
