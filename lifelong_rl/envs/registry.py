"""Which tasks there are. Importing this imports neither torch nor mujoco: a task's module waits until it is made."""

from typing import TYPE_CHECKING

from lifelong_rl.config import ConfigError, resolve, unknown
from lifelong_rl.envs.maze2d_config import CUSTOM, MAZE2D_NAMES

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np

    from lifelong_rl.types import Task

TASKS = {  # name -> builder, which takes what `make_task` takes
    **dict.fromkeys(MAZE2D_NAMES, "lifelong_rl.envs.maze2d:build_maze2d"),
}


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
    if name not in TASKS:
        raise ConfigError(unknown("task.name", "task", name, TASKS))
    if num_envs < 1:
        raise ConfigError(f"num_envs must be at least 1, got {num_envs}.")
    build: Callable[..., Task] = resolve(TASKS[name])
    return build(
        name=name, num_envs=num_envs, generator=generator, random_goals=random_goals, layout=layout, horizon=horizon,
        num_threads=num_threads,
    )  # fmt: skip


def register_gymnasium() -> None:
    """Makes every maze known to gymnasium.make, say as "lifelong_rl/Maze2d-UMaze-v1"."""
    import gymnasium

    for name in MAZE2D_NAMES:
        identifier = gymnasium_id(name)
        if not name.startswith(CUSTOM) and identifier not in gymnasium.registry:
            gymnasium.register(identifier, "lifelong_rl.envs.gymnasium_view:make_view", kwargs={"name": name})


def gymnasium_id(name: str) -> str:
    """ "maze2d-umaze-v1" to "lifelong_rl/Maze2d-UMaze-v1"."""
    words = [{"umaze": "UMaze"}.get(word, word.capitalize()) for word in name.removesuffix("-v1").split("-")]
    return f"lifelong_rl/{'-'.join(words)}-v1"
