"""What several quasimetric heads are made of: reductions, concave maps and positive weights."""

import functools
import math
from typing import Literal, get_args

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from lifelong_rl.networks.affine import affine

Reduction = Literal["maxmean", "max", "mean", "sum", "softmax", "log_mean_exp"]


class Reduce(nn.Module):
    """Component distances [..., K] -> one distance [...], which is a quasimetric if they are and `is_quasimetric`.

    `maxmean` learns how much of the maximum to mix into the mean (Wang & Isola 2022); 0.27 of it at first. `softmax`
    (their mean, weighed by their own softmax) and `log_mean_exp` grow faster than their components, so with them a
    detour can be shorter.
    """

    def __init__(self, reduction: Reduction) -> None:
        super().__init__()
        if reduction not in get_args(Reduction):
            raise ValueError(f"reduction must be one of {', '.join(get_args(Reduction))}, got {reduction!r}")
        self.reduction = reduction
        self.is_quasimetric = reduction not in ("softmax", "log_mean_exp")
        if reduction == "maxmean":
            self.raw_share = nn.Parameter(torch.tensor(-1.0))

    def forward(self, components: Tensor) -> Tensor:
        if self.reduction == "sum":
            return components.sum(-1)
        if self.reduction == "mean":
            return components.mean(-1)
        if self.reduction == "max":
            return components.amax(-1)
        if self.reduction == "softmax":
            return (components.softmax(-1) * components).sum(-1)
        if self.reduction == "log_mean_exp":
            return components.logsumexp(-1) - math.log(components.shape[-1])
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
        return _Least.apply(components.reshape(-1, components.shape[-1]), slope, intercept).view(components.shape)


class _Least(torch.autograd.Function):
    """Least of x * slope + intercept: x [N, K], both [lines, K] -> [N, K]; the first of equals has the gradient.

    Line by line in the processor's cache: half the time of `amin` over a tensor of all lines and its backward.
    """

    @staticmethod
    def forward(ctx, x, slope, intercept):  # type: ignore[no-untyped-def]
        lines = [torch.addcmul(one, x, steepness) for steepness, one in zip(slope, intercept, strict=True)]
        least = functools.reduce(torch.minimum, lines)
        ctx.save_for_backward(x, slope, least, *lines)
        return least

    @staticmethod
    def backward(ctx, gradient):  # type: ignore[no-untyped-def]
        x, slope, least, *lines = ctx.saved_tensors
        grad_x, grad_slope, grad_intercept = torch.zeros_like(x), torch.zeros_like(slope), torch.zeros_like(slope)
        is_free = torch.ones_like(least, dtype=torch.bool)
        for index, line in enumerate(lines):
            is_least = (line == least).logical_and_(is_free)
            is_free.logical_xor_(is_least)
            own = is_least * gradient
            grad_x.addcmul_(own, slope[index])
            torch.sum(own, 0, out=grad_intercept[index])
            torch.sum(own.mul_(x), 0, out=grad_slope[index])
        return grad_x, grad_slope, grad_intercept


class PositiveLinear(nn.Module):
    """A linear map with weights >= 0, as squares, so that no step and no projection can break the sign.

    A weight is 1 / input_size on average at first: the output is about as large as the input.
    """

    def __init__(self, input_size: int, output_size: int) -> None:
        super().__init__()
        self.root = nn.Parameter(torch.randn(output_size, input_size) * input_size**-0.5)

    def forward(self, x: Tensor) -> Tensor:
        return affine(x, self.root.square(), None)
