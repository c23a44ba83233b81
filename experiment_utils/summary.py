"""What a command is about to do, as a table; and what became of it, failures last."""

from collections import Counter
from collections.abc import Sequence

from experiment_utils.plan import PlannedRun
from experiment_utils.sweep import short_labels

SOME_FAILED, BAD_INPUT = 1, 2
LISTED = 20  # lines that people read


def table(runs: Sequence[PlannedRun], plan: Sequence[str] = ()) -> str:
    """One line a run: its state, seed, swept values and directory; then what its engine would do."""
    labels = short_labels(list(runs[0].point.swept))
    heading = ["state", "seed", *labels.values(), "directory"]
    rows = [
        [run.state, str(run.point.seed), *map(str, run.point.swept.values()), str(run.directory.path)] for run in runs
    ]
    widths = [max(map(len, column)) for column in zip(heading, *rows, strict=True)]
    line = "  ".join(f"{{:<{width}}}" for width in widths)
    lines = [line.format(*row).rstrip() for row in [heading, *rows]]
    num_new = sum(run.is_to_run for run in runs)
    return "\n".join([*lines, *plan, f"{num_new} of {len(runs)} runs would start; nothing was written."])


def not_to_run(runs: Sequence[PlannedRun]) -> list[str]:
    """A line for each run that is left alone; counts alone where they are many."""
    others = [run for run in runs if not run.is_to_run]
    if len(others) <= LISTED:
        return [f"skipped, already {run.state}: {run.directory.path}" for run in others]
    return [f"skipped, already {state}: {count} runs" for state, count in Counter(r.state for r in others).items()]


def report(runs: Sequence[PlannedRun], stopped: int) -> int:
    """Prints how many ended how and the last error line of each failed run; returns the exit status.

    0: all finished; 2: those that failed were given bad input; 1: any other failure.
    """
    statuses = {run.directory.path: run.directory.status for run in runs}
    states = Counter(status.state for status in statuses.values() if status is not None)
    if len(runs) != 1 or stopped:
        print(", ".join(f"{count} {state}" for state, count in sorted(states.items())) or "nothing to run")
    if stopped:
        print("stopped; the same command goes on where it stopped")
    failed = {path: status.error for path, status in statuses.items() if status and status.state == "failed"}
    if failed and len(runs) > 1:
        print(f"failed ({len(failed)} of {len(runs)}):")
        for path, error in failed.items():
            print(f"  {path}: {error}")
    unfinished = [status for status in statuses.values() if status is None or status.state != "finished"]
    if not unfinished:
        return 0
    is_bad_input = all(status is not None and status.exit_status == BAD_INPUT for status in unfinished)
    return BAD_INPUT if is_bad_input else SOME_FAILED
