"""Quasimetric critic (Wang et al. 2023): latents of states and goals, a distance between them, and latent dynamics."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from lifelong_rl.config import ConfigError, one_of
from lifelong_rl.networks.encoders import FourierMLP, ImageEncoder, ImageTorso
from lifelong_rl.networks.energies import ENERGIES, EnergyHead, build_energy
from lifelong_rl.networks.mlp import MLP


@dataclass(frozen=True, kw_only=True)
class QuasimetricCriticConfig:
    """Defaults suit small tasks; `projector_size` is the head's input."""

    encoder_sizes: tuple[int, ...] = (256, 256)
    latent_size: int = 128
    projector_sizes: tuple[int, ...] = (256,)
    projector_size: int = 256
    dynamics_sizes: tuple[int, ...] = (256, 256)
    layer_norm: bool = True
    num_frequencies: int = 64  # Fourier features of the encoders' input; 0: none
    frequency_scale: float = 0.5  # radians per unit of the observation
    image_channels: tuple[int, int, int] = (32, 64, 64)  # of the convolutions, where observations are pictures
    energy: object = one_of(ENERGIES, default="iqe")

    def __post_init__(self) -> None:
        hidden = (*self.encoder_sizes, *self.projector_sizes, *self.dynamics_sizes, *self.image_channels)
        if min(self.latent_size, self.projector_size, *hidden) < 1 or self.num_frequencies < 0:
            raise ConfigError(f"all sizes must be at least 1 and num_frequencies at least 0, got {self}.")
        try:
            with torch.device("meta"):  # the head itself knows what fits it; nothing is computed or drawn here
                build_energy(self.energy, self.projector_size)
        except ValueError as error:
            raise ConfigError(f"energy does not fit projector_size {self.projector_size}: {error}") from None


class QuasimetricCritic(nn.Module):
    """States and goals as points z [B, L]; `project` takes them to the head's space, where `distance` measures steps.

    Without a `goal_size` goals are states and share the states' encoder; with one, an encoder of the goal alone
    gives each goal a point of its own. An observation is of so many numbers, or a picture of shape (H, W, C).
    """

    def __init__(
        self,
        config: QuasimetricCriticConfig,
        observation_size: int | tuple[int, ...],
        action_size: int,
        goal_size: int | None,
    ) -> None:
        super().__init__()
        latent, norm = config.latent_size, config.layer_norm
        self.encoder = _encoder(config, observation_size)
        self.goal_encoder = None if goal_size is None else _encoder(config, goal_size)
        self.projector = MLP(latent, config.projector_sizes, config.projector_size, layer_norm=norm)
        self.dynamics = MLP(latent + action_size, config.dynamics_sizes, latent, zero_output=True, layer_norm=norm)
        self.head: EnergyHead = build_energy(config.energy, config.projector_size)

    def encode(self, observation: Tensor) -> Tensor:
        return self.encoder(observation)

    def encode_goal(self, goal: Tensor) -> Tensor:
        return self.encoder(goal) if self.goal_encoder is None else self.goal_encoder(goal)

    def predict(self, latent: Tensor, action: Tensor) -> Tensor:
        """The latent after `action`; the identity before any learning."""
        return latent + self.dynamics(torch.cat([latent, action], -1))

    def project(self, latent: Tensor) -> Tensor:
        return self.projector(latent)

    def distance(self, x: Tensor, y: Tensor) -> Tensor:
        """Steps from x to y, both projected [..., D] -> [...]."""
        return -self.head(x, y)

    def steps_between(self, observation: Tensor, goal: Tensor) -> Tensor:
        """From raw observations and goals (in the form that the critic's goal encoder takes)."""
        return self.distance(self.project(self.encode(observation)), self.project(self.encode_goal(goal)))


def _encoder(config: QuasimetricCriticConfig, input_size: int | tuple[int, ...]) -> nn.Module:
    sizes, latent, norm = config.encoder_sizes, config.latent_size, config.layer_norm
    if isinstance(input_size, tuple):
        return ImageEncoder(ImageTorso(input_size, config.image_channels), sizes, latent, layer_norm=norm)
    count, scale = config.num_frequencies, config.frequency_scale
    return FourierMLP(input_size, sizes, latent, num_frequencies=count, scale=scale, layer_norm=norm)


class Multiplier(nn.Module):
    """A Lagrange multiplier kept positive: `scale` times softplus of a free number.

    Below `scale` it falls ever more slowly: a constraint that does not bind yet cannot drive it to 0 in a few updates.
    """

    def __init__(self, initial: float, scale: float = 1.0) -> None:
        super().__init__()
        self._scale = scale
        initial = initial / scale
        self.raw = nn.Parameter(torch.tensor(initial).expm1().log() if initial < 20 else torch.tensor(float(initial)))

    def forward(self) -> Tensor:
        return self._scale * F.softplus(self.raw)
