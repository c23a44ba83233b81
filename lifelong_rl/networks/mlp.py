"""Multilayer perceptron as in quasimetric-rl (ReLU, Xavier-uniform weights, zero biases), with layer norm if asked."""

from collections.abc import Sequence

from torch import Tensor, nn

from lifelong_rl.networks.affine import affine


class MLP(nn.Module):
    """`input_size` -> hidden sizes (each with ReLU) -> `output_size`. `zero_output` starts it as the constant 0.

    `layer_norm` normalises each hidden layer before its ReLU: smoother functions, and far quicker learning.
    """

    def __init__(
        self,
        input_size: int,
        hidden_sizes: Sequence[int],
        output_size: int,
        *,
        zero_output: bool = False,
        layer_norm: bool = False,
    ) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for fan_in, fan_out in zip((input_size, *hidden_sizes), hidden_sizes, strict=False):
            layers += [_linear(fan_in, fan_out), *([nn.LayerNorm(fan_out)] if layer_norm else []), nn.ReLU()]
        layers.append(_linear(hidden_sizes[-1] if hidden_sizes else input_size, output_size))
        self.layers = nn.Sequential(*layers)
        if zero_output:
            nn.init.zeros_(self.layers[-1].weight)  # type: ignore[arg-type]

    def forward(self, x: Tensor) -> Tensor:
        *hidden, last = (layer for layer in self.layers if isinstance(layer, nn.Linear))
        norms = [layer for layer in self.layers if isinstance(layer, nn.LayerNorm)]
        for index, linear in enumerate(hidden):
            x = affine(x, linear.weight, linear.bias, relu=not norms)
            if norms:
                x = norms[index](x).relu_()
        return affine(x, last.weight, last.bias)


def _linear(fan_in: int, fan_out: int) -> nn.Linear:
    linear = nn.Linear(fan_in, fan_out)
    nn.init.xavier_uniform_(linear.weight)
    nn.init.zeros_(linear.bias)
    return linear
