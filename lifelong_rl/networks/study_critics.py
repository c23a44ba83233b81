"""The critics of the metric residual study (Liu et al. 2023, arXiv:2208.08133), matched in size, and three more.

Each is a pair critic with sizes of its own: 140 thousand weights, give or take 1 %, for FetchPush. (The study's own
ablations had 160 thousand and its PQE 154.) The monolithic critic of the study has three hidden layers of 256.
"""

from dataclasses import dataclass
from typing import Any

from lifelong_rl.config import one_of
from lifelong_rl.networks.energies import ENERGIES
from lifelong_rl.networks.energies.cosine import CosineConfig
from lifelong_rl.networks.energies.deep_norm import DeepNormConfig
from lifelong_rl.networks.energies.iqe import IQEConfig
from lifelong_rl.networks.energies.mrn import MRNConfig
from lifelong_rl.networks.energies.wide_norm import WideNormConfig
from lifelong_rl.networks.q_networks import PairCriticConfig


@dataclass(frozen=True, kw_only=True)
class MRNCriticConfig(PairCriticConfig):
    """The study's own: metric part plus the largest residual."""


@dataclass(frozen=True, kw_only=True)
class MRNSymConfig(PairCriticConfig):
    """The metric part alone, as wide as the two together."""

    energy: Any = one_of(ENERGIES, default=MRNConfig(hidden_sizes=(352,), residual=None))


@dataclass(frozen=True, kw_only=True)
class MRNAsymConfig(PairCriticConfig):
    """The residual alone (the study's `max`), as wide as the two together."""

    energy: Any = one_of(ENERGIES, default=MRNConfig(hidden_sizes=(352,), has_metric=False))


@dataclass(frozen=True, kw_only=True)
class MRNSoftmaxConfig(PairCriticConfig):
    """Residuals weighed by their softmax (the study's `asym`): no quasimetric."""

    energy: Any = one_of(ENERGIES, default=MRNConfig(residual="softmax"))


@dataclass(frozen=True, kw_only=True)
class MRNLogMeanExpConfig(PairCriticConfig):
    """The study's `asym-lse`, but 0 where all residuals are: no quasimetric either."""

    energy: Any = one_of(ENERGIES, default=MRNConfig(residual="log_mean_exp"))


@dataclass(frozen=True, kw_only=True)
class BilinearConfig(PairCriticConfig):
    """f(s, a) . h(s, g), the bilinear value network (Hong et al. 2022, arXiv:2204.13695)."""

    encoder_sizes: tuple[int, ...] = (176, 176, 176)
    embedding_size: int = 16
    embedding_relu: bool = False
    energy: Any = one_of(ENERGIES, default="dot")


@dataclass(frozen=True, kw_only=True)
class L2CriticConfig(BilinearConfig):
    """-|f(s, a) - h(s, g)|. The study's is squared, and its h does not see s."""

    energy: Any = one_of(ENERGIES, default="l2")


@dataclass(frozen=True, kw_only=True)
class CosineCriticConfig(BilinearConfig):
    """Between -50 and 50, where returns at a discount of 0.98 lie."""

    energy: Any = one_of(ENERGIES, default=CosineConfig(temperature=0.02))


@dataclass(frozen=True, kw_only=True)
class WideNormCriticConfig(PairCriticConfig):
    """The study's `wn-maxavg`; `energy.reduction` mean, max and softmax are its others."""

    projector_sizes: tuple[int, ...] = (176,)
    projection_size: int | None = 16
    energy: Any = one_of(ENERGIES, default=WideNormConfig(components=62, component_size=16, concave_lines=8))


@dataclass(frozen=True, kw_only=True)
class DeepNormCriticConfig(PairCriticConfig):
    """The study's `dn`; `energy.reduction` max and softmax are its others."""

    projector_sizes: tuple[int, ...] = (176,)
    projection_size: int | None = 16
    energy: Any = one_of(
        ENERGIES,
        default=DeepNormConfig(components=162, hidden_size=162, layers=2, concave_lines=8, reduction="mean"),
    )


@dataclass(frozen=True, kw_only=True)
class PQECriticConfig(PairCriticConfig):
    """16 components of 4 numbers; the layer before them is 260 wide (the study's: 300)."""

    projector_sizes: tuple[int, ...] = (260,)
    projection_size: int | None = 64
    energy: Any = one_of(ENERGIES, default="pqe")


@dataclass(frozen=True, kw_only=True)
class IQECriticConfig(PairCriticConfig):
    """16 components of 8 numbers. Not in the study."""

    projector_sizes: tuple[int, ...] = (222,)
    projection_size: int | None = 128
    energy: Any = one_of(ENERGIES, default=IQEConfig(components=16))
