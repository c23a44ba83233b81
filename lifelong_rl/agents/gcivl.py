"""Goal-conditioned implicit V-learning: IQL without Q (Kostrikov et al. 2022; Park et al. 2023, 2024, OGBench)."""

from typing import Any

import torch

from lifelong_rl.agents.imitation import Imitator
from lifelong_rl.agents.off_policy import ActingPolicy, as_networks_take_it
from lifelong_rl.agents.value_learning import BootstrappedValue, WeightingConfig, among_reached
from lifelong_rl.networks.values import GoalValue
from lifelong_rl.types import Batch, Metrics, Policy, TaskSpec


class GCIVLAgent:
    """V(s, g) counts steps as the better ways in the data would take them; the actor copies what beats it."""

    def __init__(
        self,
        value: BootstrappedValue[GoalValue],
        imitator: Imitator,
        weighting: WeightingConfig,
        spec: TaskSpec,
        generator: torch.Generator,
    ) -> None:
        self.value, self.imitator, self.weighting = value, imitator, weighting
        self.spec, self.generator = spec, generator

    def policy(self, *, explore: bool) -> Policy:
        return ActingPolicy(self.imitator.acting(explore, self.generator), None, self.spec)

    def prepare(self) -> Metrics:
        return {}

    def update(self, batch: Batch) -> Metrics:
        batch = as_networks_take_it(batch, None, self.spec)
        metrics = self.value.update(batch)
        weight = among_reached(self.weighting.weight(self.value.advantage(batch)), batch)
        metrics |= {"actor_loss": self.imitator.clone(batch, weight), "weight_mean": weight.mean()}
        self.value.target.follow()
        return metrics

    def state_dict(self) -> dict[str, Any]:
        return {"value": self.value.state_dict(), "actor": self.imitator.actor.state_dict()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.value.load_state_dict(state["value"])
        self.imitator.actor.load_state_dict(state["actor"])
