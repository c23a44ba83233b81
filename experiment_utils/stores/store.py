"""The contract of a store: the runs of one experiment, kept where other machines can reach them."""

from pathlib import Path
from typing import Protocol


class StoreError(RuntimeError):
    """A store cannot be reached or does not hold what it should; one line that says what to do."""


class Store(Protocol):
    """A run is known by the name of its directory. What a push cannot finish, the next one does."""

    def check(self) -> None:
        """Raises within seconds where the store cannot be written to."""
        ...

    def push(self, run_dir: Path) -> None:
        """Makes the store's copy like `run_dir`. At no moment does it show a part of a file or snapshot."""
        ...

    def pull(self, run_dir: Path) -> None:
        """Brings what went on in the store since the last push or pull; nothing where it does not know the run."""
        ...

    def list_runs(self) -> list[str]:
        """Their names, sorted."""
        ...
