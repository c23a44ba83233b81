"""What a reader must know in order to read a report rightly: what is left out, mixed, uneven or chosen kindly."""

from collections import Counter
from collections.abc import Iterator, Sequence

from experiment_utils.report.scores import Score, Scores
from experiment_utils.report.study import Study
from experiment_utils.report.wording import plain, runs_in_words
from experiment_utils.results.groups import mixed_keys, some
from experiment_utils.results.runs import Run
from experiment_utils.results.statistics import LEAST_RUNS

COUNTING = ("finished", "unknown")  # states of runs that nobody works on any more


def notes_of(study: Study, scores: Scores) -> list[str]:
    """One or two sentences each, those first that change most."""
    own = [score for score in scores.measured if score.metric == study.metric]
    found = [
        *_unfinished(study), *_without_value(study, own), *_kindly_chosen(study), *_mixed(study), *_repeated(study),
        *_few_or_uneven(own), *_left_out(study),
    ]  # fmt: skip
    return list(map(plain, found))


def _unfinished(study: Study) -> Iterator[str]:
    counted = set(study.counted)
    missing = [run for run in study.selection.runs if run not in counted]
    if missing:
        states = ", ".join(f"{count} {state}" for state, count in Counter(run.state for run in missing).items())
        where = [
            f"{_cell(figure.title, method)} {len(gone)} of {len(runs)}"
            for figure in study.selection.figures for method, runs in figure.groups.items()
            if (gone := [run for run in runs if run not in counted])
        ]  # fmt: skip
        yield (
            f"{_have(len(missing))} not finished ({states}): they are in the curves and in no final score; of "
            f"{some(where)}. If runs stopped because they did badly, the scores flatter. --unfinished counts them."
        )
    working = [run for run in study.counted if run.state not in COUNTING]
    if working:
        yield f"{_have(len(working))} not finished, and count with the last values that they have."


def _without_value(study: Study, own: Sequence[Score]) -> Iterator[str]:
    valued = {run for score in own for run in score.runs}
    missing = [f"{run.experiment}/{run.name}" for run in study.counted if run not in valued]
    if missing:
        yield f"Without any value of {study.metric}, so in none of its scores: {some(missing)}."


def _kindly_chosen(study: Study) -> Iterator[str]:
    if study.view.rule in ("highest", "lowest"):
        yield (
            f"A run's final score is the {study.view.rule} of all its evaluations: chosen after the fact, it is better "
            "than what the run would show if it were evaluated again, and the more so the more often it was evaluated."
        )


def _mixed(study: Study) -> Iterator[str]:
    """A cell over variants is none over seeds."""
    groups = [runs for figure in study.selection.figures for runs in figure.groups.values()]
    keys = dict.fromkeys(key for runs in groups for key in mixed_keys(runs))
    if keys:
        yield f"Some rows put runs together that differ in {some(list(keys))}: --group by it to tell them apart."


def _repeated(study: Study) -> Iterator[str]:
    """The same variant and seed in two folders is one run seen twice, or one that was repeated."""
    repeated = [
        _cell(figure.title, method) for figure in study.selection.figures for method, runs in figure.groups.items()
        if len({(run.kind, run.seed) for run in runs}) < len(runs) and all(run.seed is not None for run in runs)
    ]  # fmt: skip
    if repeated:
        yield f"Runs of one variant and one seed count more than once, but are not independent: {some(repeated)}."


def _few_or_uneven(own: Sequence[Score]) -> Iterator[str]:
    few = [score for score in own if len(score.values) < LEAST_RUNS]
    if few:
        where = [f"{_cell(score.task, score.method)} ({runs_in_words(len(score.values))})" for score in few]
        yield f"Fewer than {LEAST_RUNS} runs say nothing of their spread, so they have no interval: {some(where)}."
    counts = Counter(len(score.values) for score in own)
    if len(counts) > 1:
        spread = ", ".join(f"{runs_in_words(size)} in {_cells(count)}" for size, count in sorted(counts.items()))
        yield f"Numbers of runs differ: {spread}."


def _left_out(study: Study) -> Iterator[str]:
    if study.num_others:
        yield f"{study.num_others} more runs in these folders are left out by --show and --hide."


def _cell(task: str, method: str) -> str:
    return ": ".join(filter(None, [task, method]))


def _cells(count: int) -> str:
    return "one cell" if count == 1 else f"{count} cells"


def _have(count: int) -> str:
    return f"{runs_in_words(count)} {'has' if count == 1 else 'have'}"


def runs_by_state(runs: Sequence[Run]) -> str:
    """`12 runs: 10 finished, 2 failed`."""
    states = Counter(run.state for run in runs)
    words = ", ".join(f"{count} {state}" for state, count in states.most_common())
    return f"{runs_in_words(len(runs))}: {words}"
