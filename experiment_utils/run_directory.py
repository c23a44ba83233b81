"""A run is a directory: `variant.json`, `run.json`, `status.json`, and a lock that only one process can hold."""

import contextlib
import dataclasses
import hashlib
import json
import os
import re
import socket
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from experiment_utils import ledger, run_lock
from experiment_utils.json_files import write_json
from experiment_utils.run_lock import HeldError as HeldError
from experiment_utils.sweep import Point, slug
from lifelong_rl.config import ConfigError
from lifelong_rl.secrets import Known, known_secrets, mask_values

State = Literal["queued", "running", "finished", "failed", "interrupted"]
NOT_IDENTIFYING = ("seed", "log_to_wandb", "log_to_tensorboard")  # the seed stands in the name by itself
NOT_IDENTIFYING_IN_A_PHASE = ("film_episodes",)  # training is the same with films and without


@dataclass(frozen=True, kw_only=True)
class Status:
    """What `status.json` says. `error` is the last error line of a failed run, `exit_status` what its process said."""

    state: State
    error: str | None = None
    exit_status: int | None = None
    pid: int | None = None
    host: str | None = None
    updated: str | None = None  # UTC, for people


@dataclass(frozen=True)
class RunDirectory:
    """Reads and writes the files of one run; every write is whole or not at all, and credentials are masked."""

    path: Path

    @property
    def status(self) -> Status | None:
        """None where there is no run yet."""
        if not (self.path / "status.json").exists():
            return None
        return Status(**{key: value for key, value in self.read("status.json").items() if key in _STATUS_KEYS})

    def write_status(self, state: State, error: str | None = None, exit_status: int | None = None) -> None:
        now = datetime.now(UTC).isoformat(timespec="seconds")
        host = socket.gethostname()
        status = Status(state=state, error=error, exit_status=exit_status, pid=os.getpid(), host=host, updated=now)
        facts = mask_values({"error": error}) if error else {}
        write_json(self.path / "status.json", dataclasses.asdict(status) | facts)
        ledger.record(self.path, ledger.EVENTS[state], **facts)

    def read(self, name: str) -> dict[str, Any]:
        try:
            return dict(json.loads((self.path / name).read_text(encoding="utf-8")))
        except FileNotFoundError:
            raise ConfigError(f"{self.path} is not a run directory: it has no {name}.") from None
        except ValueError as error:
            raise ConfigError(f"{self.path / name} is not readable as JSON: {error}.") from None

    def write(self, name: str, values: Mapping[str, Any], known: Known | None = None) -> None:
        """`known`: credentials that the environment holds, where many files are written."""
        write_json(self.path / name, mask_values(values, known))

    @property
    def stop_file(self) -> Path:
        """While it exists, no engine starts this run, and one that has it stops it."""
        return self.path / "STOP"

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """Only one process works in a run directory; a `HeldError` says which."""
        with run_lock.held(self.path):
            yield

    def is_held(self) -> bool:
        """Whether a process works in it now."""
        return run_lock.is_held(self.path)


def fingerprint(variant: Mapping[str, Any]) -> str:
    """8 hex digits of the canonical resolved variant: the same for every seed and wherever it is recorded."""
    identifying = _without(variant, NOT_IDENTIFYING)
    if isinstance(phases := variant.get("phases"), list):
        identifying["phases"] = [_without(phase, NOT_IDENTIFYING_IN_A_PHASE) for phase in phases]
    return hashlib.sha256(json.dumps(identifying, sort_keys=True, separators=(",", ":")).encode()).hexdigest()[:8]


def run_id(point: Point, prefix: str = "", known: Known | None = None) -> str:
    """Slug of the preset and the swept values, fingerprint of the variant, seed: `learning_rate-0.001-0a1b2c3d-s0`."""
    words = [prefix, slug(mask_values(point.swept, known)), fingerprint(point.variant), f"s{point.seed}"]
    return "-".join(filter(None, words))


def find_runs(experiment_dir: Path, points: list[Point], prefix: str = "") -> list[RunDirectory]:
    """Where each point's run is or will be. The same variant and seed are one run, whatever was swept to get there."""
    existing = {}
    for path in sorted(experiment_dir.iterdir()) if experiment_dir.is_dir() else []:
        match = re.search(r"(?:^|-)([0-9a-f]{8}-s\d+)$", path.name)
        if match and (path / "variant.json").exists():
            existing[match[1]] = path
    known, runs = known_secrets(os.environ), []
    for point in points:
        name = run_id(point, prefix, known)
        own = name.rsplit("-", 2)[-2:]
        named, other = experiment_dir / name, existing.get("-".join(own))
        runs.append(RunDirectory(named if other is None or named.exists() else other))
    return runs


def _without(values: Mapping[str, Any], names: Sequence[str]) -> dict[str, Any]:
    return {key: value for key, value in values.items() if key not in names}


_STATUS_KEYS = {field.name for field in dataclasses.fields(Status)}
