"""Values V(s, g), plain or by way of a representation of goals, and what proposes such representations."""

from abc import ABC, abstractmethod
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from lifelong_rl.networks.actors import ActorNetwork
from lifelong_rl.networks.ensemble import EnsembleMLP
from lifelong_rl.networks.mlp import MLP


class ValueNetwork(nn.Module, ABC):
    """K estimates of one value."""

    @abstractmethod
    def forward(self, observation: Tensor, goal: Tensor) -> Tensor:
        """[B, O], [B, G] -> [K, B]."""


class GoalValue(ValueNetwork):
    """An MLP of state and goal."""

    def __init__(
        self, count: int, observation_size: int, goal_size: int, hidden_sizes: Sequence[int], *, layer_norm: bool
    ) -> None:
        super().__init__()
        size = observation_size + goal_size
        self.members = EnsembleMLP(count, size, hidden_sizes, 1, layer_norm=layer_norm)

    def forward(self, observation: Tensor, goal: Tensor) -> Tensor:
        return self.members(torch.cat([observation, goal], -1)).squeeze(-1)


class RepresentedValue(ValueNetwork):
    """V(s, phi([s; g])): one phi for all K members, on the sphere of radius sqrt(R) (Park et al. 2023, HIQL)."""

    def __init__(
        self,
        count: int,
        observation_size: int,
        goal_size: int,
        representation_size: int,
        hidden_sizes: Sequence[int],
        *,
        layer_norm: bool,
    ) -> None:
        super().__init__()
        inputs = observation_size + goal_size
        self.representation = MLP(inputs, hidden_sizes, representation_size, layer_norm=layer_norm)
        self.value = GoalValue(count, observation_size, representation_size, hidden_sizes, layer_norm=layer_norm)

    def represent(self, observation: Tensor, goal: Tensor) -> Tensor:
        """[B, O], [B, G] -> [B, R]: where to go, as seen from here."""
        return on_sphere(self.representation(torch.cat([observation, goal], -1)))

    def forward(self, observation: Tensor, goal: Tensor) -> Tensor:
        return self.value(observation, self.represent(observation, goal))


class WaypointProposer(ActorNetwork):
    """The mean [B, R] of a unit normal over representations of waypoints."""

    outputs_per_action = 1

    def forward(self, observation: Tensor, goal: Tensor) -> Tensor:
        return self.outputs(observation, goal)


def on_sphere(x: Tensor) -> Tensor:
    """x [..., R] at length sqrt(R)."""
    return F.normalize(x, dim=-1) * x.shape[-1] ** 0.5
