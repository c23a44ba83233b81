"""The few operations that a store must know for runs to be pushed to and pulled from it (`push.py`, `pull.py`)."""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple, Protocol, TypeVar

from experiment_utils.stores.record import Content, Reading

NUM_THREADS = 4

Item = TypeVar("Item")


class Entry(NamedTuple):
    """A stored file: its tag is another one when its content is."""

    size: int
    tag: str


class Shelf(Protocol):
    """Names are `run/path`. Whatever is written appears whole or not at all; threads may use it at once."""

    url: str

    def check(self) -> None: ...

    def run_names(self) -> list[str]: ...

    def entries(self, run: str) -> dict[str, Entry]:
        """Path within the run -> what is stored there; paths may be anything, see `target_in`."""
        ...

    def sha256_of(self, name: str) -> str | None:
        """Of what is stored; None where that is not known, or nothing is."""
        ...

    def put(self, name: str, reading: Reading, content: Content) -> str:
        """Stores, verifies, returns the tag."""
        ...

    def get(self, name: str, target: Path) -> str:
        """Writes a new file; returns the sha256 of its content, which is what the store says, if it does."""
        ...

    def copy(self, source: str, target: str) -> str:
        """Within the store; returns the tag."""
        ...

    def delete(self, name: str) -> None: ...


def for_each(action: Callable[[Item], object], items: Iterable[Item]) -> None:
    """A few at a time; the first error is raised once those under way have ended."""
    pool = ThreadPoolExecutor(NUM_THREADS)
    try:
        for future in [pool.submit(action, item) for item in items]:
            future.result()
    finally:
        pool.shutdown(cancel_futures=True)
