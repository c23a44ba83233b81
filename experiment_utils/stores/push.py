"""Sends a run to a store in such an order that what can be seen there can be gone on from, whenever the sender dies.

1. the data of snapshots       nobody looks at it without its manifest
2. metrics.jsonl and the rest  at least as long as each snapshot's offset in it
3. manifests                   the snapshots stand
4. status.json
5. what retention has deleted here is deleted there
"""

import contextlib
import hashlib
from dataclasses import dataclass, field
from pathlib import Path

from experiment_utils.stores.record import Content, Reading, Record, Seen
from experiment_utils.stores.run_files import (
    MANIFEST,
    STATUS,
    Listed,
    files_of,
    kept_aside,
    listed_in,
    loose,
    run_name,
    snapshot_of,
)
from experiment_utils.stores.shelf import Entry, Shelf, for_each
from experiment_utils.stores.store import StoreError

ASIDE = ".{}.old-0"  # where the store's snapshot stays until the one that replaces it is there
MIN_COPIED = 1 << 16  # bytes; less is sent as fast as copied


def push(shelf: Shelf, run_dir: Path) -> None:
    """See `Store.push`."""
    run, record = run_name(run_dir), Record(run_dir, shelf.url)
    sender = _Sender(shelf, run_dir, run, record)
    try:
        sender.send()
    finally:
        record.save()


