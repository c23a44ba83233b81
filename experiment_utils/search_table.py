"""The trials of a study as a table for people, the best first."""

from collections.abc import Sequence

from experiment_utils.search_spec import SearchSpec
from experiment_utils.study_journal import Trial
from experiment_utils.sweep import short_labels


def search_table(spec: SearchSpec, trials: Sequence[Trial]) -> str:
    """Trial, parameters, value, state and directory; those that went furthest come first, failed ones last."""
    labels = short_labels(list(spec.space))
    heading = ["trial", *labels.values(), spec.metric, "state", "run"]
    rows = [_row(spec, trial) for trial in sorted(trials, key=lambda trial: _rank(spec, trial))]
    widths = [max(map(len, column)) for column in zip(heading, *rows, strict=True)]
    lines = ["  ".join(map(str.ljust, row, widths)).rstrip() for row in [heading, *rows]]
    valued, failed = sum(bool(trial.reached) for trial in trials), sum(trial.error is not None for trial in trials)
    lines.append(f"{len(trials)} of {spec.num_trials} trials begun, {valued} with a value, {failed} failed")
    return "\n".join(lines)


def _row(spec: SearchSpec, trial: Trial) -> list[str]:
    value = f"{trial.reached[-1]:.6g}" if trial.reached else ""
    return [str(trial.number), *(str(trial.values[path]) for path in spec.space), value, _state(spec, trial), trial.run]


def _state(spec: SearchSpec, trial: Trial) -> str:
    if trial.error is not None:
        return f"failed: {trial.error}"
    at = "" if spec.budgets is None else f" with {spec.budgets[trial.rung]}"
    if trial.is_active:
        return f"begun{at}"
    is_whole = spec.budgets is None or trial.rung + 1 == len(spec.budgets)
    return f"finished{at}" if is_whole else f"stopped{at}"


def _rank(spec: SearchSpec, trial: Trial) -> tuple[bool, int, float, int]:
    value = trial.reached[-1] if trial.reached else 0.0
    return trial.error is not None, -len(trial.reached), -value if spec.direction == "max" else value, trial.number
