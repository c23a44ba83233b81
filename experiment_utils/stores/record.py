"""What this machine knows of a run's files and of their copies in a store, so that nothing is hashed or sent twice."""

import contextlib
import hashlib
import json
import os
import time
from pathlib import Path
from typing import Any, NamedTuple

PART = 8 << 20  # bytes; larger files go in parts of this size


class Content(NamedTuple):
    """What a file held when it was read, also by its parts."""

    size: int
    sha256: str
    parts: tuple[bytes, ...]  # sha256 of each `PART` bytes


class Seen(NamedTuple):
    """A store's copy: a tag that changes with its content, and the content's sha256."""

    tag: str
    sha256: str


class Reading:
    """The first bytes of a file as long as it was when opened: it may grow, or be replaced, in the meantime."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("rb")
        self._position = 0
        self.stamp = _stamp(os.fstat(self._file.fileno()))
        self.size = self.stamp[0]

    def content(self) -> Content:
        whole, parts = hashlib.sha256(), []
        for start in range(0, self.size, PART):
            piece = os.pread(self._file.fileno(), min(PART, self.size - start), start)
            whole.update(piece)
            parts.append(hashlib.sha256(piece).digest())
        return Content(self.size, whole.hexdigest(), tuple(parts))

    def read(self, size: int = -1) -> bytes:
        left = max(0, self.size - self._position)
        piece = os.pread(self._file.fileno(), left if size is None or size < 0 else min(size, left), self._position)
        self._position += len(piece)
        return piece

    def seek(self, position: int, whence: int = os.SEEK_SET) -> int:
        self._position = position + {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self.size}[whence]
        return self._position

    def tell(self) -> int:
        return self._position

    def seekable(self) -> bool:
        return True

    def close(self) -> None:
        self._file.close()

    def __enter__(self) -> "Reading":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Record:
    """Lies in the run directory under a name that does not travel."""

    def __init__(self, run_dir: Path, url: str) -> None:
        self._run_dir = run_dir
        self._path = run_dir / f".store-{hashlib.sha256(url.encode()).hexdigest()[:8]}.json"
        self._hashes: dict[str, tuple[tuple[int, ...], str]] = {}
        self.seen: dict[str, Seen] = {}
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError, AttributeError):
            saved: dict[str, Any] = json.loads(self._path.read_bytes())
            hashes = {str(path): (tuple(stamp), str(digest)) for path, (stamp, digest) in saved["hashes"].items()}
            self.seen = {str(path): Seen(str(tag), str(digest)) for path, (tag, digest) in saved["seen"].items()}
            self._hashes = hashes

    def sha256_of(self, path: str) -> str:
        """Of the local file, read only where it may have changed since."""
        file = self._run_dir / path
        stamp, digest = self._hashes.get(path, ((), ""))
        if stamp != _stamp(file.stat()):
            with Reading(file) as reading:
                digest = reading.content().sha256
                self.note(path, reading.stamp, digest)
        return digest

    def note(self, path: str, stamp: tuple[int, ...], digest: str) -> None:
        """A file that was written just now may be written again without its times telling: it is not noted."""
        self._hashes.pop(path, None)
        if abs(time.time_ns() - stamp[1]) > 1_000_000_000:
            self._hashes[path] = (stamp, digest)

    def save(self) -> None:
        hashes = {path: entry for path, entry in list(self._hashes.items()) if (self._run_dir / path).exists()}
        text = json.dumps({"hashes": hashes, "seen": self.seen})
        temporary = self._path.with_name(f"{self._path.name}.{os.getpid()}")
        with contextlib.suppress(OSError):  # a full disk: everything is looked at again next time
            temporary.write_text(text, encoding="utf-8")
            temporary.replace(self._path)


def _stamp(status: os.stat_result) -> tuple[int, ...]:
    return (status.st_size, status.st_mtime_ns, status.st_ino)
