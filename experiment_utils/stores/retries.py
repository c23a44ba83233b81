"""Trying again, after a random time that may be longer each time (exponential back-off with full jitter).

Brooker, "Exponential backoff and jitter", AWS Architecture Blog 2015: machines that were turned away together do not
come back together.
"""

import time
from collections.abc import Callable
from typing import TypeVar

import numpy as np

FIRST_SECONDS, LONGEST_SECONDS = 0.2, 20.0

Result = TypeVar("Result")


def retried(action: Callable[[], Result], may_pass: Callable[[Exception], bool], attempts: int) -> Result:
    """What `action` returns; the last error once it has failed `attempts` times, or one that will not pass."""
    jitter = np.random.default_rng()  # of the network, not of the run: it has no seed
    for attempt in range(attempts - 1):
        try:
            return action()
        except Exception as error:
            if not may_pass(error):
                raise
        time.sleep(jitter.uniform(0, min(LONGEST_SECONDS, FIRST_SECONDS * 2**attempt)))
    return action()
