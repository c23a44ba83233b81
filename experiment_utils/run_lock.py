"""The lock of a run directory, and the name of who holds it."""

import contextlib
import errno
import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import filelock
import psutil

WAIT_SECONDS = 0.5  # so that one who only asks whether a run is held does not turn away the job that is to run it
NO_LOCKS = {errno.ENOSYS, errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOTSUP}  # what file systems without flock say (NFS)


class Owner(NamedTuple):
    """Who holds a lock."""

    pid: int
    host: str

    def __str__(self) -> str:
        return f"process {self.pid} on {self.host}"


class HeldError(RuntimeError):
    """Another process works in this run directory."""


@contextlib.contextmanager
def held(folder: Path) -> Iterator[None]:
    """Only one process works in `folder`, and its name stands in `LOCK.owner` meanwhile."""
    lock = _acquire(folder, WAIT_SECONDS)
    owner = folder / "LOCK.owner"
    try:
        with contextlib.suppress(OSError):  # a full disk: the lock holds all the same
            owner.write_text(f"{os.getpid()}@{socket.gethostname()}\n", encoding="utf-8")
        yield
    finally:
        with contextlib.suppress(OSError):
            owner.unlink(missing_ok=True)
        lock.release()


def is_held(folder: Path) -> bool:
    """Whether a process works in it now."""
    try:
        _acquire(folder, 0).release()
    except HeldError:
        return True
    return False


def _acquire(folder: Path, wait_seconds: float) -> filelock.BaseFileLock:
    """flock, which ends with its process; where there is none, a file that is taken over from a dead process."""
    try:
        return _acquired(filelock.FileLock(folder / "LOCK", fallback_to_soft=False), wait_seconds)
    except filelock.Timeout:
        raise HeldError(f"{folder} is held by {_owner_of(folder) or 'another process'}.") from None
    except OSError as error:
        if error.errno not in NO_LOCKS:
            raise
    marker = folder / "LOCK.soft"
    try:
        if _take_from_the_dead(folder):
            marker.unlink(missing_ok=True)
        return _acquired(filelock.SoftFileLock(marker), wait_seconds)
    except filelock.Timeout:
        owner = _owner_of(folder) or "another process"
        raise HeldError(f"{folder} is held by {owner}; if it is gone, remove {marker}.") from None


def _acquired(lock: filelock.BaseFileLock, wait_seconds: float) -> filelock.BaseFileLock:
    lock.acquire(timeout=wait_seconds)
    return lock


def _take_from_the_dead(folder: Path) -> bool:
    """Whether its owner is a dead process of this host, and this process alone may remove the lock that it left."""
    owner = _owner_of(folder)
    if owner is None or owner.host != socket.gethostname() or psutil.pid_exists(owner.pid):
        return False
    taken = folder / f"LOCK.owner-taken-by-{os.getpid()}"
    try:
        (folder / "LOCK.owner").rename(taken)  # of several that come here, one finds it
        if _read_owner(taken) == owner:
            taken.unlink()
            return True
        taken.rename(folder / "LOCK.owner")  # another one was quicker, and works here by now
    except OSError:
        pass
    return False


def _owner_of(folder: Path) -> Owner | None:
    return _read_owner(folder / "LOCK.owner")


def _read_owner(path: Path) -> Owner | None:
    try:
        pid, _, host = path.read_text(encoding="utf-8").strip().partition("@")
        return Owner(int(pid), host)
    except (OSError, ValueError):
        return None
