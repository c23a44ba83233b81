"""What several quasimetric heads are made of: reductions, concave maps and positive weights."""

from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

Reduction = Literal["maxmean", "max", "mean", "sum"]


class Reduce(nn.Module):
    """Component distances [..., K] -> one distance [...], which is a quasimetric if they are.

    `maxmean` learns how much of the maximum to mix into the mean (Wang & Isola 2022); 0.27 of it at first.
    """

    def __init__(self, reduction: Reduction) -> None:
        super().__init__()
        if reduction not in ("maxmean", "max", "mean", "sum"):
            raise ValueError(f"reduction must be one of maxmean, max, mean, sum, got {reduction!r}")
        self.reduction = reduction
        if reduction == "maxmean":
            self.raw_share = nn.Parameter(torch.tensor(-1.0))

    def forward(self, components: Tensor) -> Tensor:
        if self.reduction == "sum":
            return components.sum(-1)
        if self.reduction == "mean":
            return components.mean(-1)
        if self.reduction == "max":
            return components.amax(-1)
        mean = components.mean(-1)
        return mean + self.raw_share.sigmoid() * (components.amax(-1) - mean)


class Concave(nn.Module):
    """A learned concave map of each component [..., K]: the least of some lines, one of them through zero.

    Increasing, concave and 0 at 0, so it keeps the triangle inequality (Pitis et al. 2020). Slopes lie in (0, 2).
    """

    def __init__(self, components: int, lines: int = 5) -> None:
        super().__init__()
        self.raw_slope = nn.Parameter(torch.randn(lines, components))
        self.raw_intercept = nn.Parameter(torch.randn(lines - 1, components))

    def forward(self, components: Tensor) -> Tensor:
        slope = 2 * self.raw_slope.sigmoid()
        intercept = F.pad(F.softplus(self.raw_intercept), (0, 0, 1, 0))  # the first line has none
        return (components.unsqueeze(-2) * slope + intercept).amin(-2)


class PositiveLinear(nn.Module):
    """A linear map with weights >= 0, as squares, so that no step and no projection can break the sign.

    A weight is 1 / input_size on average at first: the output is about as large as the input.
    """

    def __init__(self, input_size: int, output_size: int) -> None:
        super().__init__()
        self.root = nn.Parameter(torch.randn(output_size, input_size) * input_size**-0.5)

    def forward(self, x: Tensor) -> Tensor:
        return F.linear(x, self.root.square())
