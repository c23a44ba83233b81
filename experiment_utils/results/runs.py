"""The runs below some folders: what they were told to do and how they ended; ours, rlkit's, or any with a variant."""

import contextlib
import functools
import hashlib
import json
import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from experiment_utils.results.metrics import ROW_NUMBER, ROWS, TABLES, Metrics

VARIANTS = ("variant.json", "params.json")  # ours and rlkit's, rllab's
MAX_DEPTH = 4  # folders between what was asked for and a run
_RUN_ID = re.compile(r"(?:(?P<slug>.*?)-)?(?P<fingerprint>[0-9a-f]{8})-s(?P<seed>\d+)")


@dataclass(frozen=True, kw_only=True, eq=False)
class Run:
    """A run directory. `state` is that of `status.json`, but "died" and "stopped" where nobody works on what
    it says; "unknown" without one."""

    directory: Path
    variant: Mapping[str, Any]
    state: str = "unknown"
    error: str | None = None
    metrics: Metrics = field(repr=False)

    @property
    def name(self) -> str:
        return self.directory.name

    @property
    def experiment(self) -> str:
        return self.directory.parent.name

    @cached_property
    def id(self) -> str:
        """12 hex digits of where it is: what pages and their addresses call it."""
        return hashlib.sha256(str(self.directory).encode("utf-8", "surrogatepass")).hexdigest()[:12]

    @cached_property
    def values(self) -> dict[str, Any]:
        """The variant by dotted paths; and `experiment`, `run`, `seed`, `state`."""
        known = {"experiment": self.experiment, "run": self.name, "seed": self.seed, "state": self.state}
        return flattened(self.variant) | known

    @property
    def seed(self) -> int | None:
        seed = self.variant.get("seed")
        match = _RUN_ID.fullmatch(self.name)
        return seed if isinstance(seed, int) else int(match["seed"]) if match else None

    @cached_property
    def kind(self) -> str:
        """The same for runs that differ in the seed only: by the name, where it says so, else by the variant."""
        if match := _RUN_ID.fullmatch(self.name):
            return match["fingerprint"]
        others = {name: value for name, value in self.variant.items() if name != "seed"}
        return json.dumps(others, sort_keys=True) if others else self.slug

    @property
    def slug(self) -> str:
        """What the name says besides the fingerprint and the seed."""
        match = _RUN_ID.fullmatch(self.name)
        return (match["slug"] or "") if match else re.sub(r"[-_]?s\d+$", "", self.name)


def find_runs(folders: Sequence[Path], known: Mapping[Path, Run] | None = None) -> tuple[list[Run], list[str]]:
    """Every run in or below `folders`, and a line about each that cannot be read; `known` ones keep what they read."""
    runs, problems, submitted = [], [], _submitted()
    for directory in dict.fromkeys(path for folder in folders for path in _directories(folder.absolute(), MAX_DEPTH)):
        try:
            variant = _variant(directory)
        except (OSError, ValueError) as error:
            problems.append(f"{directory}: its variant is not readable: {error}")
            continue
        status = _status(directory)
        before = (known or {}).get(directory)
        runs.append(Run(
            directory=directory, variant=variant, state=_state(directory, status, submitted),
            error=str(status.get("error") or "") or None, metrics=before.metrics if before else Metrics(directory),
        ))  # fmt: skip
    return runs, problems


def find_readable_runs(folders: Sequence[Path]) -> tuple[list[Run], list[str]]:
    """Those of `find_runs` that have rows; and a line about each that is damaged."""
    runs, problems = find_runs(folders)
    with_rows = [run for run in runs if len(run.metrics.numbers([ROW_NUMBER])[ROW_NUMBER])]
    return with_rows, problems + [run.metrics.problem for run in runs if run.metrics.problem]


def flattened(values: Any) -> dict[str, Any]:
    """Leaves of a JSON value by dotted path; a list of plain values is one leaf, a tuple."""
    found: dict[str, Any] = {}
    _flatten(values, "", found)
    return found


def _flatten(values: Any, path: str, found: dict[str, Any]) -> None:
    if isinstance(values, dict) and values:
        for key, value in values.items():
            _flatten(value, f"{path}.{key}" if path else str(key), found)
    elif isinstance(values, list) and any(isinstance(value, dict | list) for value in values):
        for index, value in enumerate(values):
            _flatten(value, f"{path}.{index}" if path else str(index), found)
    else:
        found[path] = tuple(values) if isinstance(values, list) else values


def _directories(folder: Path, depth: int) -> Iterator[Path]:
    """A run's folders are not looked into."""
    with contextlib.suppress(OSError):
        with os.scandir(folder) as found:
            entries = sorted(found, key=lambda entry: entry.name)
        names = {entry.name for entry in entries}
        if names & {ROWS, *TABLES, *VARIANTS}:
            yield folder
        elif depth:
            for entry in entries:
                if entry.is_dir() and not entry.name.startswith("."):
                    yield from _directories(Path(entry.path), depth - 1)


def _variant(directory: Path) -> dict[str, Any]:
    for name in VARIANTS:
        with contextlib.suppress(FileNotFoundError):
            values = json.loads((directory / name).read_bytes())
            if not isinstance(values, dict):
                raise ValueError(f"expected a JSON object in {name}")
            return values
    return {}


def _state(directory: Path, status: Mapping[str, Any], submitted: Callable[[Path], frozenset[str]]) -> str:
    state = str(status.get("state") or "unknown")
    if state == "queued":
        return "queued" if directory.name in submitted(directory.parent) else "stopped"
    if state == "running":
        from experiment_utils.plan import is_working
        from experiment_utils.run_directory import RunDirectory, Status

        host = status.get("host") if isinstance(status.get("host"), str) else None
        return "running" if is_working(RunDirectory(directory), Status(state="running", host=host)) else "died"
    return state


def _submitted() -> Callable[[Path], frozenset[str]]:
    """Experiment -> the runs that an engine still has; each is asked once."""

    def ask(experiment: Path) -> frozenset[str]:
        from experiment_utils.plan import waiting_elsewhere

        return waiting_elsewhere(experiment)

    return functools.cache(ask)


def _status(directory: Path) -> dict[str, Any]:
    with contextlib.suppress(OSError, ValueError):
        values = json.loads((directory / "status.json").read_bytes())
        return values if isinstance(values, dict) else {}
    return {}
