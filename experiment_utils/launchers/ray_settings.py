"""What Ray reads from the environment when it is imported, and when a node of a cluster is started."""

import os
import socket
from pathlib import Path

from lifelong_rl.config import ConfigError

SETTINGS = {
    "RAY_AUTH_MODE": "token",  # never a cluster that anyone may give jobs to
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    "RAY_worker_niceness": "0",  # else 15: runs would starve beside anything
    # Jobs whose worker is gone stop by themselves (experiment_utils.parents), after a snapshot: Ray would kill them.
    "RAY_kill_child_processes_on_worker_exit": "0",
    "RAY_kill_child_processes_on_worker_exit_with_raylet_subreaper": "0",
}


def set_for_this_process() -> None:
    """Before Ray is imported; what the user has set stays."""
    for name, value in SETTINGS.items():
        os.environ.setdefault(name, value)


def check_address(address: str | None) -> None:
    """One line where nothing listens there, or this process has no token for it."""
    if address is None:
        raise ConfigError("--mode ray needs --address HOST:PORT (or RAY_ADDRESS); to start Ray here: --mode local_par.")
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if not host or not port.isdecimal():
        raise ConfigError(f"--address must be HOST:PORT or ray://HOST:PORT, got {address!r}.")
    try:
        socket.create_connection((host, int(port)), timeout=5).close()
    except (OSError, OverflowError) as error:
        raise ConfigError(f"--address {address}: nothing answers there ({error}).") from None
    files = [Path(os.environ.get("RAY_AUTH_TOKEN_PATH", "")), Path.home() / ".ray" / "auth_token"]
    if not os.environ.get("RAY_AUTH_TOKEN") and not any(file.is_file() for file in files):
        raise ConfigError(f"--address {address}: export RAY_AUTH_TOKEN, the token of that cluster.")
