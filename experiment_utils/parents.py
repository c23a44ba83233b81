"""A job that an engine started ends with the engine's process, even if that is killed: it takes its snapshot first."""

import ctypes
import os
import signal
import sys

VARIABLE = "STOP_WITH_PARENT"  # set by the parent, to its own process number
PR_SET_PDEATHSIG = 1  # of linux/prctl.h


def stop_with_parent() -> None:
    """SIGTERM for this process as soon as its parent is gone, where the parent asked for that; on Linux only."""
    parent = os.environ.pop(VARIABLE, "")
    if not parent.isdecimal() or sys.platform != "linux":
        return
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != int(parent):
        os.kill(os.getpid(), signal.SIGTERM)  # it went before we asked
