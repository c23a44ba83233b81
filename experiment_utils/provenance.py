"""Where a run came from: versions, git commit and diff, host and command, with what looks like a credential masked."""

import importlib.metadata
import platform
import re
import shlex
import socket
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

PACKAGES = ("lifelong_rl", "torch", "numpy", "mujoco", "gymnasium", "h5py", "safetensors", "scipy", "wandb")
DIFF_LIMIT = 200_000  # characters
MASK = "***"

_KEYS = r"[\w.-]*(?:password|passwd|secret|api_?-?key|access_?-?key|private_?-?key|credentials?|authorization)[\w-]*"
_SECRETS = [
    # KEY = value, KEY: "value", --key value
    (re.compile(rf"(?i)({_KEYS}[\"']?(?:\s*[:=]\s*|\s+)(?:bearer\s+)?[\"']?)([^\s\"',;)}}]{{4,}})"), rf"\1{MASK}"),
    # a `token` is as often a word of text, so its value must look like one that nobody would type
    (re.compile(r"(?i)(token[\"']?\s*[:=]\s*[\"']?)(?=[\w.-]*\d)([\w.-]{16,})"), rf"\1{MASK}"),
    (re.compile(r"(AKIA|ASIA)[0-9A-Z]{16}"), MASK),
    (re.compile(r"\b(hf_|gh[pousr]_|github_pat_|glpat-|sk-|xox[abpr]-)[\w-]{16,}"), MASK),
    (re.compile(r"(\w+://)[^\s/@:]*:[^\s/@]+@"), rf"\1{MASK}@"),
    (re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL), MASK),
]


def provenance() -> dict[str, Any]:
    """The same for all runs of one launch."""
    return {
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": mask_secrets(shlex.join([Path(sys.executable).name, *sys.argv])),
        "folder": str(Path.cwd()),
        "host": socket.gethostname(),
        "platform": platform.platform(),
        "versions": {"python": platform.python_version()} | _versions(),
        "git": git_state(Path(__file__).parent),
    }


def git_state(folder: Path) -> dict[str, Any] | None:
    """Commit and uncommitted changes of the repository around `folder`; None where there is none."""
    commit = _git(folder, "rev-parse", "HEAD")
    if commit is None:
        return None
    diff = mask_secrets(_git(folder, "diff", "HEAD", "--no-color", "--no-ext-diff") or "")
    if len(diff) > DIFF_LIMIT:
        diff = f"{diff[:DIFF_LIMIT]}\n[{len(diff) - DIFF_LIMIT} more characters]"
    root = Path((_git(folder, "rev-parse", "--show-toplevel") or str(folder)).strip())
    new_files = _git(root, "ls-files", "--others", "--exclude-standard") or ""
    return {"commit": commit.strip(), "diff": diff, "new_files": new_files.splitlines()[:1000]}


def mask_secrets(text: str) -> str:
    """`text` with the values of keys, passwords and the like replaced by ***."""
    for pattern, replacement in _SECRETS:
        text = pattern.sub(replacement, text)
    return text


def _git(folder: Path, *words: str) -> str | None:
    try:
        finished = subprocess.run(["git", *words], cwd=folder, capture_output=True, timeout=20, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return finished.stdout.decode("utf-8", errors="replace")


def _versions() -> dict[str, str]:
    versions = {}
    for package in PACKAGES:
        try:
            versions[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return versions
