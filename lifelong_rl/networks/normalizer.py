"""Observations and goals at mean 0 and spread 1, by moments of all that was learned from so far."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from lifelong_rl.config import ConfigError


@dataclass(frozen=True, kw_only=True)
class NormalizerConfig:
    """As in the hindsight baselines, mrl and the metric residual study."""

    least_std: float = 0.01  # what hardly changes is not blown up
    clip: float = 5.0  # of what comes out
    input_clip: float = 200.0

    def __post_init__(self) -> None:
        if min(self.least_std, self.clip, self.input_clip) <= 0:
            raise ConfigError(f"least_std, clip and input_clip must be positive, got {self}.")


class RunningNormalizer(nn.Module):
    """x [..., D] -> (x - mean) / std, clipped; changes nothing but by its clips before it has learned."""

    count: Tensor
    mean: Tensor
    variance: Tensor

    def __init__(self, config: NormalizerConfig, size: int) -> None:
        super().__init__()
        self.config = config
        self.register_buffer("count", torch.zeros((), dtype=torch.float64))  # of rows; float32 stops at 17 million
        self.register_buffer("mean", torch.zeros(size))
        self.register_buffer("variance", torch.ones(size))

    def forward(self, x: Tensor) -> Tensor:
        config = self.config
        inner = x.clamp(-config.input_clip, config.input_clip)
        return ((inner - self.mean) / self.std).clamp(-config.clip, config.clip)

    @property
    def std(self) -> Tensor:
        """[D], what is divided by."""
        return self.variance.sqrt().clamp(min=self.config.least_std)

    @torch.no_grad()
    def learn(self, x: Tensor) -> None:
        """Takes the rows of x [B, D] into the moments (Chan et al. 1979: moments of two sets give those of both)."""
        if not x.shape[-1]:
            return  # a task without goals
        x = x.clamp(-self.config.input_clip, self.config.input_clip)
        variance, mean = torch.var_mean(x, 0, correction=0)
        self.count += len(x)
        share = (len(x) / self.count).to(x.dtype)  # of the new rows; 1 at first, so that the initial moments vanish
        self.variance.lerp_(variance, share).add_((mean - self.mean).square() * (share * (1 - share)))
        self.mean.lerp_(mean, share)


class InputNormalizer(nn.Module):
    """One for observations, one for goals."""

    def __init__(self, config: NormalizerConfig, observation_size: int, goal_size: int) -> None:
        super().__init__()
        self.observation = RunningNormalizer(config, observation_size)
        self.goal = RunningNormalizer(config, goal_size)

    def learn(self, observation: Tensor, goal: Tensor) -> None:
        """From the rows of a batch."""
        self.observation.learn(observation)
        self.goal.learn(goal)
