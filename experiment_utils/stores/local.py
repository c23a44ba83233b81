"""A folder as a store: a shared disk, or one that is mounted."""

import contextlib
import hashlib
import os
import uuid
from pathlib import Path

from experiment_utils.stores.mirror import Mirror
from experiment_utils.stores.record import PART, Content, Reading
from experiment_utils.stores.run_files import RUN_NAME, kept_aside
from experiment_utils.stores.shelf import Entry
from experiment_utils.stores.store import StoreError


class LocalStore(Mirror):
    """`url` is a folder, or file:// and a folder."""

    def __init__(self, url: str) -> None:
        super().__init__(FolderShelf(Path(url.removeprefix("file://")).expanduser().absolute()))


class FolderShelf:
    """Files are written under a temporary name, read back, and renamed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.url = str(folder)

    def check(self) -> None:
        probe = self._folder / f".probe-{uuid.uuid4().hex}"
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            probe.touch()
            probe.unlink()
        except OSError as error:
            raise StoreError(f"store {self._folder}: cannot be written: {error.strerror}.") from None

    def run_names(self) -> list[str]:
        if not self._folder.is_dir():
            return []
        return [path.name for path in self._folder.iterdir() if path.is_dir() and RUN_NAME.fullmatch(path.name)]

    def entries(self, run: str) -> dict[str, Entry]:
        found = {}
        for folder, folders, names in os.walk(self._folder / run):
            folders[:] = [name for name in folders if not name.startswith(".") or kept_aside(f"{name}/")]
            for path in (Path(folder, name) for name in names if not name.startswith(".")):
                with contextlib.suppress(FileNotFoundError):
                    found[path.relative_to(self._folder / run).as_posix()] = _entry(path)
        return found

    def sha256_of(self, name: str) -> str | None:
        try:
            with Reading(self._folder / name) as reading:
                return reading.content().sha256
        except FileNotFoundError:
            return None

    def put(self, name: str, reading: Reading, content: Content) -> str:
        reading.seek(0)
        return self._place(name, reading, content.sha256)

    def get(self, name: str, target: Path) -> str:
        with Reading(self._folder / name) as reading:
            return _write(reading, target)

    def copy(self, source: str, target: str) -> str:
        with Reading(self._folder / source) as reading:
            return self._place(target, reading, None)

    def delete(self, name: str) -> None:
        path = self._folder / name
        path.unlink(missing_ok=True)
        with contextlib.suppress(OSError):  # not empty
            path.parent.rmdir()

    def _place(self, name: str, reading: Reading, sha256: str | None) -> str:
        path = self._folder / name
        temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            written = _write(reading, temporary)
            if written != (sha256 or written) or self.sha256_of(str(temporary)) != written:
                raise StoreError(f"store {path}: what was written is not what was sent.")
            temporary.replace(path)
        except OSError as error:
            raise StoreError(f"store {path}: cannot be written: {error.strerror}.") from None
        finally:
            with contextlib.suppress(OSError):
                temporary.unlink()
        return _entry(path).tag


def _write(reading: Reading, path: Path) -> str:
    """A new file; returns its sha256."""
    digest = hashlib.sha256()
    with path.open("xb") as file:
        while piece := reading.read(PART):
            digest.update(piece)
            file.write(piece)
    return digest.hexdigest()


def _entry(path: Path) -> Entry:
    status = path.stat()
    return Entry(status.st_size, f"{status.st_size}-{status.st_mtime_ns}-{status.st_ino}")
