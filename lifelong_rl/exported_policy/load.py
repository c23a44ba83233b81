"""An exported policy in any loop of gymnasium: `policy = load_policy(folder)`, then `env.step(policy(observation))`."""

from pathlib import Path
from typing import Any

import numpy as np
import safetensors
import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from lifelong_rl.config import ConfigError
from lifelong_rl.exported_policy.description import WEIGHTS, Description, check_file, read_description
from lifelong_rl.exported_policy.limits import short_line
from lifelong_rl.exported_policy.spaces import rows_of, taken
from lifelong_rl.types import TaskSpec

TYPES = {torch.float32: "F32", torch.float64: "F64", torch.int64: "I64"}


class ExportedPolicy:
    """Acts greedily, on the CPU, in one environment or in N at once.

    Takes what the environment shows, alone or as a batch with N in front; gives what it takes. Most policies remember
    nothing; for those that plan, call `reset` where an episode begins.
    """

    def __init__(self, description: Description, networks: nn.ModuleDict, seed: int) -> None:
        self.description, self._networks = description, networks
        self.spec: TaskSpec = description.task.spec()
        self._shown, self._actions = description.spaces.shown("observation"), description.spaces.actions("action")
        self.observation_space, self.action_space = description.spaces.observation_space(), self._actions.space
        generator = torch.Generator().manual_seed(seed)
        self._policy = description.policy.policy(networks, self.spec, generator)

    def __call__(self, observation: Any) -> Any:
        """Of one observation an action, a numpy array or number; of a batch [N, ...] actions [N, ...]."""
        seen, goal, is_one = self.rows(observation)
        action = taken(self._actions, self.act(torch.from_numpy(seen), torch.from_numpy(goal)), self.spec)
        return action[0] if is_one else action

    def reset(self, ended: Any = True) -> None:
        """Forgets what it remembers: all of it, or that of the environments where `ended` [N] is true."""
        self._policy.reset(torch.as_tensor(np.atleast_1d(np.asarray(ended, bool))))

    def act(self, observation: Tensor, goal: Tensor) -> Tensor:
        """The same in training's terms: rows [N, O] and [N, G] to actions [N, A], or choices [N] from 0."""
        return self._policy(observation, goal)

    def rows(self, observation: Any) -> tuple[np.ndarray, np.ndarray, bool]:
        """What the networks see of one observation or a batch: [N, O], [N, G]; and whether it was one."""
        shown = self._shown
        if shown.goal is None:
            seen, is_one = rows_of(shown.observation, observation, "observation")
            return seen, np.empty((len(seen), 0), np.float32), is_one
        keys = ("observation", "desired_goal")
        if not isinstance(observation, dict) or not set(keys) <= set(observation):
            had = f"a dict of {', '.join(map(str, observation))}" if isinstance(observation, dict) else "no dict"
            raise ConfigError(f"observation: expected a dict with {' and '.join(keys)}, got {had}.")
        seen, is_one = rows_of(shown.observation, observation["observation"], "observation['observation']")
        goal, _ = rows_of(shown.goal, observation["desired_goal"], "observation['desired_goal']")
        if len(seen) != len(goal):
            raise ConfigError(f"observation: {len(seen)} observations come with {len(goal)} desired goals.")
        return seen, goal, is_one


def load_policy(folder: str | Path, *, seed: int = 0) -> ExportedPolicy:
    """The policy that `scripts/export_policy.py` wrote; a ConfigError of one line where something is wrong with it.

    `seed` is for the few that draw random candidates.
    """
    try:
        return _load(Path(folder), seed)
    except ConfigError as error:
        raise ConfigError(short_line(error)) from error


def _load(folder: Path, seed: int) -> ExportedPolicy:
    description = read_description(folder)
    check_file(folder, WEIGHTS, description)
    networks = _networks(description, folder)
    try:
        policy = ExportedPolicy(description, networks, seed)
    except ValueError as error:  # a ConfigError among them
        raise ConfigError(f"{folder}: spaces: {error}") from error
    _check_spaces(policy, folder)
    return policy


def _networks(description: Description, folder: Path) -> nn.ModuleDict:
    """Nothing is allocated before names, shapes and types in the file are those that the description asks for."""
    path = folder / WEIGHTS
    try:
        with torch.device("meta"):
            networks: nn.ModuleDict = description.policy.networks(description.task.spec())
    except (ValueError, RuntimeError, TypeError) as error:  # torch's own checks of sizes among them
        raise ConfigError(f"{folder}: no such networks can be built: {error}") from error
    wanted = {name: (list(x.shape), TYPES.get(x.dtype)) for name, x in networks.state_dict().items()}
    try:
        with safetensors.safe_open(path, "pt") as file:
            slices = {name: file.get_slice(name) for name in file.keys()}  # noqa: SIM118
            found = {name: (list(part.get_shape()), part.get_dtype()) for name, part in slices.items()}
        _check_tensors(wanted, found, path)
        tensors = load_file(path)
    except (safetensors.SafetensorError, OSError) as error:
        raise ConfigError(f"{path}: cannot be read: {error}") from error
    for name, tensor in tensors.items():
        if not bool(torch.isfinite(tensor).all()):
            raise ConfigError(f"{path}: {name}: holds numbers that are not finite.")
    networks.load_state_dict(tensors, assign=True)
    return networks.requires_grad_(False).eval()


def _check_tensors(wanted: dict[str, Any], found: dict[str, Any], path: Path) -> None:
    for name in [*wanted, *found]:
        ours, theirs = wanted.get(name), found.get(name)
        if ours != theirs:
            said, held = ("no such tensor" if one is None else f"{one[0]} {one[1]}" for one in (ours, theirs))
            raise ConfigError(f"{path}: {name}: config.json asks for {said}, the file has {held}.")


def _check_spaces(policy: ExportedPolicy, folder: Path) -> None:
    """The spaces must be what the networks see."""
    spec, shown, actions = policy.spec, policy._shown, policy._actions
    goal = (0,) if shown.goal is None else shown.goal.shape
    pairs = {
        "observation": (shown.observation.shape, spec.observation_shape), "goal": (goal, spec.goal_shape),
        "action": ((actions.size, actions.discrete), (spec.action_size, spec.discrete)),
    }  # fmt: skip
    for name, (ours, theirs) in pairs.items():
        if ours != theirs:
            raise ConfigError(f"{folder}: spaces.{name} is {ours}, but task says {theirs}.")
