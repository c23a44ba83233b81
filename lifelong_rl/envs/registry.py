"""Which tasks there are: those of a table, and every id of gymnasium.

Importing this imports neither torch, mujoco nor gymnasium: a task's module waits until it is made.
"""

import importlib
import warnings
from typing import TYPE_CHECKING

from lifelong_rl.config import ConfigError, did_you_mean, resolve
from lifelong_rl.envs.grid_config import GRID_NAMES
from lifelong_rl.envs.maze2d_config import MAZE2D_NAMES
from lifelong_rl.envs.robotics import INSTALL, is_robotics, register_robotics, todays_name

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np

    from lifelong_rl.types import Task

TASKS = {  # name -> builder, which takes what `make_task` takes
    **dict.fromkeys(MAZE2D_NAMES, "lifelong_rl.envs.maze2d:build_maze2d"),
    "fetch-reach-image-v1": "lifelong_rl.envs.fetch_images:build_fetch_image",
    "fetch-push-image-v1": "lifelong_rl.envs.fetch_images:build_fetch_image",
    **dict.fromkeys(GRID_NAMES, "lifelong_rl.envs.grid:build_grid"),
    "plane-v1": "lifelong_rl.envs.plane:build_plane",
}
GYMNASIUM = "lifelong_rl.envs.gymnasium_task:build_gymnasium"  # any other name


def make_task(
    name: str,
    *,
    num_envs: int,
    generator: "np.random.Generator",
    random_goals: bool = False,
    layout: str | None = None,
    horizon: int | None = None,
    num_threads: int = 1,
) -> "Task":
    """N environments of the task `name`; all their randomness comes from `generator`."""
    check_task_name(name)
    if num_envs < 1:
        raise ConfigError(f"num_envs must be at least 1, got {num_envs}.")
    build: Callable[..., Task] = resolve(builder_of(name))
    return build(
        name=said_todays_name(name), num_envs=num_envs, generator=generator, random_goals=random_goals, layout=layout,
        horizon=horizon, num_threads=num_threads,
    )  # fmt: skip


def builder_of(name: str) -> str:
    """ "module:function" of a checked name; takes what `make_task` takes."""
    return TASKS.get(name, GYMNASIUM)


def said_todays_name(name: str) -> str:
    """The name that the task has today; says so, once, where `name` is an older one."""
    today = todays_name(name)
    if today != name:
        line = f"{name} is called {today} today: the same task on a newer simulator, with other start states"
        warnings.warn(f"{line}.", stacklevel=2)
    return today


def is_known_task(name: str) -> bool:
    """Whether `make_task` would find it; may import gymnasium, and the package that the name begins with."""
    try:
        check_task_name(name)
    except ConfigError:
        return False
    return True


def check_task_name(name: str, path: str = "task.name") -> None:
    """A ConfigError, which begins with `path`, unless it is a line of the table or an id of gymnasium.

    "my_package:MyEnv-v0" imports my_package first, which should register the id.
    """
    if name in TASKS and not is_robotics(name):
        return
    import gymnasium

    module, _, identifier = todays_name(name).rpartition(":")
    if module:
        _import(module, name, path)
    if identifier in gymnasium.registry:
        return
    has_robotics = register_robotics()
    if identifier in gymnasium.registry or (name in TASKS and has_robotics):
        return
    if is_robotics(identifier) and not has_robotics:
        raise ConfigError(f"{path}: {name!r} belongs to gymnasium-robotics, which is not installed: {INSTALL}")
    known = did_you_mean(identifier, [*TASKS, *gymnasium.registry])
    raise ConfigError(f"{path}: unknown task {name!r}.{known} Valid: {', '.join(TASKS)}, and the ids of gymnasium.")


def register_gymnasium() -> None:
    """Makes every maze and toy task known to gymnasium.make, say as "lifelong_rl/Maze2d-UMaze-v1"."""
    import gymnasium

    for name in (*MAZE2D_NAMES, *GRID_NAMES, "plane-v1"):
        identifier = gymnasium_id(name)
        if "-custom" not in name and identifier not in gymnasium.registry:
            gymnasium.register(identifier, "lifelong_rl.envs.gymnasium_view:make_view", kwargs={"name": name})


def gymnasium_id(name: str) -> str:
    """ "maze2d-umaze-v1" to "lifelong_rl/Maze2d-UMaze-v1"."""
    words = [{"umaze": "UMaze"}.get(word, word.capitalize()) for word in name.removesuffix("-v1").split("-")]
    return f"lifelong_rl/{'-'.join(words)}-v1"


def _import(module: str, name: str, path: str) -> None:
    try:
        importlib.import_module(module)
    except Exception as error:  # whatever a package raises
        cause = f"{type(error).__name__}: {' '.join(str(error).split())}"
        raise ConfigError(f"{path}: {name!r}: importing {module} failed ({cause}).") from error
