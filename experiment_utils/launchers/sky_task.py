"""What a SkyPilot job executes on its machine: runs in turn, each from the store and back to it."""

import argparse
import sys
from pathlib import Path

from experiment_utils.launchers.node import run_on_node
from experiment_utils.threads import thread_variables
from lifelong_rl.training.interrupts import REQUEUE


def main() -> int:
    """0; 1 where one failed; 75 where one was stopped and is to go on."""
    parser = argparse.ArgumentParser(prog="python -m experiment_utils.launchers.sky_task", description=__doc__)
    parser.add_argument("run_dirs", nargs="+", type=Path, metavar="RUN_DIR")
    parser.add_argument("--store", required=True)
    parser.add_argument("--num_cpu", type=int, default=1)
    flags = parser.parse_args()
    environment, statuses = thread_variables(flags.num_cpu), []
    for run_dir in flags.run_dirs:
        run_dir.mkdir(parents=True, exist_ok=True)
        statuses.append(run_on_node(run_dir, environment=environment, store_url=flags.store, shows_output=True))
        if statuses[-1] == REQUEUE:
            return REQUEUE
    return int(any(statuses))


if __name__ == "__main__":
    sys.exit(main())
