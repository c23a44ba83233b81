"""Several seeds' curves as one line with what surrounds it, at each x over the seeds that have come as far.

Curves on different grids are interpolated between their own points, never beyond their own ends.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from experiment_utils.results.curves import Series
from experiment_utils.results.run_intervals import OfRuns, curve_estimate, curve_interval, wilson_interval
from experiment_utils.results.types import Floats

Summary = Literal["mean_se", "mean_std", "mean_interval", "median", "iqm", "wilson"]
SUMMARIES: dict[Summary, str] = {
    "mean_se": "mean, standard error",
    "mean_std": "mean, standard deviation",
    "mean_interval": "mean, 95 % interval",
    "median": "median, 25 to 75 %",
    "iqm": "IQM, 95 % interval",
    "wilson": "all seeds' episodes, Wilson's 95 %",
}
MIN_SEEDS = 3  # with fewer there is nothing to say about their spread
MAX_GRID = 1000  # points of a line over seeds on different grids
MIN_SHARE = 0.5  # of the seeds: a line ends where fewer have come


@dataclass(frozen=True, kw_only=True)
class Band:
    """A line and its surroundings, [T] each; low and high are NaN where fewer than three seeds are."""

    x: Floats
    centre: Floats
    low: Floats
    high: Floats
    num_seeds: Floats


def band(
    curves: Sequence[Series], summary: Summary = "mean_se", *,
    max_points: int | None = None, episodes: int | None = None,
) -> Band:  # fmt: skip
    """Over all `curves`, each with at least one point; at most about `max_points` of the line, its peaks among them.

    "wilson" is for rates of success in `episodes` a value; where they are None, it is "mean_interval".
    """
    x, values = on_one_grid(curves)
    num_seeds = np.isfinite(values).sum(0)
    kept = np.flatnonzero(num_seeds >= max(1, len(curves) * MIN_SHARE))
    if max_points is not None:
        kept = kept[thinned(_mean(values[:, kept]), max_points)]
    x, values, num_seeds = x[kept], values[:, kept], num_seeds[kept]
    if summary == "wilson" and episodes is not None:
        centre, low, high = _pooled(values, episodes)
    else:
        centre, low, high = _SUMMARISE[summary](values)
    several = num_seeds >= MIN_SEEDS
    nan = np.full(len(x), np.nan)
    return Band(
        x=x, centre=centre, low=np.where(several, low, nan), high=np.where(several, high, nan),
        num_seeds=num_seeds.astype(np.float64),
    )  # fmt: skip


def on_one_grid(curves: Sequence[Series]) -> tuple[Floats, Floats]:
    """x [T], the union of all curves' or an even choice of it; values [seeds, T], NaN beyond a curve's ends."""
    first = curves[0].x
    if all(len(curve.x) == len(first) and (curve.x == first).all() for curve in curves[1:]):
        return first, np.stack([curve.y for curve in curves])
    x = np.unique(np.concatenate([curve.x for curve in curves]))
    if len(x) > MAX_GRID:
        x = x[np.unique(np.linspace(0, len(x) - 1, MAX_GRID).round().astype(int))]
    return x, np.stack([np.interp(x, curve.x, curve.y, left=np.nan, right=np.nan) for curve in curves])


def thinned(y: Floats, max_points: int) -> NDArray[np.intp]:
    """Which points [K] of a line [T] to draw: both ends, and the lowest and the highest of each stretch."""
    if len(y) <= max(max_points, 4):
        return np.arange(len(y))
    width = -(-(len(y) - 2) // max(1, max_points // 2 - 1))
    inner = y[1:-1]
    stretches = np.concatenate([inner, np.full(-len(inner) % width, inner[-1])]).reshape(-1, width)
    starts = 1 + width * np.arange(len(stretches))
    peaks = [starts + stretches.argmin(1), starts + stretches.argmax(1), [0, len(y) - 1]]
    return np.unique(np.minimum(np.concatenate(peaks), len(y) - 1))


def _mean_se(values: Floats) -> tuple[Floats, Floats, Floats]:
    count = np.isfinite(values).sum(0)
    mean, spread = _mean(values), _deviation(values)
    return mean, mean - spread / np.sqrt(count), mean + spread / np.sqrt(count)


def _mean_std(values: Floats) -> tuple[Floats, Floats, Floats]:
    mean, spread = _mean(values), _deviation(values)
    return mean, mean - spread, mean + spread


def _mean(values: Floats) -> Floats:
    return np.where(np.isfinite(values), values, 0.0).sum(0) / np.maximum(np.isfinite(values).sum(0), 1)


def _deviation(values: Floats) -> Floats:
    """Of a sample, with n - 1; 0 for one seed."""
    present = np.isfinite(values)
    squares = np.where(present, (values - _mean(values)) ** 2, 0.0).sum(0)
    return np.asarray(np.sqrt(squares / np.maximum(present.sum(0) - 1, 1)))


def _median(values: Floats) -> tuple[Floats, Floats, Floats]:
    return quantile(values, 0.5), quantile(values, 0.25), quantile(values, 0.75)


def quantile(values: Floats, share: float) -> Floats:
    """[T] of values [seeds, T], NaN left out, linear between order statistics; at least one value at each place."""
    ordered = np.sort(values, axis=0)  # NaN last
    place = share * (np.isfinite(values).sum(0) - 1)
    below = np.floor(place).astype(int)
    above = np.ceil(place).astype(int)
    low, high = (np.take_along_axis(ordered, index[None], axis=0)[0] for index in (below, above))
    return np.asarray(low + (place - below) * (high - low))


def _interval(values: Floats, statistic: OfRuns) -> tuple[Floats, Floats, Floats]:
    return (curve_estimate(values, statistic), *curve_interval(values, statistic))


def _pooled(rates: Floats, episodes: int) -> tuple[Floats, Floats, Floats]:
    """As if all seeds' episodes were one policy's: what the episodes leave open, not what the seeds do."""
    trials = episodes * np.isfinite(rates).sum(0)
    successes = np.minimum(np.rint(np.nansum(rates, axis=0) * episodes), trials)
    return (successes / trials, *wilson_interval(successes, trials))


_SUMMARISE: dict[Summary, Callable[[Floats], tuple[Floats, Floats, Floats]]] = {
    "mean_se": _mean_se,
    "mean_std": _mean_std,
    "mean_interval": lambda values: _interval(values, "mean"),
    "median": _median,
    "iqm": lambda values: _interval(values, "iqm"),
    "wilson": lambda values: _interval(values, "mean"),
}
