"""The ids of gymnasium-robotics: the 12 environments of the MRN study (Liu et al. 2023) under today's names."""

import contextlib
import importlib
import importlib.util
import io
import re

INSTALL = "pip install 'lifelong_rl[robotics]'"

# The study ran on gym 0.15 and mujoco_py. The same tasks on today's simulator have other start states and contacts, so
# old curves compare only roughly; Fetch -v2 and -v3 (gymnasium-robotics before 1.4) began in a broken state.
STUDY = {
    "FetchReach-v1": "FetchReach-v4",
    "FetchPush-v1": "FetchPush-v4",
    "FetchSlide-v1": "FetchSlide-v4",
    "FetchPickAndPlace-v1": "FetchPickAndPlace-v4",
    "HandManipulateBlockRotateZ-v0": "HandManipulateBlockRotateZ-v1",
    "HandManipulateBlockRotateParallel-v0": "HandManipulateBlockRotateParallel-v1",
    "HandManipulateBlockRotateXYZ-v0": "HandManipulateBlockRotateXYZ-v1",
    "HandManipulateBlockFull-v0": "HandManipulateBlockFull-v1",
    "HandManipulateEggRotate-v0": "HandManipulateEggRotate-v1",
    "HandManipulateEggFull-v0": "HandManipulateEggFull-v1",
    "HandManipulatePenRotate-v0": "HandManipulatePenRotate-v1",
    "HandManipulatePenFull-v0": "HandManipulatePenFull-v1",
}
OLD_NAMES = STUDY | {
    "HandReach-v0": "HandReach-v3",
    **{
        f"Fetch{task}-v{version}": f"Fetch{task}-v4"
        for task in ("Reach", "Push", "Slide", "PickAndPlace")
        for version in (2, 3)
    },
}
_FAMILIES = re.compile(r"([Ff]etch|HandReach|HandManipulate|PointMaze|AntMaze|AdroitHand|FrankaKitchen)")


def todays_name(name: str) -> str:
    """ "FetchReach-v1" to "FetchReach-v4"; other names stay."""
    return OLD_NAMES.get(name, name)


def is_robotics(name: str) -> bool:
    """Whether the id looks like one of gymnasium-robotics."""
    return _FAMILIES.match(name) is not None


def register_robotics() -> bool:
    """Makes gymnasium know the ids; False where gymnasium-robotics is not installed."""
    if importlib.util.find_spec("gymnasium_robotics") is None:
        return False
    with contextlib.redirect_stderr(io.StringIO()):  # a notice about Adroit, in every process
        importlib.import_module("gymnasium_robotics")  # registers them by itself
    return True
