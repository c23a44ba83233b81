"""What this machine keeps of its clusters, outside the project and for this user alone: tokens, keys, tunnels."""

import os
import secrets
import shutil
from pathlib import Path


def state_folder(name: str) -> Path:
    """`~/.local/state/lifelong_rl/clusters/NAME`, or below XDG_STATE_HOME."""
    base = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    folder = Path(base) / "lifelong_rl" / "clusters" / name
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


def token_file(name: str) -> Path:
    """Made when first asked for; whoever has it may run anything on the cluster."""
    path = state_folder(name) / "token"
    if not path.exists():
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            file.write(secrets.token_hex(32))
    return path


def forget(name: str) -> None:
    """All of it: nothing of the cluster is left that it could open."""
    shutil.rmtree(state_folder(name))
