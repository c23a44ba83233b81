"""Multilayer perceptron as in quasimetric-rl: ReLU, Xavier-uniform weights, zero biases."""

from collections.abc import Sequence

from torch import Tensor, nn


class MLP(nn.Module):
    """`input_size` -> hidden sizes (each with ReLU) -> `output_size`. `zero_output` starts it as the constant 0."""

    def __init__(
        self, input_size: int, hidden_sizes: Sequence[int], output_size: int, *, zero_output: bool = False
    ) -> None:
        super().__init__()
        sizes = (input_size, *hidden_sizes, output_size)
        layers: list[nn.Module] = []
        for fan_in, fan_out in zip(sizes[:-1], sizes[1:], strict=True):
            layers += [_linear(fan_in, fan_out), nn.ReLU()]
        self.layers = nn.Sequential(*layers[:-1])
        if zero_output:
            nn.init.zeros_(self.layers[-1].weight)  # type: ignore[arg-type]

    def forward(self, x: Tensor) -> Tensor:
        return self.layers(x)


def _linear(fan_in: int, fan_out: int) -> nn.Linear:
    linear = nn.Linear(fan_in, fan_out)
    nn.init.xavier_uniform_(linear.weight)
    nn.init.zeros_(linear.bias)
    return linear
