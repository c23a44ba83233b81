"""One gymnasium environment whose episodes are functions of a seed and of the actions taken since.

That is what its state is made of: an episode begun with the same seed and led through the same actions is the same, bit
by bit, with whatever simulator, wrapper or generator is inside. A simulator's own state would not do: environments read
positions that were computed before the last step of the integrator, and no vector of the simulator holds these.
"""

from typing import Any

import gymnasium
import numpy as np
from numpy.typing import NDArray

from lifelong_rl.config import ConfigError
from lifelong_rl.envs.guard import one_line
from lifelong_rl.envs.robotics import register_robotics

Environment = gymnasium.Env[Any, Any]
Stepped = tuple[Any, Any, bool, bool, dict[str, Any]]


def make_environment(name: str, horizon: int | None, render_mode: str | None = None) -> Environment:
    """gymnasium.make, without its checks at each step and with complaints of one line."""
    if horizon is not None and horizon < 1:
        raise ConfigError(f"task.horizon must be at least 1 step, got {horizon}.")
    if name not in gymnasium.registry and ":" not in name:
        register_robotics()
    drawn = {} if render_mode is None else {"render_mode": render_mode}
    try:
        env = gymnasium.make(name, max_episode_steps=horizon, disable_env_checker=True, **drawn)
    except Exception as error:  # whatever an environment raises while it is made
        raise ConfigError(f"task.name: {name!r} cannot be made: {one_line(error)}") from error
    if env.spec is None or env.spec.max_episode_steps is None:
        raise ConfigError(f"task.horizon: {name!r} has no time limit of its own; give one, say 1000.")
    return env


class Episode:
    """One environment and the episode that it is in; `seed` and `actions` are its state."""

    def __init__(self, env: Environment) -> None:
        self.env = env
        self.seed = 0
        self.actions: list[NDArray[Any]] = []  # as an agent gave them
        self._simulator = Simulator.of(env)

    def begin(self, seed: int) -> Any:
        self.seed, self.actions = seed, []
        if self._simulator is not None:
            self._simulator.rewind()  # some resets leave forces, or the solver's warm start, as the last episode did
        observation, _ = self.env.reset(seed=seed)
        return observation

    def step(self, action: NDArray[Any], taken: Any) -> Stepped:
        self.actions.append(action)
        return self.env.step(taken)

    def simulator_state(self) -> NDArray[np.float64]:
        """Of MuJoCo: qpos, qvel, mocap_pos, mocap_quat. Of others: nothing."""
        return np.zeros(0) if self._simulator is None else self._simulator.state()


class Simulator:
    """The MuJoCo model and data of an environment, and their state as they were made."""

    def __init__(self, model: Any, data: Any) -> None:
        from lifelong_rl.envs.mujoco_import import mujoco

        self._mujoco, self._model, self._data = mujoco, model, data
        self._made = np.zeros(mujoco.mj_stateSize(model, mujoco.mjtState.mjSTATE_INTEGRATION))
        mujoco.mj_getState(model, data, self._made, mujoco.mjtState.mjSTATE_INTEGRATION)

    @classmethod
    def of(cls, env: Environment) -> "Simulator | None":
        model, data = (getattr(env.unwrapped, name, None) for name in ("model", "data"))
        return cls(model, data) if type(model).__name__ == "MjModel" and type(data).__name__ == "MjData" else None

    def rewind(self) -> None:
        self._mujoco.mj_setState(self._model, self._data, self._made, self._mujoco.mjtState.mjSTATE_INTEGRATION)

    def state(self) -> NDArray[np.float64]:
        return np.concatenate([part.ravel() for part in self._parts()])

    def put(self, state: NDArray[np.float64]) -> NDArray[np.float64]:
        """Puts the simulator where a row that begins with a `state` says; returns the rest of the row."""
        for part in self._parts():
            part[...] = state[: part.size].reshape(part.shape)
            state = state[part.size :]
        self._mujoco.mj_forward(self._model, self._data)
        return state

    def _parts(self) -> tuple[NDArray[np.float64], ...]:
        """Views of what a state is made of."""
        return self._data.qpos, self._data.qvel, self._data.mocap_pos, self._data.mocap_quat
