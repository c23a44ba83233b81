"""What one step of an environment does to its observation: K models that share nothing but their inputs.

As in model-based policy optimisation (Janner et al. 2019, arXiv:1906.08253), but without spreads: each model predicts
how much the observation changes, in units of how much it usually does.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from lifelong_rl.config import ConfigError
from lifelong_rl.networks.ensemble import EnsembleMLP
from lifelong_rl.networks.normalizer import NormalizerConfig, RunningNormalizer

_OBSERVATION = NormalizerConfig(least_std=1e-4, clip=10.0, input_clip=1e6)
_CHANGE = NormalizerConfig(least_std=1e-4, clip=100.0, input_clip=1e6)  # an impact may be many times the usual change


@dataclass(frozen=True, kw_only=True)
class DynamicsConfig:
    """Yang et al. 2021 have three models of four layers."""

    num_models: int = 3
    hidden_sizes: tuple[int, ...] = (256, 256, 256, 256)
    layer_norm: bool = False

    def __post_init__(self) -> None:
        if self.num_models < 1 or min(self.hidden_sizes, default=1) < 1:
            sizes = list(self.hidden_sizes)
            raise ConfigError(f"num_models and hidden_sizes must be at least 1, got {self.num_models} and {sizes}.")


class Dynamics(nn.Module):
    """Observations [..., O] are as the task shows them; actions [..., A] lie in [-1, 1], or are one-hot choices."""

    def __init__(self, config: DynamicsConfig, observation_size: int, action_size: int) -> None:
        super().__init__()
        self.config = config
        size = observation_size + action_size
        self.members = EnsembleMLP(
            config.num_models, size, config.hidden_sizes, observation_size, layer_norm=config.layer_norm
        )
        self.observation = RunningNormalizer(_OBSERVATION, observation_size)
        self.change = RunningNormalizer(_CHANGE, observation_size)

    def learn(self, observation: Tensor, next_observation: Tensor) -> None:
        """Takes steps [B, O] -> [B, O] into the moments by which inputs and changes are normalised."""
        self.observation.learn(observation)
        self.change.learn(next_observation - observation)

    def forward(self, observation: Tensor, action: Tensor) -> Tensor:
        """[B, O], [B, A] -> normalised changes [K, B, O]. Or [K, B, O], [K, B, A]: each model gets rows of its own."""
        return self.members(torch.cat([self.observation(observation), action], -1))

    def wanted(self, observation: Tensor, next_observation: Tensor) -> Tensor:
        """[..., O]: what `forward` should have said of the steps from one to the other."""
        return self.change(next_observation - observation)

    @torch.no_grad()
    def predictions(self, observation: Tensor, action: Tensor) -> Tensor:
        """[B, O], [B, A] -> the next observation as each of the K models sees it, [K, B, O]."""
        change = self(observation, action)
        return observation + self.change.mean + self.change.std * change

    def predict(self, observation: Tensor, action: Tensor) -> Tensor:
        """[B, O]: the mean of the K predictions."""
        return self.predictions(observation, action).mean(0)
