"""Final scores of each method on each task: over runs, over episodes, and which of them is clearly the best."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from experiment_utils.report.study import Study
from experiment_utils.results.finals import Success, episodes_of, final, is_success_rate
from experiment_utils.results.reference_scores import Reference, references
from experiment_utils.results.run_intervals import curve_estimate, run_interval, wilson_interval
from experiment_utils.results.runs import Run
from experiment_utils.results.statistics import LEAST_RUNS
from experiment_utils.results.types import Floats


@dataclass(frozen=True, kw_only=True)
class Score:
    """Of one method on one task by one metric: a value for each run that counts, their estimate, and its 95 %
    interval, NaN of fewer than three runs. `episodes` takes all runs' episodes as one policy's, where known."""

    task: str
    method: str
    metric: str
    runs: Sequence[Run]
    values: Floats
    estimate: float
    low: float
    high: float
    episodes: Success | None

    @property
    def has_interval(self) -> bool:
        return bool(np.isfinite(self.low))


@dataclass(frozen=True, kw_only=True)
class Cited:
    """A score that is not of these runs."""

    task: str
    metric: str
    reference: Reference


@dataclass(frozen=True, kw_only=True)
class Scores:
    """`measured` has no score where no run has a value."""

    measured: Sequence[Score]
    cited: Sequence[Cited]
    best: frozenset[tuple[str, str, str]]  # task, method, metric of what is clearly the best

    def of(self, task: str, method: str, metric: str) -> Score | None:
        """None where there is none."""
        return next((s for s in self.measured if (s.task, s.method, s.metric) == (task, method, metric)), None)


def scores_of(study: Study) -> Scores:
    """Over the runs that count."""
    measured, cited, best = [], [], set()
    for figure in study.selection.figures:
        for metric in study.metrics:
            found = [
                score for method, runs in figure.groups.items()
                if (score := _score(study, figure.title, method, metric, runs)) is not None
            ]  # fmt: skip
            measured += found
            winner = clearly_best(found, lower=study.is_lower_better(metric))
            best |= {(figure.title, winner.method, metric)} if winner else set()
            cited += _cited(figure.title, metric, [run for runs in figure.groups.values() for run in runs])
    return Scores(measured=measured, cited=cited, best=frozenset(best))


def clearly_best(scores: Sequence[Score], *, lower: bool) -> Score | None:
    """The one whose interval lies beyond all others' intervals; none where two overlap, or one has no interval."""
    if len(scores) < 2 or not all(score.has_interval for score in scores):
        return None
    first, *others = sorted(scores, key=lambda score: score.estimate if lower else -score.estimate)
    beyond = [first.high < other.low if lower else first.low > other.high for other in others]
    return first if all(beyond) else None


def _score(study: Study, task: str, method: str, metric: str, runs: Sequence[Run]) -> Score | None:
    counted = set(study.counted)
    pairs = [(run, final(run, metric, study.view.rule)) for run in runs if run in counted]
    pairs = [(run, value) for run, value in pairs if np.isfinite(value)]
    if not pairs:
        return None
    kept, values = [run for run, _ in pairs], np.array([value for _, value in pairs])
    low, high = run_interval(values, study.statistic) if len(values) >= LEAST_RUNS else (np.nan, np.nan)
    if is_success_rate(metric):
        low, high = np.clip([low, high], 0.0, 1.0)  # NaN stays
    return Score(
        task=task, method=method, metric=metric, runs=kept, values=values,
        estimate=float(curve_estimate(values[:, None], study.statistic)[0]), low=float(low), high=float(high),
        episodes=_pooled(kept, values, metric) if study.view.rule == "last" else None,
    )  # fmt: skip


def _pooled(runs: Sequence[Run], rates: Floats, metric: str) -> Success | None:
    counts = [episodes_of(run, metric) for run in runs]
    if None in counts or not ((rates >= 0) & (rates <= 1)).all():
        return None
    episodes = sum(count or 0 for count in counts)
    successes = sum(round(rate * (count or 0)) for rate, count in zip(rates, counts, strict=True))
    low, high = wilson_interval(successes, episodes)
    return Success(rate=successes / episodes, episodes=episodes, low=float(low), high=float(high))


def _cited(task: str, metric: str, runs: Sequence[Run]) -> list[Cited]:
    """Of the one environment that these runs have."""
    names = {run.values.get("task.name") for run in runs}
    name = names.pop()
    if names or not isinstance(name, str):
        return []
    return [Cited(task=task, metric=metric, reference=reference) for reference in references(name, metric)]
