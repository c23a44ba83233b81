"""How K critics learn from what comes next, and which of them guides the actor: pure functions of their estimates.

Shapes: q and next_q are [K, B]; reward and discount are [B], the discount 0 where the task ended.
"""

from dataclasses import dataclass
from typing import Protocol

from torch import Tensor

Range = tuple[float, float]


def bootstrapped(reward: Tensor, discount: Tensor, next_value: Tensor, target_range: Range | None = None) -> Tensor:
    """reward + discount * next_value, [B], kept within what returns can be, where that is known."""
    target = reward + discount * next_value
    return target if target_range is None else target.clamp(*target_range)


def squared_error(q: Tensor, target: Tensor) -> Tensor:
    """Mean over B of the members' squared errors, summed over K: each learns as if alone."""
    return (q - target).square().mean(-1).sum()


class ValueRule(Protocol):
    """`num_guides` of the K members, the first ones, are all that `score` needs (None: all)."""

    @property
    def num_guides(self) -> int | None: ...

    def next_value(self, next_q: Tensor) -> Tensor:
        """[K, B] -> [B], what the target bootstraps from."""
        ...

    def score(self, q: Tensor) -> Tensor:
        """[K, B] -> [B], what the actor climbs."""
        ...


@dataclass(frozen=True)
class Single:
    """The first member's estimate stands: for one critic (Lillicrap et al. 2016, arXiv:1509.02971)."""

    num_guides = 1

    def next_value(self, next_q: Tensor) -> Tensor:
        return next_q[0]

    def score(self, q: Tensor) -> Tensor:
        return q[0]


@dataclass(frozen=True)
class Pessimistic:
    """The least of K bootstraps and guides (Haarnoja et al. 2018, arXiv:1812.05905)."""

    num_guides = None

    def next_value(self, next_q: Tensor) -> Tensor:
        return next_q.amin(0)

    def score(self, q: Tensor) -> Tensor:
        return q.amin(0)


@dataclass(frozen=True)
class PessimisticTarget:
    """The least of K bootstraps, the first one guides (Fujimoto et al. 2018, arXiv:1802.09477)."""

    num_guides = 1

    def next_value(self, next_q: Tensor) -> Tensor:
        return next_q.amin(0)

    def score(self, q: Tensor) -> Tensor:
        return q[0]


VALUE_RULES = {"single": Single, "pessimistic": Pessimistic, "pessimistic_target": PessimisticTarget}
