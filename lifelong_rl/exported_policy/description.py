"""`config.json` of an exported policy: typed, checked before anything is made of it, with checksums of other files."""

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lifelong_rl.config import ConfigError, from_dict, one_of
from lifelong_rl.exported_policy.architecture import ARCHITECTURES
from lifelong_rl.exported_policy.limits import check_limits
from lifelong_rl.exported_policy.spaces import Spaces
from lifelong_rl.exported_policy.task_shape import TaskShape
from lifelong_rl.recording.files import fingerprint

FORMAT = 1
CONFIG, WEIGHTS, ONNX, CARD, REPLAY = "config.json", "policy.safetensors", "policy.onnx", "README.md", "replay.mp4"
MAX_BYTES = 1 << 20
EXPORT = "python scripts/export_policy.py SNAPSHOT"


@dataclass(frozen=True, kw_only=True)
class FileEntry:
    """What a file must be."""

    bytes: int
    sha256: str


@dataclass(frozen=True, kw_only=True)
class Description:
    """`policy`, `task` and `spaces` are what acting needs; the rest says where it comes from and what it is worth."""

    format: int
    versions: dict[str, Any]
    policy: Any = one_of(ARCHITECTURES)
    task: TaskShape
    spaces: Spaces
    environment: dict[str, Any]  # an id of gymnasium, or None, and what to make it with
    agent: dict[str, Any]  # the variant's
    training: dict[str, Any]  # snapshot, counters, seed
    evaluation: dict[str, Any]  # by kind of goals
    onnx: dict[str, Any]  # inputs, output, and how far it is from the policy; or why there is none
    files: dict[str, FileEntry]


def read_description(folder: Path) -> Description:
    """Of the export in `folder`; a ConfigError of one line where it is none, or not one that can be read here."""
    path = folder / CONFIG
    if not path.is_file():
        raise ConfigError(f"{folder}: {_what_is_wrong(folder)}")
    if path.stat().st_size > MAX_BYTES:
        raise ConfigError(f"{path}: has {path.stat().st_size} bytes; that of an export has {MAX_BYTES} at most.")
    try:
        text = path.read_text(encoding="utf-8")
        tree = json.loads(text, parse_float=_finite, parse_constant=_finite, parse_int=_whole)
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"{path}: not the JSON of an export: {error}.") from error
    version = tree.get("format") if isinstance(tree, dict) else None
    if type(version) is not int or version < 1:
        line = f"its 'format' must be a whole number, got {version!r:.40}"
        raise ConfigError(f"{path}: not of an exported policy: {line}.")
    if version > FORMAT:
        line = f"written by a newer version (format {version:.6g}, this one reads up to {FORMAT})"
        raise ConfigError(f"{path}: {line}. Update lifelong_rl.")
    check_limits(tree.get("policy"), f"{path}: policy")
    return from_dict(Description, tree, f"{path}: config")


def check_file(folder: Path, name: str, description: Description) -> None:
    """A ConfigError where a file is not the one that was exported."""
    path, entry = folder / name, description.files.get(name)
    if entry is None or not path.is_file():
        raise ConfigError(f"{path}: {'missing' if entry else f'not listed in {CONFIG}'}; export the policy again.")
    found = fingerprint(path)
    if found != {"bytes": entry.bytes, "sha256": entry.sha256}:
        line = f"{entry.bytes} bytes with sha256 {entry.sha256[:12]!r}... were written"
        now = f"it has {found['bytes']} with {found['sha256'][:12]!r}..."
        raise ConfigError(f"{path}: changed or damaged since the export: {line}, {now}. Export it again.")


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"{text:.20} is not a finite number")
    return value


def _whole(text: str) -> int:
    value = int(text)
    if abs(value) >= 1 << 63:
        raise ValueError(f"{text:.20}... is no number of an export")
    return value


def _what_is_wrong(folder: Path) -> str:
    if folder.is_file():
        return "a file, but an exported policy is a folder."
    if not folder.exists():
        return "no such folder."
    if (folder / "manifest.json").exists() or (folder / "variant.json").exists():
        what = "a run" if (folder / "variant.json").exists() else "a snapshot"
        return f"{what}, not an exported policy. Export it first: {EXPORT}"
    return f"holds no {CONFIG}, so it is not an exported policy. {EXPORT} writes one."
