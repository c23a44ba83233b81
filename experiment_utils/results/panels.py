"""Which runs share a panel, and which of them a curve: one panel a metric, or one for each value of a swept key."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from experiment_utils.results.curves import group_runs
from experiment_utils.results.runs import Run
from lifelong_rl.config import ConfigError, did_you_mean
from lifelong_rl.config_paths import first_difference, path_keys


@dataclass(frozen=True, kw_only=True)
class Panel:
    """A metric of some runs; `groups` has a curve's label and its seeds."""

    title: str
    metric: str
    groups: Mapping[str, Sequence[Run]]


def make_panels(
    runs: Sequence[Run], metrics: Sequence[str], by: str | None = None, groups: Sequence[str] | None = None
) -> list[Panel]:
    """With `by` (a dotted path into variants) a panel for each metric and value of it; with `groups` (such paths as
    well) a curve for each of their values, else one for each variant."""
    parts = {"": list(runs)} if by is None else _parted(runs, [by], "--panels")
    panels = []
    for value, part in parts.items():
        curves = group_runs(part) if groups is None else _parted(part, groups, "--groups")
        if groups is not None:
            _check_alike(curves)
        for metric in metrics:
            title = metric if by is None else value if len(metrics) == 1 else f"{value}: {metric}"
            panels.append(Panel(title=title, metric=metric, groups=curves))
    return panels


def _parted(runs: Sequence[Run], paths: Sequence[str], flag: str) -> dict[str, list[Run]]:
    parts: dict[str, list[Run]] = {}
    variants = [_variant(run) for run in runs]
    for path in paths:
        if all(_value(variant, path) is None for variant in variants):
            known = sorted({name for variant in variants for name in _paths(variant)})
            raise ConfigError(f"{flag}: no run's variant has a value at {path!r}.{did_you_mean(path, known)}")
    for run, variant in zip(runs, variants, strict=True):
        label = ", ".join(_spoken(_value(variant, path)) for path in paths)
        parts.setdefault(label, []).append(run)
    return parts


def _check_alike(groups: Mapping[str, Sequence[Run]]) -> None:
    """Runs of one curve may differ in their seed only."""
    for label, members in groups.items():
        first, *others = [_variant(run) for run in members]
        for other in others:
            different = first_difference(first | {"seed": 0}, other | {"seed": 0})
            if different is not None:
                path, one, two = different
                what = f"runs of {label!r} differ in {path} ({_spoken(one)} and {_spoken(two)})"
                raise ConfigError(f"--groups: {what}: add {path} to --groups, or name the runs' directories.")


def _variant(run: Run) -> dict[str, Any]:
    if not run.variant:
        raise ConfigError(f"{run.directory}: without a variant.json its run belongs to no panel or group.")
    return dict(run.variant)


def _value(variant: Any, path: str) -> Any:
    for key in path_keys(path):
        if isinstance(variant, list) and key.isdecimal() and int(key) < len(variant):
            variant = variant[int(key)]
        elif isinstance(variant, dict) and key in variant:
            variant = variant[key]
        else:
            return None
    return variant


def _paths(values: Any, path: str = "") -> Iterator[str]:
    inner = values.items() if isinstance(values, dict) else enumerate(values) if isinstance(values, list) else ()
    for key, value in inner:
        name = f"{path}.{key}" if path else str(key)
        yield name
        yield from _paths(value, name)


def _spoken(value: Any) -> str:
    """What a legend calls it: a part is called by its name."""
    if isinstance(value, dict):
        return str(value.get("name", json.dumps(value, sort_keys=True)))
    return "x".join(map(_spoken, value)) if isinstance(value, list) else str(value)
