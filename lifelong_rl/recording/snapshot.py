"""Snapshots: a directory of safetensors, JSON and npy files under a manifest of checksums. Nothing in it can run code.

itr_20/
    manifest.json        schema version; size and sha256 of each other file; written last
    meta.json            what the caller wants to know without reading tensors
    agent.json           one tree per part; tensors and arrays stand in it as references
    agent.safetensors    the part's tensors, named by their paths
    seeds.0.npy          a part's numpy arrays
    replay.3.rows-0-8192.npy   a stretch of rows; a link to the file of the snapshot before, where that has it already
"""

import contextlib
import hashlib
import json
import os
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lifelong_rl.recording.errors import SnapshotError
from lifelong_rl.recording.files import check_space, disk_error, fingerprint, flush_to_disk, link_or_copy, write_file
from lifelong_rl.recording.row_blocks import Content
from lifelong_rl.recording.state_tree import part_files, read_part

SCHEMA = 2
_NAME = re.compile(r"(offline_)?itr_(\d+)")
_PART = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_FILE = re.compile(rf"{_PART.pattern}(\.[A-Za-z0-9-]+)+")


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


def save_snapshot(directory: Path, parts: dict[str, Any], meta: dict[str, Any], previous: Path | None = None) -> None:
    """Writes under a temporary name, reads back, then renames: `directory` is never half written, come what may.

    Stretches of rows that the snapshot `previous` of the same run holds become links to its files.
    """
    directory = directory.absolute()
    contents = _contents(parts, meta)
    temporary = directory.with_name(f".{directory.name}.tmp-{os.getpid()}")
    needed = 0
    try:
        directory.parent.mkdir(parents=True, exist_ok=True)
        _remove_leftovers(directory)
        known = {} if previous is None else _entries_of(previous)
        linked = {name: known[name] for name, content in contents.items() if content.is_final and name in known}
        needed = sum(content.size for name, content in contents.items() if name not in linked)
        check_space(directory.parent, needed)
        temporary.mkdir()
        for name in linked:
            link_or_copy(previous / name, temporary / name)  # type: ignore[operator]
        _write_files(temporary, {name: content for name, content in contents.items() if name not in linked}, linked)
        _move_into_place(temporary, directory)
    except OSError as error:
        raise disk_error(error, temporary, needed) from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def load_snapshot(directory: Path) -> Snapshot:
    """Verifies every file against the manifest, then reads. Raises SnapshotError, which names the bad file."""
    names = verify_snapshot(directory)
    directory = _where(directory.absolute())
    parts = {}
    for name in sorted(names):
        if name.endswith(".json") and name != "meta.json":
            parts[name.removesuffix(".json")] = read_part(directory, name.removesuffix(".json"), names)
    return Snapshot(parts=parts, meta=read_meta(directory))


def read_meta(directory: Path) -> dict[str, Any]:
    """What was said about a snapshot, without looking at the rest of it."""
    path = _where(directory.absolute()) / "meta.json"
    try:
        return dict(json.loads(path.read_bytes()))
    except (OSError, ValueError, TypeError) as error:
        raise SnapshotError(f"{path}: damaged, {type(error).__name__}: {error}") from error


def verify_snapshot(directory: Path) -> set[str]:
    """The names of its files, every one as the manifest says; SnapshotError names the first bad one."""
    directory = _where(directory.absolute())
    if not directory.is_dir():
        raise SnapshotError(f"{directory}: no such snapshot.{_named(' There', list_snapshots(directory.parent))}")
    names = _verified_names(directory)
    if "meta.json" not in names:
        raise SnapshotError(f"{directory / 'manifest.json'}: does not list meta.json.")
    return names


def _contents(parts: dict[str, Any], meta: dict[str, Any]) -> dict[str, Content]:
    contents = {"meta.json": Content.of(json.dumps(meta, indent=1).encode())}
    for name, state in parts.items():
        if not _PART.fullmatch(name) or name in ("meta", "manifest"):
            raise SnapshotError(f"part {name!r}: expected letters, digits and _, other than 'meta' and 'manifest'.")
        contents |= part_files(name, state)
    return contents


def _write_files(directory: Path, contents: dict[str, Content], linked: dict[str, Any]) -> None:
    """All of them before the first is flushed: the disk takes them in one go."""
    entries = {name: write_file(directory / name, content.pieces()) for name, content in contents.items()}
    files = dict(sorted((entries | linked).items()))
    manifest = json.dumps({"schema": SCHEMA, "sha256": _digest(files), "files": files}, indent=1).encode()
    entries["manifest.json"] = write_file(directory / "manifest.json", [manifest])
    for name in entries:
        flush_to_disk(directory / name)
    flush_to_disk(directory)
    for name, entry in entries.items():
        if fingerprint(directory / name) != entry:
            raise OSError(None, "read back differently than it was written", str(directory / name))


def _digest(files: dict[str, Any]) -> str:
    """Of the manifest itself: so that a bit that flipped in it is not blamed on the file that it speaks of."""
    return hashlib.sha256(json.dumps(files, sort_keys=True).encode()).hexdigest()


def _entries_of(snapshot: Path) -> dict[str, Any]:
    """Its manifest's entries of files that are there and of the right size; nothing where it has gone or is damaged."""
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError, AttributeError):
        manifest = json.loads((snapshot / "manifest.json").read_bytes())
        if manifest["schema"] == SCHEMA:
            files = manifest["files"].items()
            return {n: e for n, e in files if _FILE.fullmatch(n) and (snapshot / n).stat().st_size == e["bytes"]}
    return {}


def _move_into_place(temporary: Path, directory: Path) -> None:
    old = directory.with_name(f".{directory.name}.old-{os.getpid()}")
    if directory.exists():
        directory.rename(old)  # between these two renames a reader finds the old one, see _where
    temporary.rename(directory)
    flush_to_disk(directory.parent)
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
        schema, digest, files = manifest["schema"], manifest.get("sha256"), dict(manifest["files"])
        expected = {str(name): (entry["bytes"], entry["sha256"]) for name, entry in files.items()}
    except FileNotFoundError:
        within = _named(" In it", list_snapshots(directory))
        raise SnapshotError(f"{directory}: not a whole snapshot, manifest.json is missing.{within}") from None
    except (ValueError, KeyError, TypeError, AttributeError):
        raise SnapshotError(f"{path}: damaged, this is not a snapshot's manifest.") from None
    if schema != SCHEMA:
        raise SnapshotError(f"{path}: schema version {schema!r}, this program reads version {SCHEMA}.")
    if digest != _digest(files):
        raise SnapshotError(f"{path}: damaged, its sha256 is not its own.")

    for problem in _problems(directory, expected):
        raise SnapshotError(problem)
    return set(expected)


def _problems(directory: Path, expected: dict[str, tuple[int, str]]) -> Iterator[str]:
    for name, (size, digest) in expected.items():
        path = directory / name
        if not _FILE.fullmatch(name):
            yield f"{directory / 'manifest.json'}: damaged, {name!r} is not a plain file name."
        elif not path.is_file():
            yield f"{path}: missing, the manifest lists it."
        elif path.stat().st_size != size:
            yield f"{path}: damaged, expected {size} bytes, found {path.stat().st_size}."
        elif fingerprint(path)["sha256"] != digest:
            yield f"{path}: damaged, its sha256 is not the manifest's."


def _named(where: str, snapshots: list[Path]) -> str:
    return f"{where}: {', '.join(path.name for path in snapshots)}." if snapshots else ""
