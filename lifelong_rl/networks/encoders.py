"""Encoders: what a network sees of an observation first. Fourier features: Tancik et al. 2020 (arXiv:2006.10739).

Pictures: the three convolutions of Mnih et al. 2015 (doi:10.1038/nature14236), as in quasimetric-rl.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from lifelong_rl.networks.mlp import MLP

KERNELS, STRIDES = (8, 4, 3), (4, 2, 1)
SMALLEST = 36  # pixels on each side, of which the last convolution leaves one


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


class ImageTorso(nn.Module):
    """Pictures [..., H, W, C] uint8 to `size` numbers: three convolutions, each with ReLU; `channels` are theirs."""

    def __init__(self, image_shape: Sequence[int], channels: Sequence[int]) -> None:
        super().__init__()
        height, width, depth = image_shape
        if min(height, width) < SMALLEST or len(channels) != len(KERNELS):
            given = f"{list(image_shape)} and {list(channels)}"
            raise ValueError(f"pictures must be at least {SMALLEST} x {SMALLEST}, channels three numbers, got {given}.")
        layers: list[nn.Module] = []
        for fan_in, fan_out, kernel, stride in zip((depth, *channels), channels, KERNELS, STRIDES, strict=False):
            layers += [nn.Conv2d(fan_in, fan_out, kernel, stride), nn.ReLU()]
            height, width = (height - kernel) // stride + 1, (width - kernel) // stride + 1
        self.layers = nn.Sequential(*layers)
        self.size = channels[-1] * height * width

    def forward(self, picture: Tensor) -> Tensor:
        leading = picture.shape[:-3]
        x = picture.reshape(-1, *picture.shape[-3:]).movedim(-1, 1).float() / 255 - 0.5
        return self.layers(x).flatten(1).reshape(*leading, self.size)


class ImageEncoder(nn.Module):
    """A torso and an MLP: pictures [..., H, W, C] uint8 to [..., `output_size`]."""

    def __init__(
        self, torso: ImageTorso, hidden_sizes: Sequence[int], output_size: int, *, layer_norm: bool = False
    ) -> None:
        super().__init__()
        self.torso = torso
        self.mlp = MLP(torso.size, hidden_sizes, output_size, layer_norm=layer_norm)

    def forward(self, picture: Tensor) -> Tensor:
        return self.mlp(self.torso(picture))
