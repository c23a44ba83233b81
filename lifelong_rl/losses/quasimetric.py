"""The losses of quasimetric RL (Wang et al. 2023, arXiv:2304.01203): pure functions of distances.

Every `distance` is [B] (or any shape), in steps.
"""

from torch import Tensor
from torch.nn import functional as F


def global_push(distance: Tensor, *, offset: float, sharpness: float) -> Tensor:
    """Pushes random pairs apart, ever less the further beyond `offset` they are: softplus_beta(offset - d), meaned."""
    return F.softplus(offset - distance, beta=sharpness).mean()


def excess(distance: Tensor, cost: Tensor | float, *, slack: float) -> Tensor:
    """How far one-step distances overshoot their cost: mean relu(d - cost)^2 - slack^2; at most 0 where that holds."""
    return (distance - cost).relu().square().mean() - slack**2


def weighted_excess(distance: Tensor, cost: Tensor | float, weight: Tensor, *, slack: float) -> Tensor:
    """`excess` under weights [B] >= 0 (0 leaves a pair out); minus slack^2 where all are 0."""
    overshoot = (distance - cost).relu().square()
    return (weight * overshoot).sum() / weight.sum().clamp(min=1e-6) - slack**2


def two_way_consistency(there: Tensor, back: Tensor) -> Tensor:
    """A predicted latent and the true one shall be 0 apart, both ways: mean of d^2 over both."""
    return (there.square().mean() + back.square().mean()) / 2


def pessimistic_distance(distances: Tensor) -> Tensor:
    """[K, B] -> mean over B of the largest of K critics: a longer way is a worse one."""
    return distances.amax(0).mean()
