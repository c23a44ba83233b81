"""The environment of gymnasium that an exported policy acts in: its spaces, and how to make it."""

import json
from typing import Any

import gymnasium
import numpy as np
from gymnasium.spaces import Box, Dict, Discrete

from experiment_configs.loading import LoadedAgent
from experiment_configs.policy_evaluation import kinds_of_goals
from lifelong_rl.envs.gymnasium_episode import make_environment
from lifelong_rl.envs.gymnasium_spaces import GOAL_KEYS
from lifelong_rl.envs.gymnasium_view import make_view
from lifelong_rl.envs.maze2d import Maze2dTask
from lifelong_rl.envs.points import PointTask
from lifelong_rl.envs.registry import TASKS, gymnasium_id, register_gymnasium
from lifelong_rl.envs.robotics import is_robotics, todays_name
from lifelong_rl.exported_policy.spaces import Spaces
from lifelong_rl.types import TaskSpec

OURS = "lifelong_rl.envs.gymnasium_ids"  # importing it registers our ids
VIEW = "lifelong_rl.envs.gymnasium_view:make_view"


def environment_of(loaded: LoadedAgent) -> tuple[Spaces, dict[str, Any]]:
    """Spaces; and `id`, or where there is none `entry_point` (None as well: no view), with `options` for it."""
    chosen, task = loaded.config.task, loaded.task
    if chosen.name not in TASKS:
        name = todays_name(chosen.name)
        env = make_environment(name, chosen.horizon)
        spaces = Spaces.of(env.observation_space, env.action_space)
        env.close()
        module = "gymnasium_robotics:" if is_robotics(name) else ""
        limit = {} if chosen.horizon is None else {"max_episode_steps": chosen.horizon}
        return spaces, {"id": module + name, "entry_point": None, "options": limit}
    if not isinstance(task, Maze2dTask | PointTask):
        return _spaces_of(task.spec), {"id": None, "entry_point": None, "options": {}}
    given = {"layout": chosen.layout, "horizon": chosen.horizon}
    options: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    options["random_goals"] = "multi" in kinds_of_goals(loaded.config)
    view = make_view(chosen.name, **options)
    register_gymnasium()
    spaces = Spaces.of(view.observation_space, view.action_space)
    if gymnasium_id(chosen.name) in gymnasium.registry:
        return spaces, {"id": f"{OURS}:{gymnasium_id(chosen.name)}", "entry_point": None, "options": options}
    return spaces, {"id": None, "entry_point": VIEW, "options": {"name": chosen.name} | options}


def making_lines(environment: dict[str, Any]) -> list[str]:
    """Python that imports what it needs, last the line that makes `env`."""
    options = "".join(f", {name}={_python(value)}" for name, value in environment["options"].items())
    if environment["id"] is not None:
        return ["import gymnasium", f"env = gymnasium.make({_python(environment['id'])}{options})"]
    if environment["entry_point"] is not None:
        module, _, name = environment["entry_point"].partition(":")
        return [f"from {module} import {name}", f"env = {name}({options.removeprefix(', ')})"]
    return []


def _python(value: Any) -> str:
    return json.dumps(value) if isinstance(value, str) else repr(value)


def _spaces_of(spec: TaskSpec) -> Spaces:
    """Of a task that gymnasium is not shown."""
    action: Any = Box(spec.action_low, spec.action_high, (spec.action_size,), np.float32)
    if spec.discrete:
        action = Discrete(spec.action_size)
    seen, goal = _box(spec.observation_shape), _box(spec.goal_shape)
    goals = dict.fromkeys(GOAL_KEYS[1:], goal)
    return Spaces.of(seen if 0 in spec.goal_shape else Dict({GOAL_KEYS[0]: seen, **goals}), action)


def _box(shape: tuple[int, ...]) -> Box:
    if len(shape) == 3:
        return Box(0, 255, shape, np.uint8)
    return Box(-np.inf, np.inf, shape, np.float32)
