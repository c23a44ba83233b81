"""How models of an environment learn from its steps: pure functions."""

from torch import Tensor


def absolute_error(predicted: Tensor, wanted: Tensor) -> Tensor:
    """[K, B, O], [K, B, O] -> mean over B and O, summed over K: each model learns as if alone (Yang et al. 2021)."""
    return (predicted - wanted).abs().mean((1, 2)).sum()
