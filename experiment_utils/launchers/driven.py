"""What engines that need a driver have in common: who lives, and how it is stopped."""

import os
import signal
import socket
from typing import ClassVar

from experiment_utils.submissions import Submission
from lifelong_rl.config import ConfigError


class Driven:
    """Its driver's lock says whether it lives; SIGTERM stops it, after snapshots."""

    is_driven: ClassVar[bool] = True

    def is_alive(self, submission: Submission) -> bool:
        return submission.is_driven_now()

    def cancel(self, submission: Submission) -> None:
        if not submission.is_driven_now() or submission.pid is None:
            return
        if submission.host != socket.gethostname():
            raise ConfigError(f"{submission.path.stem} is driven on {submission.host}: stop it there.")
        os.kill(submission.pid, signal.SIGTERM)

    def mark_lost(self, submission: Submission) -> None:
        """Nothing to ask: whoever runs a job here sees how it ended."""
