"""What a tool has for sure of a run: kept beside it, so that nothing is sent twice and nothing is left out."""

import hashlib
import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from lifelong_rl.recording.metrics_file import Row
from lifelong_rl.recording.trackers.tracker import TrackerError

UNKNOWN = "?"  # in place of the digest of a row that the tool has, but that we were not there to see


@dataclass(kw_only=True)
class Sent:
    """`rows` holds a digest of each row of metrics.jsonl, in order, without its times."""

    rows: list[str] = field(default_factory=list)
    videos: list[str] = field(default_factory=list)  # names of files
    snapshots: list[str] = field(default_factory=list)  # names of those that were sent as artifacts
    place: str | None = None  # where all of this is: "files", "online", "offline"
    session: str | None = None  # one that was begun and not ended: whether its rows arrived only the tool can say
    run_id: str | None = None  # the tool's name of the run
    next_step: int = 0  # the first of the tool's own steps that is free
    num_runs: int = 1  # how often the run began anew with other numbers

    @classmethod
    def read(cls, path: Path) -> Self:
        """Nothing was sent where there is no such file."""
        if not path.exists():
            return cls()
        try:
            return cls(**json.loads(path.read_text(encoding="utf-8")))
        except (ValueError, TypeError):
            line = "is not what a mirror wrote. Remove it to send the whole run again"
            raise TrackerError(f"{path} {line}.") from None

    def write(self, path: Path) -> None:
        """Whole or not at all."""
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(f".{path.name}.tmp-{os.getpid()}")
        temporary.write_text(json.dumps(vars(self)) + "\n", encoding="utf-8")
        temporary.replace(path)

    def has_only(self, num_rows: int, videos: list[str]) -> None:
        """The tool says what it has: fewer rows than we think, or more."""
        self.rows = self.rows[:num_rows] + [UNKNOWN] * (num_rows - len(self.rows))
        self.videos = list(videos)

    def begin_anew(self) -> None:
        """The run has other numbers from its first row on: it is another run."""
        self.rows, self.videos, self.snapshots = [], [], []
        self.run_id, self.next_step, self.num_runs = None, 0, self.num_runs + 1


def digest(row: Row) -> str:
    """The same for a row that exact resume writes again: only its times differ."""
    facts = {name: value for name, value in row.items() if not name.startswith("time/")}
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:12]
