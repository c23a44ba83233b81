"""What a study is: variant, space, method and metric. Frozen in `study.json` when it begins; only trials are added."""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, Self, get_args

from experiment_utils.halving import rungs
from experiment_utils.search_space import parse_sweep, space_of
from experiment_utils.sweep import Point, Setting, expand
from lifelong_rl.config import ConfigError, resolve, unknown
from lifelong_rl.config_paths import first_difference, path_keys, plain_copy

Method = Literal["random", "tpe", "halving"]
MAY_GROW = ("num_trials",)
UNTIL_TOLD = ("metric", "direction", "last")  # may change as long as no trial has a value


@dataclass(frozen=True, kw_only=True)
class SearchSpec:
    """`budget` is the path that halving gives little of first: its value in the variant is what the best ones get."""

    space: Mapping[str, Any]  # sweep_values: search values, and lists to choose from
    metric: str
    num_trials: int
    method: Method = "tpe"
    direction: Literal["max", "min"] = "max"
    last: int = 1  # a run's value is the mean of so many last values of the metric
    seed: int = 0  # of what draws the parameters
    budget: str | None = None
    reduction: int = 3  # each rung has about so many times the budget of the one below, and so many times fewer trials
    min_budget: int = 1
    variant: Mapping[str, Any]
    settings: Sequence[Setting] = ()
    run_seed: int = 0  # of every run
    config_module: str = "experiment_configs"
    prefix: str = ""  # of the runs' names

    def __post_init__(self) -> None:
        object.__setattr__(self, "space", space_of(self.space))
        if not self.space:
            raise ConfigError("a search needs something to search: sweep_values, or --sweep PATH=log_uniform(A, B).")
        for name, valid in (("method", get_args(Method)), ("direction", ("max", "min"))):
            if getattr(self, name) not in valid:
                raise ConfigError(unknown(f"--{name}", "name", getattr(self, name), valid))
        for name, least in (("num_trials", 1), ("last", 1), ("seed", 0), ("reduction", 2), ("min_budget", 1)):
            if getattr(self, name) < least:
                flag = "search_seed" if name == "seed" else name
                raise ConfigError(f"--{flag} must be at least {least}, got {getattr(self, name)}.")
        if self.method == "halving" and self.budget is None:
            raise ConfigError("halving needs --budget PATH, of what to give little of at first: phases.0.num_epochs.")
        if self.method != "halving" and self.budget is not None:
            raise ConfigError(f"--budget is for halving, not for {self.method}.")

    @cached_property
    def budgets(self) -> tuple[int, ...] | None:
        """What each rung gets; None where trials are run once and whole."""
        if self.budget is None:
            return None
        top = value_at(self.example.variant, self.budget)
        if isinstance(top, bool) or not isinstance(top, int) or top < 1:
            raise ConfigError(f"--budget: variant.{self.budget} must be a whole number from 1 up, is {top!r}.")
        return rungs(top, self.reduction, self.min_budget)

    @cached_property
    def example(self) -> Point:
        """The run that the first values of the space mean."""
        return self.point(self._first)

    def plan(self) -> list[str]:
        """What the search will be, for people."""
        lines = [f"search by {self.method}: {self.num_trials} trials, {self.direction} of {self.metric}"]
        if self.budgets is not None:
            steps = ", then ".join(map(str, self.budgets))
            lines.append(f"  {self.budget} = {steps}: each time for the best of {self.reduction}")
        return lines + [f"  {path} = {value}" for path, value in self.space.items()]

    def point(self, values: Mapping[str, Any], budget: int | None = None) -> Point:
        """The run that these values of the space mean."""
        given = [] if self.budget is None or budget is None else [(self.budget, budget)]
        grid = {path: [value] for path, value in values.items()}
        points = expand(
            resolve(f"{self.config_module}:ExperimentConfig"), self.variant, sweep_values=grid, seeds=[self.run_seed],
            settings=[*self.settings, *given],
        )  # fmt: skip
        return points[0]

    def check(self) -> None:
        """Every path and the ends of every range, before anything runs."""
        for path, value in self.space.items():
            for example in value.examples():
                self.point(self._first | {path: example})
        if self.budget is None:
            return
        keys = path_keys(self.budget)
        if any(keys == path_keys(path) for path in self.space):
            raise ConfigError(f"--budget: {self.budget} is searched as well.")
        assert self.budgets is not None
        if len(self.budgets) < 2:
            raise ConfigError(f"--budget: {self.budget} = {self.budgets[-1]} leaves no smaller budget to begin with.")
        phases = self.example.variant.get("phases", [])
        if keys[0] == "phases" and int(keys[1]) != len(phases) - 1:
            raise ConfigError(f"--budget: {self.budget} is not of the last phase, and a run goes on at its end only.")

    def check_same(self, other: "SearchSpec", *, is_told: bool) -> None:
        """Refuses to go on as another study than `other`, the one that was begun."""
        ours, theirs = self._identity(is_told), other._identity(is_told)
        different = first_difference(ours, theirs)
        if different is not None:
            name, our_value, their_value = different
            raise ConfigError(
                f"this study was begun with {name} = {their_value!r}, now it is {our_value!r}:"
                " only --num_trials may change; another study needs another --exp_name."
            )

    def to_json(self) -> dict[str, Any]:
        values = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        space = {path: str(value) for path, value in self.space.items()}
        return dict(plain_copy(values | {"space": space}))

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        space = {path: parse_sweep(text) for path, text in values["space"].items()}
        settings = [(path, value) for path, value in values["settings"]]
        return cls(**{**values, "space": space, "settings": settings})

    @property
    def _first(self) -> dict[str, Any]:
        return {path: value.examples()[0] for path, value in self.space.items()}

    def _identity(self, is_told: bool) -> dict[str, Any]:
        """What must not change: the variant with all its defaults counts, not how it was written."""
        hidden = {*MAY_GROW, "variant", "settings", "run_seed", *(() if is_told else UNTIL_TOLD)}
        plain = {name: value for name, value in self.to_json().items() if name not in hidden}
        return plain | {"variant": self.example.variant}


def value_at(values: Any, path: str) -> Any:
    """What stands at `path`, the budget, in a variant."""
    where = "variant"
    for key in path_keys(path):
        valid = list(values) if isinstance(values, dict) else [str(index) for index in range(len(values or []))]
        if key not in valid:
            raise ConfigError(f"--budget: {unknown(where, 'key', key, valid)}")
        values, where = values[key if isinstance(values, dict) else int(key)], f"{where}.{key}"
    return values
