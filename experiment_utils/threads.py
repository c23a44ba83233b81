"""Thread settings that must stand in the environment before torch and numpy are imported."""

import os
import sys

VARIABLES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")


def thread_variables(num_threads: int) -> dict[str, str]:
    """For the environment of a process that is to compute with so many threads."""
    return {"OMP_WAIT_POLICY": "PASSIVE", **dict.fromkeys(VARIABLES, str(num_threads))}


def set_threads(num_threads: int) -> str:
    """Sets them, for this process and its children; returns a line for the log.

    OpenMP threads that wait actively can make two torch threads on a busy 2-core machine 100 times slower than one.
    """
    os.environ.update(thread_variables(num_threads))
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(num_threads)
    return f"threads: {num_threads}, OMP_WAIT_POLICY=PASSIVE"
