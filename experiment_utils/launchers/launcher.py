"""The contract of an engine. An engine only ever executes `python -m experiment_utils.job RUN_DIR`."""

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar, Protocol

from experiment_utils.launchers.options import Options
from experiment_utils.submissions import Submission


class Launcher(Protocol):
    """Runs jobs. What became of each stands in its `status.json`, and nowhere else.

    A driven engine needs a process that stays: `submit` is called in one that outlives the terminal
    (`experiment_utils.driver`) and blocks there. One that is not hands its runs over and returns.
    """

    is_driven: ClassVar[bool]

    def __init__(self, options: Options) -> None: ...

    def check(self) -> None:
        """ConfigError in one line that says what to do, before anything is written: not installed, not reachable."""
        ...

    def plan(self, run_dirs: Sequence[Path]) -> list[str]:
        """Exactly what would be submitted, as lines: resources, commands, estimated hours or cost."""
        ...

    def submit(self, run_dirs: Sequence[Path], submission: Submission) -> int | None:
        """0, or the exit status with which all was stopped (130, 75); None where the runs go on elsewhere."""
        ...

    def is_alive(self, submission: Submission) -> bool:
        """Whether what was submitted is still waiting or running there."""
        ...

    def cancel(self, submission: Submission) -> None:
        """Ends it; runs take their snapshots first."""
        ...

    def mark_lost(self, submission: Submission) -> None:
        """Writes the status of runs that its machines ended without a word: a node that died, memory that ran out."""
        ...
