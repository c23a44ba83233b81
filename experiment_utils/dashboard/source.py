"""The runs that a dashboard shows: found again on request, their numbers kept as long as their files stay the same."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from experiment_utils.results.curves import default_name, metric_names, natural_axis
from experiment_utils.results.groups import all_keys, swept_keys, telling_keys
from experiment_utils.results.reader import Reader
from experiment_utils.results.runs import Run, find_runs


@dataclass(frozen=True, kw_only=True)
class Found:
    """All runs at one moment, and what can be asked of them."""

    runs: Sequence[Run]
    problems: Sequence[str]
    metrics: Sequence[str]
    keys: Sequence[str]
    swept: Sequence[str]
    telling: Sequence[str]  # a few of the swept ones, which tell all variants apart
    axis: str
    metric: str  # what is shown first

    def by_id(self, run_id: str) -> Run | None:
        """None where no run has it."""
        return next((run for run in self.runs if run.id == run_id), None)


class Source:
    """Threads of the server share it: one scans, one reads at a time."""

    def __init__(self, folders: Sequence[Path]) -> None:
        self._folders = folders
        self._reader, self._is_closed = Reader(), False
        self._scanning, self._reading = threading.Lock(), threading.Lock()
        self._found: Found | None = None

    def found(self, *, again: bool = False) -> Found:
        """As of the last scan; of a new one where `again`."""
        with self._scanning:
            if self._found is None or again:
                known = {run.directory: run for run in self._found.runs} if self._found else {}
                runs, problems = find_runs(self._folders, known)
                self._reader.expect(runs)
                metrics, swept = metric_names(runs), swept_keys(runs)
                self._found = Found(
                    runs=runs, problems=problems, metrics=metrics, keys=all_keys(runs), swept=swept,
                    telling=telling_keys(runs, swept), axis=natural_axis(runs),
                    metric=default_name(metrics) if metrics else "",
                )  # fmt: skip
            return self._found

    def read(self, runs: Sequence[Run], names: Sequence[str]) -> None:
        """Their columns, on all cores where they are large."""
        with self._reading:
            if not self._is_closed:
                self._reader.read(runs, names)

    def directory_of(self, run_id: str) -> Path | None:
        """Where the files of a run are; None where there is no such run."""
        run = self.found().by_id(run_id)
        return run.directory if run else None

    def close(self) -> None:
        """Ends the processes that read; from now on nothing is."""
        with self._reading:
            self._is_closed = True
            self._reader.close()
