"""What Ray reads from the environment when it is imported, and when a node of a cluster is started."""

import os

SETTINGS = {
    "RAY_AUTH_MODE": "token",  # never a cluster that anyone may give jobs to
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    # Jobs whose worker is gone stop by themselves (experiment_utils.parents), after a snapshot: Ray would kill them.
    "RAY_kill_child_processes_on_worker_exit": "0",
    "RAY_kill_child_processes_on_worker_exit_with_raylet_subreaper": "0",
}


def set_for_this_process() -> None:
    """Before Ray is imported; what the user has set stays."""
    for name, value in SETTINGS.items():
        os.environ.setdefault(name, value)
