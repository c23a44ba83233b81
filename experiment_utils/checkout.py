"""Where this code lies, and how processes that are started find it: a checkout works without being installed."""

import os
from pathlib import Path

ROOT = Path(__file__).parents[1]


def python_path() -> str:
    """PYTHONPATH of a child: this checkout before what stands there now."""
    return os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
