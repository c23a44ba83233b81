"""What happened to the runs of an experiment, in order: `ledger.jsonl`, one line an event, only ever appended to.

For people and reports; what is true of a run stands in its `status.json`. A line is one `write` to a file opened with
O_APPEND, so lines of many processes on one machine never mix (NFS promises less).
"""

import contextlib
import json
import os
import socket
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

NAME = "ledger.jsonl"
EVENTS = {  # of a state in status.json
    "queued": "queued", "running": "started", "finished": "finished", "failed": "failed", "interrupted": "interrupted",
}  # fmt: skip


def record(run_dir: Path, event: str, **facts: Any) -> None:
    """Appends one line to the ledger of the run's experiment; a full disk costs the line and nothing else."""
    about = {"time": datetime.now(UTC).isoformat(timespec="milliseconds"), "run": run_dir.name, "event": event}
    line = json.dumps(about | {"host": socket.gethostname(), "pid": os.getpid()} | facts) + "\n"
    with contextlib.suppress(OSError):
        descriptor = os.open(run_dir.parent / NAME, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)
        try:
            os.write(descriptor, line.encode())
        finally:
            os.close(descriptor)


def events(experiment_dir: Path) -> Iterator[dict[str, Any]]:
    """Every line that is whole, oldest first; none where there is no ledger."""
    with contextlib.suppress(FileNotFoundError), (experiment_dir / NAME).open(encoding="utf-8") as file:
        for line in file:
            with contextlib.suppress(ValueError):
                yield json.loads(line)
