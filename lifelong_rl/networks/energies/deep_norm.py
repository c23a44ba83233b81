"""Deep norm (Pitis et al. 2020, arXiv:2002.05825): an input-convex network of x - y."""

from dataclasses import dataclass
from typing import cast

from torch import Tensor, nn

from lifelong_rl.networks.affine import affine
from lifelong_rl.networks.energies.base import EnergyHead
from lifelong_rl.networks.energies.pieces import Concave, PositiveLinear, Reduce, Reduction


@dataclass(frozen=True, kw_only=True)
class DeepNormConfig:
    """The last layer's outputs are the components."""

    components: int = 128
    hidden_size: int = 128
    layers: int = 3
    concave_lines: int = 5
    reduction: Reduction = "maxmean"


class DeepNorm(EnergyHead):
    """Every layer is convex, positive and positively homogeneous in x - y: each output is an asymmetric norm."""

    is_symmetric = False

    def __init__(self, config: DeepNormConfig, input_size: int) -> None:
        super().__init__()
        sizes = [config.hidden_size] * (config.layers - 1) + [config.components]
        self.from_difference = nn.ModuleList(nn.Linear(input_size, size, bias=False) for size in sizes)
        self.from_layer = nn.ModuleList(PositiveLinear(config.hidden_size, size) for size in sizes[1:])
        self.concave = Concave(config.components, config.concave_lines)
        self.reduce = Reduce(config.reduction)
        self.is_quasimetric = self.reduce.is_quasimetric

    def energy(self, x: Tensor, y: Tensor) -> Tensor:
        difference = x - y
        first, *others = (cast(Tensor, linear.weight) for linear in self.from_difference)
        norms = affine(difference, first, None, relu=True)
        for from_difference, from_layer in zip(others, self.from_layer, strict=True):
            norms = (from_layer(norms) + affine(difference, from_difference, None)).relu()
        return -self.reduce(self.concave(norms))
