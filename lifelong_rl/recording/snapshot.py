"""Snapshots: a directory of safetensors, JSON and npy files under a manifest of checksums. Nothing in it can run code.

itr_20/
    manifest.json        schema version; size and sha256 of each other file; written last
    meta.json            what the caller wants to know without reading tensors
    agent.json           one tree per part; tensors and arrays stand in it as references
    agent.safetensors    the part's tensors, named by their paths
    seeds.0.npy          a part's numpy arrays
"""

import hashlib
import json
import os
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lifelong_rl.recording.state_tree import SnapshotError, read_part, write_part

SCHEMA = 1
_NAME = re.compile(r"(offline_)?itr_(\d+)")
_PART = re.compile(r"[A-Za-z][A-Za-z0-9_]*")


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """The state of every part of a run, and what was said about it. Tensors are on the CPU."""

    parts: dict[str, Any]
    meta: dict[str, Any]


def snapshot_name(iteration: int, *, offline: bool) -> str:
    """`offline_itr_<n>` or `itr_<n>`."""
    return f"offline_itr_{iteration}" if offline else f"itr_{iteration}"


def list_snapshots(run_dir: Path) -> list[Path]:
    """A run's finished snapshots, newest first: online before offline, later before earlier. Files are not verified."""
    ages = {}
    for manifest in run_dir.glob("*itr_*/manifest.json"):
        name = manifest.parent.name.removeprefix(".").split(".old-")[0]  # see _where
        if match := _NAME.fullmatch(name):
            ages[run_dir / name] = (match[1] is None, int(match[2]))
    return sorted(ages, key=ages.__getitem__, reverse=True)


def save_snapshot(directory: Path, parts: dict[str, Any], meta: dict[str, Any]) -> None:
    """Writes under a temporary name, then renames: `directory` is never half written, whatever happens meanwhile."""
    directory = directory.absolute()
    _remove_leftovers(directory)
    temporary = directory.with_name(f".{directory.name}.tmp-{os.getpid()}")
    try:
        temporary.mkdir(parents=True)
        _write_files(temporary, parts, meta)
        _move_into_place(temporary, directory)
    except OSError as error:
        raise SnapshotError(f"{directory}: could not be written: {error.strerror or error}.") from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def load_snapshot(directory: Path) -> Snapshot:
    """Verifies every file against the manifest, then reads. Raises SnapshotError, which names the bad file."""
    names = verify_snapshot(directory)
    directory = _where(directory.absolute())
    parts = {}
    for name in names:
        if name.endswith(".json") and name != "meta.json":
            parts[name.removesuffix(".json")] = read_part(directory, name.removesuffix(".json"), names)
    return Snapshot(parts=parts, meta=json.loads((directory / "meta.json").read_bytes()))


def verify_snapshot(directory: Path) -> set[str]:
    """The names of its files, every one as the manifest says; SnapshotError names the first bad one."""
    directory = _where(directory.absolute())
    if not directory.is_dir():
        raise SnapshotError(f"{directory}: no such snapshot.{_named(' There', list_snapshots(directory.parent))}")
    names = _verified_names(directory)
    if "meta.json" not in names:
        raise SnapshotError(f"{directory / 'manifest.json'}: does not list meta.json.")
    return names


def _write_files(directory: Path, parts: dict[str, Any], meta: dict[str, Any]) -> None:
    (directory / "meta.json").write_text(json.dumps(meta, indent=1), encoding="utf-8")
    for name, state in parts.items():
        if not _PART.fullmatch(name) or name in ("meta", "manifest"):
            raise SnapshotError(f"part {name!r}: expected letters, digits and _, other than 'meta' and 'manifest'.")
        write_part(directory, name, state)

    files = {path.name: _fingerprint(path) for path in sorted(directory.iterdir())}
    manifest = directory / "manifest.json"
    manifest.write_text(json.dumps({"schema": SCHEMA, "files": files}, indent=1), encoding="utf-8")
    for path in [*directory.iterdir(), directory]:
        _flush_to_disk(path)


def _move_into_place(temporary: Path, directory: Path) -> None:
    old = directory.with_name(f".{directory.name}.old-{os.getpid()}")
    if directory.exists():
        directory.rename(old)  # between these two renames a reader finds the old one, see _where
    temporary.rename(directory)
    _flush_to_disk(directory.parent)
    shutil.rmtree(old, ignore_errors=True)


def _where(directory: Path) -> Path:
    """The directory itself, or where a save that was cut short between two renames left it."""
    aside = sorted(directory.parent.glob(f".{directory.name}.old-*"))
    return aside[-1] if aside and not directory.exists() else directory


def _remove_leftovers(directory: Path) -> None:
    """What killed saves of this name left: half-written ones, and old ones where the new one is in place."""
    aside = _where(directory)
    if aside != directory:
        aside.rename(directory)
    for pattern in ("tmp", "old"):
        for path in directory.parent.glob(f".{directory.name}.{pattern}-*"):
            shutil.rmtree(path, ignore_errors=True)


def _verified_names(directory: Path) -> set[str]:
    path = directory / "manifest.json"
    try:
        manifest = json.loads(path.read_bytes())
        schema, files = manifest["schema"], dict(manifest["files"])
        expected = {str(name): (entry["bytes"], entry["sha256"]) for name, entry in files.items()}
    except FileNotFoundError:
        within = _named(" In it", list_snapshots(directory))
        raise SnapshotError(f"{directory}: not a whole snapshot, manifest.json is missing.{within}") from None
    except (ValueError, KeyError, TypeError):
        raise SnapshotError(f"{path}: damaged, this is not a snapshot's manifest.") from None
    if schema != SCHEMA:
        raise SnapshotError(f"{path}: schema version {schema!r}, this program reads version {SCHEMA}.")

    for problem in _problems(directory, expected):
        raise SnapshotError(problem)
    return set(expected)


def _problems(directory: Path, expected: dict[str, tuple[int, str]]) -> Iterator[str]:
    for name, (size, digest) in expected.items():
        path = directory / name
        if Path(name).name != name:
            yield f"{directory / 'manifest.json'}: damaged, {name!r} is not a plain file name."
        elif not path.is_file():
            yield f"{path}: missing, the manifest lists it."
        elif path.stat().st_size != size:
            yield f"{path}: damaged, expected {size} bytes, found {path.stat().st_size}."
        elif _fingerprint(path)["sha256"] != digest:
            yield f"{path}: damaged, its sha256 is not the manifest's."


def _fingerprint(path: Path) -> dict[str, Any]:
    with path.open("rb") as file:
        return {"bytes": path.stat().st_size, "sha256": hashlib.file_digest(file, "sha256").hexdigest()}


def _flush_to_disk(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _named(where: str, snapshots: list[Path]) -> str:
    return f"{where}: {', '.join(path.name for path in snapshots)}." if snapshots else ""
