"""The table of energy heads: a new head is one file and one line here."""

from typing import Any

from lifelong_rl.networks.energies.base import EnergyHead
from lifelong_rl.networks.energies.cosine import Cosine, CosineConfig
from lifelong_rl.networks.energies.deep_norm import DeepNorm, DeepNormConfig
from lifelong_rl.networks.energies.dot import Dot, DotConfig
from lifelong_rl.networks.energies.iqe import IQE, IQEConfig
from lifelong_rl.networks.energies.l2 import L2, L2Config
from lifelong_rl.networks.energies.mlp import MLP, MLPConfig
from lifelong_rl.networks.energies.mrn import MRN, MRNConfig
from lifelong_rl.networks.energies.pqe import PQE, PQEConfig
from lifelong_rl.networks.energies.wide_norm import WideNorm, WideNormConfig

__all__ = ["ENERGIES", "HEADS", "EnergyHead", "build_energy"]

ENERGIES: dict[str, type] = {
    "iqe": IQEConfig,
    "mrn": MRNConfig,
    "pqe": PQEConfig,
    "deep_norm": DeepNormConfig,
    "wide_norm": WideNormConfig,
    "l2": L2Config,
    "dot": DotConfig,
    "cosine": CosineConfig,
    "mlp": MLPConfig,
}
HEADS: dict[type, Any] = {
    IQEConfig: IQE,
    MRNConfig: MRN,
    PQEConfig: PQE,
    DeepNormConfig: DeepNorm,
    WideNormConfig: WideNorm,
    L2Config: L2,
    DotConfig: Dot,
    CosineConfig: Cosine,
    MLPConfig: MLP,
}


def build_energy(config: Any, input_size: int) -> EnergyHead:
    """The head that `config` describes, for embeddings of `input_size` numbers."""
    if type(config) not in HEADS:
        raise TypeError(f"energy config must be one of {', '.join(ENERGIES)}, got {type(config).__name__}")
    return HEADS[type(config)](config, input_size)
