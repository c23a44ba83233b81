"""Brings a run from a store: snapshots appear whole and verified, other files one by one, the status last.

Three states are compared: the store's, this machine's, and the one at which both were last equal (`record.py`). What
only changed here stays; what changed there is brought, and where both went on, the store is right: another machine has
gone on with the run, and what this one did afterwards is a dead branch.
"""

import contextlib
import os
import shutil
from pathlib import Path

from experiment_utils import run_lock
from experiment_utils.stores.record import Record, Seen
from experiment_utils.stores.run_files import (
    MANIFEST,
    STATUS,
    kept_aside,
    listed_in,
    loose,
    run_name,
    snapshot_of,
    target_in,
)
from experiment_utils.stores.shelf import Entry, Shelf, for_each
from experiment_utils.stores.store import StoreError
from lifelong_rl.recording.errors import SnapshotError
from lifelong_rl.recording.files import link_or_copy
from lifelong_rl.recording.snapshot import verify_snapshot

METRICS = "metrics.jsonl"
ATTEMPTS = 3  # at a snapshot that is being replaced while it is fetched


def pull(shelf: Shelf, run_dir: Path) -> None:
    """See `Store.pull`. HeldError where a process works in `run_dir`."""
    run = run_name(run_dir)
    stored = shelf.entries(run)
    if not stored:
        return
    run_dir.mkdir(parents=True, exist_ok=True)
    with run_lock.held(run_dir):
        record = Record(run_dir, shelf.url)
        try:
            _Fetcher(shelf, run_dir, run, record, stored).fetch()
        finally:
            record.save()


class _Fetcher:
    def __init__(self, shelf: Shelf, run_dir: Path, run: str, record: Record, stored: dict[str, Entry]) -> None:
        self._shelf, self._run_dir, self._run, self._record, self._stored = shelf, run_dir, run, record, stored
        self._is_branch = False  # whether this machine went on by itself

    def fetch(self) -> None:
        names = {name for path in self._stored if (name := snapshot_of(path) or kept_aside(path))}
        for name in sorted(names):
            self._fetch_snapshot(name)
        paths = loose(iter(self._stored))
        for_each(self._fetch_loose, [path for path in paths if path != STATUS])
        self._set_aside(names)
        for_each(self._fetch_loose, [path for path in paths if path == STATUS])

    def _fetch_snapshot(self, name: str) -> None:
        problem: Exception | None = None
        for _ in range(ATTEMPTS):
            place = _place_of(name, self._stored)
            if place is None:
                return
            try:
                self._fetch_from(place, name)
                return
            except (StoreError, SnapshotError, FileNotFoundError) as error:
                problem, self._stored = error, self._shelf.entries(self._run)
        print(f"passed over: {problem}")

    def _fetch_from(self, place: str, name: str) -> None:
        local, temporary = self._run_dir / name, self._run_dir / f".{name}.tmp-pull-{os.getpid()}"
        source = f"{place}/{MANIFEST}"
        if local.is_dir() and not self._is_new(source):
            return
        shutil.rmtree(temporary, ignore_errors=True)
        temporary.mkdir()
        try:
            digest = self._shelf.get(f"{self._run}/{source}", temporary / MANIFEST)
            if not (local / MANIFEST).exists() or self._record.sha256_of(f"{name}/{MANIFEST}") != digest:
                self._fill(temporary, place, name)
                verify_snapshot(temporary)
                _put_in_place(temporary, local)
            self._note(source, digest)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)

    def _fill(self, folder: Path, place: str, name: str) -> None:
        listed = listed_in((folder / MANIFEST).read_bytes(), f"{self._shelf.url}/{self._run}/{place}/{MANIFEST}")

        def fetch(file: str) -> None:
            here, there = f"{name}/{file}", f"{place}/{file}"
            if (self._run_dir / here).is_file() and self._record.sha256_of(here) == listed[file].sha256:
                link_or_copy(self._run_dir / here, folder / file)
            else:
                self._shelf.get(f"{self._run}/{there}", folder / file)
            self._note(there, listed[file].sha256)

        for_each(fetch, list(listed))

    def _fetch_loose(self, path: str) -> None:
        target = target_in(self._run_dir, path)
        if target.exists() and not self._differs(path):
            return
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary = target.with_name(f".{target.name}.pull-{os.getpid()}")
        with contextlib.suppress(FileNotFoundError):  # gone from the store since it was listed
            try:
                digest = self._shelf.get(f"{self._run}/{path}", temporary)
                temporary.replace(target)
                self._note(path, digest)
            finally:
                temporary.unlink(missing_ok=True)

    def _differs(self, path: str) -> bool:
        """Whether the store has something else than what is here, and something new."""
        if not self._is_new(path):
            return False
        here, seen = self._record.sha256_of(path), self._record.seen.get(path)
        if here == self._shelf.sha256_of(f"{self._run}/{path}"):
            self._note(path, here)
            return False
        self._is_branch |= path == METRICS and (seen is None or here != seen.sha256)
        return True

    def _set_aside(self, names: set[str]) -> None:
        """Snapshots that the store no longer has, and those of a branch that does not fit the store's metrics."""
        if not any(path.endswith(f"/{MANIFEST}") for path in self._stored):
            return
        for manifest in self._run_dir.glob(f"*/{MANIFEST}"):
            path = manifest.relative_to(self._run_dir).as_posix()
            name = snapshot_of(path)
            if name is None or name in names or not (self._is_branch or path in self._record.seen):
                continue
            if self._is_branch:
                print(f"{manifest.parent}: set aside, the run went on elsewhere from another snapshot.")
            aside = manifest.parent.with_name(f".{name}.tmp-{'branch' if self._is_branch else 'deleted'}")
            shutil.rmtree(aside, ignore_errors=True)
            manifest.parent.rename(aside)
            if not self._is_branch:
                shutil.rmtree(aside, ignore_errors=True)

    def _is_new(self, path: str) -> bool:
        seen = self._record.seen.get(path)
        return seen is None or seen.tag != self._stored[path].tag

    def _note(self, path: str, digest: str) -> None:
        if path in self._stored:
            self._record.seen[path] = Seen(self._stored[path].tag, digest)


def _place_of(name: str, stored: dict[str, Entry]) -> str | None:
    """The folder that holds the snapshot whole: its own, or the older one's while a new one is on its way."""
    aside = sorted(path.partition("/")[0] for path in stored if kept_aside(path) == name)
    return next((place for place in [name, *aside] if f"{place}/{MANIFEST}" in stored), None)


def _put_in_place(temporary: Path, local: Path) -> None:
    """A reader finds the old one or the new one, see `recording/snapshot.py`."""
    old = local.with_name(f".{local.name}.old-{os.getpid()}")
    if local.exists():
        shutil.rmtree(old, ignore_errors=True)
        local.rename(old)
    temporary.rename(local)
    shutil.rmtree(old, ignore_errors=True)
