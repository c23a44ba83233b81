"""A search: random, TPE (Bergstra et al. 2011) or successive halving, by Optuna's ask and tell. It can be killed.

A driver holds the study, asks for as many runs as it has free slots, and tells whenever one ends, until `is_over`.
"""

import contextlib
import re
from collections.abc import Iterator
from pathlib import Path

from experiment_utils import run_lock
from experiment_utils.halving import Progress, promotion
from experiment_utils.plan import PlannedRun, is_working
from experiment_utils.run_directory import RunDirectory, find_runs
from experiment_utils.search_metric import NoValueError, metric_of
from experiment_utils.search_spec import SearchSpec, value_at
from experiment_utils.search_table import search_table
from experiment_utils.study_journal import StudyJournal, Trial, import_optuna
from experiment_utils.sweep import slug
from lifelong_rl.config import ConfigError


class Study:
    """What `study.json` and `study.journal` say. Making one checks everything and writes nothing.

    Values of runs are read from the runs; only parameters and verdicts stand in the journal. So whoever comes after
    a kill finds every trial that was begun, tells those whose run ended meanwhile, and takes up the others.
    """

    def __init__(self, spec: SearchSpec, experiment_dir: Path) -> None:
        import_optuna()
        spec.check()
        self.spec, self.experiment_dir = spec, experiment_dir
        self._journal = StudyJournal(experiment_dir / "study.journal", spec)
        self._in_hand: set[str] = set()  # names of runs that were asked for and not told yet
        if (experiment_dir / "study.json").exists():
            is_told = any(trial.reached for trial in self._journal.trials())
            spec.check_same(read_spec(experiment_dir), is_told=is_told)

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """Only one process may ask and tell."""
        folder = self.experiment_dir / ".study"
        folder.mkdir(parents=True, exist_ok=True)
        try:
            with run_lock.held(folder):
                RunDirectory(self.experiment_dir).write("study.json", self.spec.to_json())
                self._journal.begin()
                yield
        except run_lock.HeldError as error:
            raise ConfigError(f"this search goes on already: {error}") from None

    @property
    def trials(self) -> list[Trial]:
        return self._journal.trials()

    @property
    def is_over(self) -> bool:
        """Every trial was begun and ended, and none can go on to a larger budget."""
        trials = self.trials
        return (
            len(trials) >= self.spec.num_trials
            and not any(trial.is_active for trial in trials)
            and self._promotion(trials) is None
        )

    def ask(self, count: int = 1) -> list[PlannedRun]:
        """At most `count` runs to start now: first what was begun before, then new ones. Never waits.

        None, although the study is not over: what is left is at work already, in this process's hands or another's.
        """
        proposals: list[PlannedRun] = []
        for trial in self.trials:
            if not trial.is_active or trial.run in self._in_hand or self._settled(trial):
                continue
            if len(proposals) < count and not self._is_working(trial):
                proposals.append(self._proposal(trial))
        while len(proposals) < count and (new := self._next()) is not None:
            if new.is_active and new.run not in self._in_hand and not self._settled(new):
                proposals.append(self._proposal(new))
        return proposals

    def tell(self, run_dir: Path) -> str:
        """Its run has ended, or was stopped; returns a line that says what came of it."""
        own = [trial for trial in self.trials if trial.run == run_dir.name]
        if not own:
            raise ConfigError(f"{run_dir} is no run of the study in {self.experiment_dir}.")
        self._in_hand.discard(run_dir.name)
        for trial in own:
            if trial.is_active and not self._settled(trial):
                status = self._run(trial).status
                if status is not None and status.state == "running" and not self._is_working(trial):
                    self._journal.fail(trial, "its process ended without a word")
        return self._line(own[-1].number)

    def table(self) -> str:
        """Every trial, the best first."""
        return search_table(self.spec, self.trials)

    def _next(self) -> Trial | None:
        """A trial that may go on to a larger budget, else a new one, as long as there are any."""
        trials = self.trials
        index = self._promotion(trials)
        if index is not None:
            return self._journal.promote(trials[index])
        if len(trials) >= self.spec.num_trials:
            return None
        values = self._journal.suggest()
        try:
            point = self.spec.point(values)
        except ConfigError as error:  # values that do not go together
            return self._journal.add(values, run="", error=str(error))
        if self.spec.budgets is None:
            return self._journal.add(values, find_runs(self.experiment_dir, [point], self.spec.prefix)[0].path.name)
        # Not named after the variant: the variant's run is one with the whole budget, and this one may end before.
        words = [self.spec.prefix, f"trial{len(trials)}", slug(point.swept), f"s{point.seed}"]
        return self._journal.add(values, "-".join(filter(None, words)))

    def _promotion(self, trials: list[Trial]) -> int | None:
        if self.spec.budgets is None:
            return None
        sign = 1.0 if self.spec.direction == "max" else -1.0
        good = [trial for trial in trials if trial.error is None]
        progress = [
            Progress(reached=[sign * value for value in trial.reached], is_active=trial.is_active) for trial in good
        ]
        index = promotion(
            progress, num_rungs=len(self.spec.budgets), reduction=self.spec.reduction,
            more_to_come=len(trials) < self.spec.num_trials,
        )  # fmt: skip
        return None if index is None else good[index].number

    def _proposal(self, trial: Trial) -> PlannedRun:
        run = self._run(trial)
        if run.status is not None and run.status.state == "finished":
            run.write_status("queued")  # with a smaller budget: from here on it is not taken for the larger one
        self._in_hand.add(trial.run)
        state = "new" if run.status is None else "queued"
        return PlannedRun(point=self.spec.point(trial.values, self._budget(trial)), directory=run, state=state)

    def _settled(self, trial: Trial) -> bool:
        """Whether its run has ended; then the journal says so."""
        run = self._run(trial)
        status = run.status
        if status is not None and status.state == "failed":
            self._journal.fail(trial, status.error or "failed")
            return True
        if status is None or status.state != "finished" or not self._has_budget(run, trial):
            return False
        try:
            value = metric_of(run.path, self.spec.metric, self.spec.last)
        except NoValueError as error:
            self._journal.fail(trial, str(error))
            return True
        except ConfigError as error:
            if not any(other.reached for other in self.trials):
                raise  # the metric's name is wrong
            self._journal.fail(trial, re.sub(r" It has: .*", "", str(error)))
            return True
        self._journal.reach(trial, value, is_last=trial.rung + 1 == len(self.spec.budgets or (None,)))
        return True

    def _has_budget(self, run: RunDirectory, trial: Trial) -> bool:
        """Whether what its directory holds is a run of this rung, not of the one before."""
        return self.spec.budget is None or value_at(run.read("variant.json"), self.spec.budget) == self._budget(trial)

    def _is_working(self, trial: Trial) -> bool:
        run = self._run(trial)
        return run.status is not None and is_working(run, run.status)

    def _budget(self, trial: Trial) -> int | None:
        return None if self.spec.budgets is None else self.spec.budgets[trial.rung]

    def _run(self, trial: Trial) -> RunDirectory:
        return RunDirectory(self.experiment_dir / trial.run)

    def _line(self, number: int) -> str:
        trial = self.trials[number]
        if trial.error is not None:
            return f"trial {number} failed: {trial.error}"
        if trial.is_active or not trial.reached:
            return f"trial {number} is not over"
        budget = "" if self.spec.budgets is None else f" with {self.spec.budgets[trial.rung]}"
        return f"trial {number}{budget}: {self.spec.metric} = {trial.reached[-1]:.6g}"


def read_spec(experiment_dir: Path) -> SearchSpec:
    """The study that was begun there."""
    path = experiment_dir / "study.json"
    values = RunDirectory(experiment_dir).read(path.name)
    try:
        return SearchSpec.from_json(values)
    except (AttributeError, KeyError, TypeError) as error:
        raise ConfigError(f"{path} is not a study: {type(error).__name__}: {error}.") from None
