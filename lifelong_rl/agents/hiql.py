"""Hierarchical implicit Q-learning (Park et al. 2023, arXiv:2307.11949): one value, and two policies from it."""

from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from lifelong_rl.agents.imitation import Imitator
from lifelong_rl.agents.off_policy import ActingPolicy, as_networks_take_it
from lifelong_rl.agents.value_learning import BootstrappedValue, WeightingConfig, among_reached
from lifelong_rl.networks.values import RepresentedValue, on_sphere
from lifelong_rl.types import Batch, Metrics, Policy, TaskSpec


class HIQLAgent:
    """V(s, phi([s; g])). The high policy says which phi to head for, some steps ahead; the low one goes there.

    Far from a goal one step hardly changes V, and noise decides which actions are copied; that many steps change it.
    """

    def __init__(
        self,
        value: BootstrappedValue[RepresentedValue],
        high: Imitator,
        low: Imitator,
        weightings: tuple[WeightingConfig, WeightingConfig],
        spec: TaskSpec,
        generator: torch.Generator,
    ) -> None:
        self.value, self.high, self.low, self.spec, self.generator = value, high, low, spec, generator
        self.high_weighting, self.low_weighting = weightings

    def policy(self, *, explore: bool) -> Policy:
        """Explores by the low policy's samples; a waypoint is proposed anew at every step."""
        low = self.low.acting(explore, self.generator)

        def act(observation: Tensor, goal: Tensor) -> Tensor:
            return low(observation, on_sphere(self.high.best(observation, goal)))

        return ActingPolicy(act, None, self.spec)

    def prepare(self) -> Metrics:
        return {}

    def update(self, batch: Batch) -> Metrics:
        waypoint = batch.waypoint_observation
        assert waypoint is not None  # ExperimentConfig sees to it
        batch = as_networks_take_it(batch, None, self.spec)
        metrics = self.value.update(batch)
        goal = waypoint if self.spec.goal_of is None else self.spec.goal_of(waypoint)
        with torch.no_grad():
            representation = self.value.network.represent(batch.observation, goal)  # [B, R]
        metrics |= self._update_high(batch, waypoint, representation)
        metrics |= self._update_low(replace(batch, goal=goal), representation)
        self.value.target.follow()
        return metrics

    def _update_high(self, batch: Batch, waypoint: Tensor, representation: Tensor) -> Metrics:
        """Copies waypoints, the more the nearer they are to the goal: as the mean of a unit normal."""
        gain = self.value.value(waypoint, batch.goal) - self.value.value(batch.observation, batch.goal)
        weight = among_reached(self.high_weighting.weight(gain), batch)
        loss = self.high.clone(replace(batch, action=representation), weight)
        return {"high_actor_loss": loss, "high_weight_mean": weight.mean()}

    def _update_low(self, batch: Batch, representation: Tensor) -> Metrics:
        """Copies actions, the more the nearer they lead to the waypoint, which is the goal of this `batch`."""
        weight = among_reached(self.low_weighting.weight(self.value.advantage(batch)), batch)
        loss = self.low.clone(replace(batch, goal=representation), weight)
        return {"low_actor_loss": loss, "low_weight_mean": weight.mean()}

    def state_dict(self) -> dict[str, Any]:
        high, low = self.high.actor.state_dict(), self.low.actor.state_dict()
        return {"value": self.value.state_dict(), "high": high, "low": low}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.value.load_state_dict(state["value"])
        self.high.actor.load_state_dict(state["high"])
        self.low.actor.load_state_dict(state["low"])
