"""A store made of a shelf: what all but rsync are."""

from pathlib import Path

from experiment_utils.stores.pull import pull
from experiment_utils.stores.push import push
from experiment_utils.stores.shelf import Shelf


class Mirror:
    """See `Store`."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf

    def check(self) -> None:
        self._shelf.check()

    def push(self, run_dir: Path) -> None:
        push(self._shelf, run_dir)

    def pull(self, run_dir: Path) -> None:
        pull(self._shelf, run_dir)

    def list_runs(self) -> list[str]:
        return sorted(self._shelf.run_names())
