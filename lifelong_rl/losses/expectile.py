"""Learning the best of what data show, by expectiles (Kostrikov et al. 2022, arXiv:2110.06169).

An expectile above one half of what followed a state leans towards the best that followed, without asking for actions
that nobody took. Pure functions; B rows.
"""

from torch import Tensor


def expectile_weight(advantage: Tensor, expectile: float) -> Tensor:
    """[B] -> [B]: how much a squared error counts, |expectile - 1[advantage < 0]|. One half everywhere is a mean."""
    return (advantage >= 0) * (2 * expectile - 1) + (1 - expectile)


def mean_where(value: Tensor, where: Tensor) -> Tensor:
    """Mean of `value` [..., B] over the rows that `where` [B] names, [...]; 0 where it names none."""
    return (value * where).sum(-1) / where.sum().clamp(min=1)
