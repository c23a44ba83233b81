"""Which files of a run directory travel, under which names, and which of them make up a snapshot."""

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from experiment_utils.stores.store import StoreError
from lifelong_rl.config import ConfigError

MANIFEST = "manifest.json"
OF_THE_MACHINE = ("LOCK", "STOP", "HEARTBEAT")
STATUS = "status.json"  # says what became of a run: always the last to be written
RUN_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._=,+-]{0,199}")

_SNAPSHOT = re.compile(r"(?:offline_)?itr_\d+|interrupted")
_ASIDE = re.compile(r"\.(?P<name>(?:offline_)?itr_\d+|interrupted)\.old-[0-9a-z]+")  # see recording/snapshot.py
_SNAPSHOT_FILE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*")
_SHA256 = re.compile(r"[0-9a-f]{64}")


class Listed(NamedTuple):
    """What a manifest says of a file."""

    size: int
    sha256: str


def run_name(run_dir: Path) -> str:
    """The name under which stores know a run."""
    name = run_dir.name or run_dir.resolve().name
    if not RUN_NAME.fullmatch(name):
        raise ConfigError(f"{run_dir}: a stored run's name has letters, digits and ._=,+- only, at most 200 of them.")
    return name


def travels(path: str) -> bool:
    """Whether a file of this name may leave, or come into, a run directory: no locks, temporary files or ways out."""
    parts = path.split("/")
    is_plain = all(part and not part.startswith(".") and "\\" not in part and part.isprintable() for part in parts)
    return is_plain and len(path) < 1000 and not (len(parts) == 1 and parts[0].split(".")[0] in OF_THE_MACHINE)


def files_of(run_dir: Path) -> dict[str, Path]:
    """Name from the run directory on -> file. Links are not followed."""
    found = {}
    for folder, folders, names in os.walk(run_dir):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in names:
            path = Path(folder, name)
            relative = path.relative_to(run_dir).as_posix()
            if travels(relative) and path.is_file() and not path.is_symlink():
                found[relative] = path
    return dict(sorted(found.items()))


def snapshot_of(path: str) -> str | None:
    """The snapshot that a file of this name belongs to."""
    first, slash, _ = path.partition("/")
    return first if slash and _SNAPSHOT.fullmatch(first) else None


def kept_aside(path: str) -> str | None:
    """The snapshot of which this is an older one, kept while the new one is on its way."""
    match = _ASIDE.fullmatch(path.partition("/")[0])
    return match["name"] if match else None


def loose(paths: Iterator[str] | dict[str, Path]) -> list[str]:
    """Those that belong to no snapshot, the status last."""
    found = [path for path in paths if travels(path) and snapshot_of(path) is None]
    return sorted(found, key=lambda path: (path == STATUS, path))


def listed_in(manifest: bytes, place: str) -> dict[str, Listed]:
    """The files of a snapshot by its manifest."""
    try:
        files = json.loads(manifest)["files"].items()
        listed = {str(name): Listed(int(entry["bytes"]), str(entry["sha256"])) for name, entry in files}
    except (ValueError, KeyError, TypeError, AttributeError):
        raise StoreError(f"{place}: damaged, this is not a snapshot's manifest.") from None
    for name, entry in listed.items():
        if not _SNAPSHOT_FILE.fullmatch(name) or name == MANIFEST or not _SHA256.fullmatch(entry.sha256):
            raise StoreError(f"{place}: damaged, {name!r} is not a plain file name with its sha256.")
    return listed


def target_in(folder: Path, path: str) -> Path:
    """Where a stored file goes; StoreError if its name, or a link that lies in its way, leads out of `folder`."""
    target = folder / PurePosixPath(path)
    if not travels(path) or not target.parent.resolve().is_relative_to(folder.resolve()):
        raise StoreError(f"{folder}: the store names a file {path!r}, which leads out of the run directory.")
    return target
