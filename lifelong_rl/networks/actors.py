"""Actors in [-1, 1]: deterministic, and tanh-normal with state-dependent spread (after Acme's); and of choices."""

import math
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from lifelong_rl.networks.mlp import MLP

EDGE = 0.999  # beyond it, a squashed action's probability is that of the whole tail
_NODES, _WEIGHTS = np.polynomial.hermite_e.hermegauss(16)  # expectations under a standard normal


class TanhNormal:
    """tanh(N(mean, std)) on [-1, 1]^A; all shapes [..., A]."""

    def __init__(self, mean: Tensor, std: Tensor) -> None:
        self.mean, self.std = mean, std

    def sample(self, generator: torch.Generator) -> Tensor:
        """Differentiable in mean and std."""
        noise = torch.empty_like(self.mean).normal_(generator=generator)
        return torch.tanh(self.mean + self.std * noise)

    def sample_with_log_prob(self, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """A sample and its log-probability [...], from the number that was squashed: exact however near the ends."""
        noise = torch.empty_like(self.mean).normal_(generator=generator)
        raw = self.mean + self.std * noise
        normal = -0.5 * (noise.square() + math.log(2 * math.pi)) - self.std.log()
        return torch.tanh(raw), (normal - _log_slope(raw)).sum(-1)

    def log_prob(self, action: Tensor) -> Tensor:
        """[...], natural logarithm; the mass beyond +-0.999 is spread over its tail, so the ends are finite."""
        inner = action.clamp(-EDGE, EDGE)
        raw = torch.atanh(inner)
        density = self._log_normal(raw) - torch.log1p(-inner.square())
        cut, width = math.atanh(EDGE), math.log(1 - EDGE)
        right = torch.special.log_ndtr((self.mean - cut) / self.std) - width
        left = torch.special.log_ndtr((-cut - self.mean) / self.std) - width
        return torch.where(action >= EDGE, right, torch.where(action <= -EDGE, left, density)).sum(-1)

    def entropy(self) -> Tensor:
        """[...], by 16-point Gauss-Hermite quadrature of the log-derivative of tanh (no sampling noise)."""
        nodes = torch.as_tensor(_NODES, dtype=self.mean.dtype, device=self.mean.device)
        weights = torch.as_tensor(_WEIGHTS / _WEIGHTS.sum(), dtype=self.mean.dtype, device=self.mean.device)
        raw = self.mean[..., None] + self.std[..., None] * nodes
        normal = 0.5 * math.log(2 * math.pi * math.e) + self.std.log()
        return (normal + (_log_slope(raw) * weights).sum(-1)).sum(-1)

    def squashed_mean(self) -> Tensor:
        return torch.tanh(self.mean)

    def likeliest_of(self, count: int, generator: torch.Generator) -> Tensor:
        """The likeliest of `count` samples: quasimetric-rl's estimate of the mode of the squashed density."""
        noise = torch.empty((count, *self.mean.shape), device=self.mean.device).normal_(generator=generator)
        actions = torch.tanh(self.mean + self.std * noise)
        best = self.log_prob(actions).argmax(0)
        return actions.gather(0, best[None, ..., None].expand(1, *self.mean.shape))[0]

    def _log_normal(self, raw: Tensor) -> Tensor:
        return -0.5 * ((raw - self.mean) / self.std).square() - self.std.log() - 0.5 * math.log(2 * math.pi)


class ActorNetwork(nn.Module):
    """An MLP of observation and goal, whose last layer starts at 0: `outputs_per_action` numbers for each action.

    A `torso` sees both first, each by itself: then the sizes are those of what it makes of them.
    """

    outputs_per_action: int

    def __init__(
        self,
        observation_size: int,
        goal_size: int,
        action_size: int,
        hidden_sizes: Sequence[int],
        *,
        layer_norm: bool = False,
        torso: nn.Module | None = None,
    ) -> None:
        super().__init__()
        self.torso = nn.Identity() if torso is None else torso
        size, outputs = observation_size + goal_size, self.outputs_per_action * action_size
        self.body = MLP(size, hidden_sizes, outputs, zero_output=True, layer_norm=layer_norm)

    def outputs(self, observation: Tensor, goal: Tensor) -> Tensor:
        """[B, A times outputs_per_action]."""
        return self.body(torch.cat([self.torso(observation), self.torso(goal)], -1))


class TanhNormalActor(ActorNetwork):
    """pi(a | observation, goal) as in quasimetric-rl; starts at mean 0 and spread softplus(0) = 0.693."""

    outputs_per_action = 2

    def forward(self, observation: Tensor, goal: Tensor) -> TanhNormal:
        return self.choose(self.torso(observation), self.torso(goal))

    def choose(self, seen: Tensor, aim: Tensor) -> TanhNormal:
        """From what the torso made of an observation and of a goal, each [B, ...]."""
        mean, raw_std = self.body(torch.cat([seen, aim], -1)).chunk(2, -1)
        return TanhNormal(mean, F.softplus(raw_std) + 1e-4)


class ExponentialTanhNormalActor(ActorNetwork):
    """pi(a | observation, goal) as in soft actor-critic: log std within [-20, 2]; starts at mean 0 and spread 1."""

    outputs_per_action = 2

    def forward(self, observation: Tensor, goal: Tensor) -> TanhNormal:
        mean, log_std = self.outputs(observation, goal).chunk(2, -1)
        return TanhNormal(mean, log_std.clamp(-20, 2).exp())


class DeterministicActor(ActorNetwork):
    """The action [B, A] itself, by a tanh; starts at 0."""

    outputs_per_action = 1

    def forward(self, observation: Tensor, goal: Tensor) -> Tensor:
        return torch.tanh(self.outputs(observation, goal))


class CategoricalActor(ActorNetwork):
    """Logits [B, A] of choices; starts with all of them alike."""

    outputs_per_action = 1

    def forward(self, observation: Tensor, goal: Tensor) -> Tensor:
        return self.outputs(observation, goal)


def _log_slope(raw: Tensor) -> Tensor:
    """log(1 - tanh(raw)^2), finite for any number."""
    return 2 * (math.log(2) - raw - F.softplus(-2 * raw))
