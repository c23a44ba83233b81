"""Successive halving without waiting (Li et al. 2018, ASHA, arXiv:1810.05934): who may go on to a larger budget."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Progress:
    """A trial that did not fail: its value, larger is better, at each rung that it has reached."""

    reached: Sequence[float]
    is_active: bool  # on its way to the next rung


def rungs(top: int, reduction: int, lowest: int = 1) -> tuple[int, ...]:
    """Budgets, each about `reduction` times the one before, up to `top`: (1, 3, 10) for 10 and 3."""
    budgets = [top]
    while (below := round(top / reduction ** len(budgets))) >= max(lowest, 1) and below < budgets[-1]:
        budgets.append(below)
    return tuple(reversed(budgets))


def promotion(trials: Sequence[Progress], *, num_rungs: int, reduction: int, more_to_come: bool) -> int | None:
    """The index of the trial that should go on: the best `1/reduction` of a rung may, from the highest rung first.

    Nobody waits until a rung is full. Once it is, its best one goes on even if there are fewer than `reduction`.
    """
    found = None
    is_full = not more_to_come
    for rung in range(num_rungs - 1):
        is_full = is_full and not any(trial.is_active and len(trial.reached) == rung for trial in trials)
        here = [index for index, trial in enumerate(trials) if len(trial.reached) > rung]
        best = sorted(here, key=lambda index: (-trials[index].reached[rung], index))
        chosen = best[: max(len(here) // reduction, int(is_full))]
        waiting = [index for index in chosen if len(trials[index].reached) == rung + 1 and not trials[index].is_active]
        if waiting:
            found, is_full = waiting[0], False
    return found
