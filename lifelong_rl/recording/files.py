"""Files that are on the disk when a function returns, and errors that name the file and what the disk had left."""

import hashlib
import os
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from lifelong_rl.recording.errors import DiskError

CHUNK = 8 << 20  # bytes; between chunks a signal is heard
_write = os.write


def write_file(path: Path, content: Iterable[bytes | memoryview]) -> dict[str, Any]:
    """Writes the pieces one after the other; returns the manifest's entry: `bytes` and `sha256` of what was meant."""
    digest, size = hashlib.sha256(), 0
    with path.open("xb", buffering=0) as file:
        for piece in content:
            view = memoryview(piece)
            for start in range(0, len(view), CHUNK):
                chunk = view[start : start + CHUNK]
                digest.update(chunk)
                _write_all(file.fileno(), chunk)
            size += len(view)
    return {"bytes": size, "sha256": digest.hexdigest()}


def fingerprint(path: Path) -> dict[str, Any]:
    """`bytes` and `sha256` of a file as it is now."""
    with path.open("rb") as file:
        return {"bytes": path.stat().st_size, "sha256": hashlib.file_digest(file, "sha256").hexdigest()}


def flush_to_disk(path: Path) -> None:
    """A file's content, or a directory's names."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def link_or_copy(source: Path, target: Path) -> None:
    """One content under two names; a copy where the file system has no links."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)


def check_space(directory: Path, needed: int) -> None:
    """Raises DiskError where fewer than `needed` bytes are free."""
    free = shutil.disk_usage(directory).free
    if free < needed:
        raise DiskError(f"{directory}: the disk is full: {needed} bytes needed, {free} free.")


def disk_error(error: OSError, place: Path, needed: int) -> DiskError:
    """Names the file, what went wrong, and needed and free bytes."""
    path = error.filename or place
    try:
        free = f"{shutil.disk_usage(place.parent).free} free"
    except OSError:
        free = "free bytes unknown"
    return DiskError(f"{path}: could not be written: {error.strerror or error} ({needed} bytes needed, {free}).")


def _write_all(descriptor: int, chunk: memoryview) -> None:
    while chunk:
        chunk = chunk[_write(descriptor, chunk) :]
