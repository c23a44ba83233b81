"""Encoders: what a network sees of an observation first. Fourier features: Tancik et al. 2020 (arXiv:2006.10739)."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from lifelong_rl.networks.mlp import MLP


class FourierMLP(nn.Module):
    """An MLP of x [B, O] and of sines and cosines of `num_frequencies` learned projections of x.

    Walls make distances jump where positions hardly differ; a plain MLP learns such jumps slowly. `scale` is the
    standard deviation of the first projections, in radians per unit of x. No frequencies: a plain MLP.
    """

    def __init__(
        self,
        input_size: int,
        hidden_sizes: Sequence[int],
        output_size: int,
        *,
        num_frequencies: int,
        scale: float,
        layer_norm: bool = False,
        zero_output: bool = False,
    ) -> None:
        super().__init__()
        self.frequencies = nn.Parameter(scale * torch.randn(input_size, num_frequencies)) if num_frequencies else None
        size = input_size + 2 * num_frequencies
        self.mlp = MLP(size, hidden_sizes, output_size, layer_norm=layer_norm, zero_output=zero_output)

    def forward(self, x: Tensor) -> Tensor:
        if self.frequencies is None:
            return self.mlp(x)
        phase = x @ self.frequencies
        return self.mlp(torch.cat([x, phase.sin(), phase.cos()], -1))
