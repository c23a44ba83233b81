"""Where a run came from: versions, git commit and diff, host and command, with what looks like a credential masked."""

import importlib.metadata
import platform
import shlex
import socket
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from lifelong_rl.secrets import mask_secrets, mask_values, mask_words

PACKAGES = ("lifelong_rl", "torch", "numpy", "mujoco", "gymnasium", "h5py", "safetensors", "scipy", "wandb")
DIFF_LIMIT = 200_000  # characters


def provenance() -> dict[str, Any]:
    """The same for all runs of one launch."""
    about = {
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": shlex.join(mask_words([Path(sys.executable).name, *sys.argv])),
        "folder": str(Path.cwd()),
        "host": socket.gethostname(),
        "platform": platform.platform(),
        "versions": {"python": platform.python_version()} | _versions(),
        "git": git_state(Path(__file__).parent),
    }
    return dict(mask_values(about))


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