class _Sender:
    def __init__(self, shelf: Shelf, run_dir: Path, run: str, record: Record) -> None:
        self._shelf, self._run_dir, self._run, self._record = shelf, run_dir, run, record
        self._stored: dict[str, Entry] = {}
        self._by_sha256: dict[str, str] = {}  # content that the store has, wherever
        self._standing: dict[str, set[str]] = {}  # snapshots that are in the store as they are here

    def send(self) -> None:
        snapshots = _whole_snapshots(self._run_dir)
        self._stored = self._shelf.entries(self._run)
        self._note_contents()

        for snapshot in snapshots.values():
            self._make_way(snapshot)
        for_each(self._send_data, [(snapshot, file) for snapshot in snapshots.values() for file in snapshot.files])
        paths = loose(files_of(self._run_dir))
        for_each(self._send_loose, [path for path in paths if path != STATUS])
        for snapshot in snapshots.values():
            self._send_manifest(snapshot)
        if STATUS in paths:
            self._send_loose(STATUS)
        self._clear_away()

    def _note_contents(self) -> None:
        for path, seen in list(self._record.seen.items()):
            if self._is_as_seen(path):
                self._by_sha256[seen.sha256] = path

    def _is_as_seen(self, path: str) -> bool:
        entry, seen = self._stored.get(path), self._record.seen.get(path)
        return entry is not None and seen is not None and entry.tag == seen.tag

    def _make_way(self, snapshot: "_Snapshot") -> None:
        """Keeps the stored snapshot of this name aside, whole, if it is another one."""
        manifest = f"{snapshot.name}/{MANIFEST}"
        if manifest not in self._stored or self._stored_sha256(manifest) == snapshot.sha256:
            return
        self._delete(f"{ASIDE.format(snapshot.name)}/{MANIFEST}")  # of a push that did not come to its end
        old = [path for path in self._stored if snapshot_of(path) == snapshot.name and path != manifest]
        for paths in (old, [manifest]):
            for_each(self._copy_aside, paths)
        self._delete(manifest)

    def _copy_aside(self, path: str) -> None:
        name, _, file = path.partition("/")
        aside = f"{ASIDE.format(name)}/{file}"
        tag = self._shelf.copy(f"{self._run}/{path}", f"{self._run}/{aside}")
        self._stored[aside] = Entry(self._stored[path].size, tag)

    def _send_data(self, work: "tuple[_Snapshot, str]") -> None:
        """A snapshot whose files go away or change on the way is left for the next push."""
        snapshot, file = work
        with contextlib.suppress(FileNotFoundError):
            self._send(f"{snapshot.name}/{file}", snapshot.files[file])
            snapshot.sent.add(file)

    def _send(self, path: str, listed: Listed | None = None) -> None:
        if listed is not None and self._is_as_seen(path) and self._record.seen[path].sha256 == listed.sha256:
            return
        with Reading(self._run_dir / path) as reading:
            content = reading.content()
            self._record.note(path, reading.stamp, content.sha256)
            if listed is not None and content.sha256 != listed.sha256:
                raise FileNotFoundError(path)  # replaced since its manifest was read
            if self._stored_sha256(path) == content.sha256:
                return
            tag = self._copied(path, content) or self._shelf.put(f"{self._run}/{path}", reading, content)
        self._note(path, Entry(content.size, tag), content.sha256)

    def _copied(self, path: str, content: Content) -> str | None:
        """The tag, if the store has the content under another name: snapshots share most of their replay rows."""
        other = self._by_sha256.get(content.sha256)
        if other is None or other == path or content.size < MIN_COPIED:
            return None
        try:
            tag = self._shelf.copy(f"{self._run}/{other}", f"{self._run}/{path}")
        except FileNotFoundError:
            return None
        is_right = self._shelf.sha256_of(f"{self._run}/{path}") == content.sha256  # `other` may be on its way out
        return tag if is_right else None

    def _send_loose(self, path: str) -> None:
        with contextlib.suppress(FileNotFoundError):  # gone since it was listed
            if not self._is_as_seen(path) or self._record.sha256_of(path) != self._record.seen[path].sha256:
                self._send(path)

    def _send_manifest(self, snapshot: "_Snapshot") -> None:
        if snapshot.sent != set(snapshot.files):
            return
        with contextlib.suppress(FileNotFoundError):
            self._send(f"{snapshot.name}/{MANIFEST}", Listed(len(snapshot.manifest), snapshot.sha256))
            self._standing[snapshot.name] = {f"{snapshot.name}/{file}" for file in [*snapshot.files, MANIFEST]}
            aside = [path for path in self._stored if kept_aside(path) == snapshot.name]
            for path in sorted(aside, key=_manifest_first):
                self._delete(path)

    def _clear_away(self) -> None:
        """Only what was once here: a folder that never had the run's files says nothing about them."""
        there = files_of(self._run_dir)
        gone = [path for path in self._record.seen if path not in there and not self._is_needed(path)]
        halves = [path for path in self._stored if self._is_half_sent(path)]  # by a machine that is no more
        for path in sorted({*gone, *halves}, key=_manifest_first):
            self._delete(path)

    def _is_needed(self, path: str) -> bool:
        """Whether a snapshot of the store, or one that is being replaced here at this moment, consists of it."""
        name = snapshot_of(path) or kept_aside(path)
        if name is None or not (any(self._run_dir.glob(f".{name}.old-*")) or (self._run_dir / name).is_dir()):
            return False
        return path in self._standing.get(name, {path})

    def _is_half_sent(self, path: str) -> bool:
        name = snapshot_of(path)
        return name is not None and f"{name}/{MANIFEST}" not in self._stored and not (self._run_dir / name).is_dir()

    def _stored_sha256(self, path: str) -> str | None:
        if path not in self._stored:
            return None
        if not self._is_as_seen(path):
            digest = self._shelf.sha256_of(f"{self._run}/{path}")
            if digest is None:
                return None
            self._note(path, self._stored[path], digest)
        return self._record.seen[path].sha256

    def _note(self, path: str, entry: Entry, sha256: str) -> None:
        self._stored[path] = entry
        self._record.seen[path] = Seen(entry.tag, sha256)
        self._by_sha256[sha256] = path

    def _delete(self, path: str) -> None:
        if self._stored.pop(path, None) is not None:
            self._shelf.delete(f"{self._run}/{path}")
        seen = self._record.seen.pop(path, None)
        if seen is not None and self._by_sha256.get(seen.sha256) == path:
            del self._by_sha256[seen.sha256]


@dataclass(frozen=True)
class _Snapshot:
    name: str
    manifest: bytes
    files: dict[str, Listed]
    sent: set[str] = field(default_factory=set)

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.manifest).hexdigest()


def _whole_snapshots(run_dir: Path) -> dict[str, _Snapshot]:
    """One that cannot be read is passed over, with a line that says why."""
    found = {}
    for path in sorted(run_dir.glob(f"*/{MANIFEST}")):
        name = path.parent.name
        if snapshot_of(f"{name}/{MANIFEST}") is None or path.parent.is_symlink():
            continue
        try:
            manifest = path.read_bytes()
            found[name] = _Snapshot(name, manifest, listed_in(manifest, str(path)))
        except FileNotFoundError:
            continue
        except StoreError as error:
            print(f"passed over: {error}")
    return found


def _manifest_first(path: str) -> bool:
    """A key: without its manifest a snapshot is not seen, whatever of it is still there."""
    return not path.endswith(f"/{MANIFEST}")
