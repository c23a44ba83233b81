"""Networks in operations that every exporter knows: the layers that our own products and sorts stand for."""

import copy
from typing import TypeVar

import torch
from torch import Tensor, nn

from lifelong_rl.networks.energies.deep_norm import DeepNorm
from lifelong_rl.networks.energies.intervals import EMPTY
from lifelong_rl.networks.energies.iqe import IQE
from lifelong_rl.networks.energies.pieces import PositiveLinear
from lifelong_rl.networks.mlp import MLP

AnyModule = TypeVar("AnyModule", bound=nn.Module)


class PlainIQE(nn.Module):
    """IQE by torch's sort: the length of a union of intervals from their sorted ends."""

    def __init__(self, head: IQE) -> None:
        super().__init__()
        self.parts, self.reduce = head.parts, head.reduce

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        x, y = (part.unflatten(-1, self.parts) for part in torch.broadcast_tensors(x, y))
        is_empty = y <= x
        left, right = (torch.where(is_empty, EMPTY, end).sort(-1).values for end in (x, y))
        begin = torch.cat([left[..., :1], torch.maximum(left[..., 1:], right[..., :-1])], -1)
        return -self.reduce((right - begin).sum(-1))


class PlainDeepNorm(nn.Module):
    """DeepNorm by linear layers."""

    def __init__(self, head: DeepNorm) -> None:
        super().__init__()
        self.from_difference, self.from_layer = head.from_difference, head.from_layer
        self.concave, self.reduce = head.concave, head.reduce

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        difference = x - y
        first, *others = self.from_difference
        norms = first(difference).relu()
        for from_difference, from_layer in zip(others, self.from_layer, strict=True):
            norms = (from_layer(norms) + from_difference(difference)).relu()
        return -self.reduce(self.concave(norms))


def plain_copy(network: AnyModule) -> AnyModule:
    """A copy of a network: the same function, but for the order in which numbers are added up."""
    copied = copy.deepcopy(network)
    for module in list(copied.modules()):
        for name, child in module.named_children():
            module.register_module(name, _plain(child))
    return copied


def _plain(module: nn.Module) -> nn.Module:
    match module:
        case MLP():
            return module.layers
        case IQE():
            return PlainIQE(module)
        case DeepNorm():
            return PlainDeepNorm(module)
        case PositiveLinear():
            return _linear(module)
    return module


def _linear(layer: PositiveLinear) -> nn.Linear:
    size_out, size_in = layer.root.shape
    linear = nn.utils.skip_init(nn.Linear, size_in, size_out, bias=False)
    linear.weight = nn.Parameter(layer.root.detach().square())
    return linear
