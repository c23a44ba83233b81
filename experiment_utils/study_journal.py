"""The trials of a study, in an Optuna journal: every change is one line of a file, whole or not there."""

import contextlib
import json
import os
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from experiment_utils.search_space import Choice, IntUniform, LogUniform, SearchValue, Uniform
from experiment_utils.search_spec import SearchSpec
from lifelong_rl.config import ConfigError

NAME = "study"
INSTALL = "a search needs Optuna, which is not installed: pip install -e '.[search]'"


@dataclass(frozen=True, kw_only=True)
class Trial:
    """`reached` has the metric at each rung that is over; methods without rungs have one. `rung` is where it goes."""

    number: int
    values: dict[str, Any]
    run: str  # name of its directory
    rung: int
    reached: tuple[float, ...]
    error: str | None

    @property
    def is_active(self) -> bool:
        """Waits to be run, or runs."""
        return self.error is None and len(self.reached) <= self.rung


class StudyJournal:
    """Reads and adds to `study.journal`. Only the process that holds the study may add."""

    def __init__(self, path: Path, spec: SearchSpec) -> None:
        self.path, self._spec = path, spec
        self._storage: Any = None
        self._study: Any = None

    def begin(self) -> None:
        """Mends what a killed process left behind, then opens the file to be added to."""
        optuna = import_optuna()
        self.path.with_name(f"{self.path.name}.lock").unlink(missing_ok=True)  # its owner is gone: we hold the study
        with contextlib.suppress(FileNotFoundError):
            whole = self.path.read_bytes().rpartition(b"\n")
            if whole[2]:
                os.truncate(self.path, len(whole[0]) + len(whole[1]))
        direction = {"max": "maximize", "min": "minimize"}[self._spec.direction]
        self._storage = _storage(self.path)
        self._study = optuna.create_study(
            study_name=NAME, storage=self._storage, direction=direction, load_if_exists=True
        )

    def trials(self) -> list[Trial]:
        """All that were ever begun, in order."""
        if self._study is None and self.path.exists() and self.path.stat().st_size:
            optuna = import_optuna()
            with contextlib.suppress(KeyError):  # killed before its first line was whole
                self._study = optuna.load_study(study_name=NAME, storage=_storage(self.path))
        found = self._study.get_trials(deepcopy=False) if self._study is not None else []
        return [self._trial(frozen) for frozen in found]

    def suggest(self) -> dict[str, Any]:
        """The next trial's values: they follow from the study's seed, its number and the trials so far alone."""
        optuna = import_optuna()
        number = len(self._study.get_trials(deepcopy=False))
        seed = zlib.crc32(f"{self._spec.seed} {number}".encode())
        samplers = optuna.samplers
        sampler = samplers.TPESampler(seed=seed) if self._spec.method == "tpe" else samplers.RandomSampler(seed=seed)
        # Asked of a copy: a journal that was asked holds a trial whose values come line by line, which a kill tears.
        copy = optuna.create_study(direction=self._study.direction, sampler=sampler)
        copy.add_trials(self._study.get_trials(deepcopy=False))
        params = copy.ask(self._distributions).params
        return {path: _decoded(value, params[path]) for path, value in self._spec.space.items()}

    def add(self, values: Mapping[str, Any], run: str, error: str | None = None) -> Trial:
        """A new trial, in one line; with an `error`, one that could not even begin."""
        optuna = import_optuna()
        states, about = optuna.trial.TrialState, {"run": run, "rung": 0, "swept": dict(values)}
        self._study.add_trial(
            optuna.trial.create_trial(
                state=states.RUNNING if error is None else states.FAIL, distributions=self._distributions,
                params={path: _encoded(self._spec.space[path], value) for path, value in values.items()},
                user_attrs=about if error is None else about | {"error": error},
            )
        )  # fmt: skip
        return self.trials()[-1]

    def reach(self, trial: Trial, value: float, *, is_last: bool) -> None:
        """The metric at the rung that the trial was on its way to; its last one ends it."""
        if is_last:
            self._study.tell(trial.number, value)
        else:
            self._storage.set_trial_intermediate_value(self._id(trial), trial.rung, value)

    def promote(self, trial: Trial) -> Trial:
        """Sends it to the next rung."""
        self._storage.set_trial_user_attr(self._id(trial), "rung", trial.rung + 1)
        return self.trials()[trial.number]

    def fail(self, trial: Trial, error: str) -> None:
        """It ended without a value. The search goes on."""
        self._storage.set_trial_user_attr(self._id(trial), "error", error)
        self._study.tell(trial.number, state=import_optuna().trial.TrialState.FAIL)

    def _id(self, trial: Trial) -> int:
        study = self._storage.get_study_id_from_name(NAME)
        return int(self._storage.get_trial_id_from_study_id_trial_number(study, trial.number))

    def _trial(self, frozen: Any) -> Trial:
        reached = [frozen.intermediate_values[rung] for rung in sorted(frozen.intermediate_values)]
        if frozen.state.name == "COMPLETE":
            reached.append(frozen.value)
        about = frozen.user_attrs
        error = about.get("error", "failed") if frozen.state.name == "FAIL" else None
        return Trial(
            number=frozen.number, values=about["swept"], run=about["run"], rung=about["rung"], reached=tuple(reached),
            error=error,
        )  # fmt: skip

    @property
    def _distributions(self) -> dict[str, Any]:
        return {path: _distribution(value) for path, value in self._spec.space.items()}


def import_optuna() -> Any:
    """Optuna, silent; ConfigError where it is not installed."""
    try:
        import optuna
    except ImportError:
        raise ConfigError(INSTALL) from None
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    return optuna


def _storage(path: Path) -> Any:
    from optuna.storages import JournalStorage
    from optuna.storages.journal import JournalFileBackend

    try:
        return JournalStorage(JournalFileBackend(str(path)))
    except ValueError as error:
        raise ConfigError(f"{path} is damaged: {error}.") from None


def _distribution(value: SearchValue) -> Any:
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    match value:
        case Choice():
            return CategoricalDistribution(value.texts)
        case IntUniform():
            return IntDistribution(value.low, value.high)
        case Uniform() | LogUniform():
            return FloatDistribution(value.low, value.high, log=isinstance(value, LogUniform))


def _decoded(value: SearchValue, drawn: Any) -> Any:
    if isinstance(value, Choice):
        return json.loads(drawn)
    return drawn if isinstance(value, IntUniform) else value.rounded(drawn)


def _encoded(value: SearchValue, plain: Any) -> Any:
    return json.dumps(plain, ensure_ascii=False) if isinstance(value, Choice) else plain
