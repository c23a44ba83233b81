"""Pictures of gymnasium's environments as they draw themselves: episodes played again, states of MuJoCo put back."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from lifelong_rl.config import ConfigError
from lifelong_rl.envs.film import Image, fitted, tile_size
from lifelong_rl.envs.guard import one_line
from lifelong_rl.envs.gymnasium_camera import Camera
from lifelong_rl.envs.gymnasium_episode import Episode, Simulator, make_environment
from lifelong_rl.envs.gymnasium_spaces import Actions
from lifelong_rl.envs.mujoco_import import no_renderer

RENDER_MODE = "rgb_array"


@dataclass(frozen=True, kw_only=True)
class Played:
    """What an episode is a function of."""

    seed: int
    actions: NDArray[Any]  # [L, ...], as the agent gave them


def pictures_of_played(name: str, horizon: int, episodes: Sequence[Played]) -> Iterator[list[Image]]:
    """One picture of each episode before its first step and after each; where it is over, its last one stays."""
    with Studio(name, horizon, len(episodes)) as studio:
        for env, episode in zip(studio.episodes, episodes, strict=True):
            env.begin(episode.seed)
        pictures = [studio.picture(index) for index in range(len(episodes))]
        yield list(pictures)
        for time in range(max(len(episode.actions) for episode in episodes)):
            for index, episode in enumerate(episodes):
                if time < len(episode.actions):
                    given = episode.actions[time]
                    studio.episodes[index].step(given, studio.actions.taken(given[None])[0])
                    pictures[index] = studio.picture(index)
            yield list(pictures)


def pictures_of_states(name: str, horizon: int, states: NDArray[np.float64]) -> Iterator[list[Image]]:
    """One picture of each of T times K rows [T, K, S] of `GymnasiumTask.sim_state()`; of MuJoCo alone.

    What an environment keeps outside of these rows (a door that stands elsewhere in each episode) is not put back.
    """
    with Studio(name, horizon, 1, num_tiles=states.shape[1]) as studio:
        studio.episodes[0].begin(0)
        for row in states:
            pictures = []
            for state in row:
                studio.put(state)
                pictures.append(studio.picture(0))
            yield pictures


class Studio:
    """K environments of one id that draw themselves; a context manager, for what draws them must be given back."""

    def __init__(self, name: str, horizon: int, count: int, num_tiles: int | None = None) -> None:
        self.name, self._num_tiles = name, num_tiles or count
        modes = make_environment(name, horizon).metadata.get("render_modes") or []
        if RENDER_MODE not in modes:
            offered = f"its render modes are {', '.join(map(str, modes))}" if modes else "it has no render mode"
            raise ConfigError(f"{name}: cannot draw itself: {offered}; films are made of {RENDER_MODE!r}.")
        self._environments = [make_environment(name, horizon, RENDER_MODE) for _ in range(count)]
        self.episodes = [Episode(env) for env in self._environments]
        self.actions = Actions.of(self._environments[0].action_space, name)
        self._simulator = Simulator.of(self._environments[0])
        self._camera = Camera.of(self._environments, tile_size(self._num_tiles))  # None: each draws by itself

    def put(self, state: NDArray[np.float64]) -> None:
        """Into the first environment: a row of `GymnasiumTask.sim_state()`."""
        if self._simulator is None:
            line = "is not simulated by MuJoCo, so its stored states cannot be drawn"
            raise ConfigError(f"{self.name} {line}. Use --policy, which plays episodes anew.")
        inner: Any = self._environments[0].unwrapped
        goal = self._simulator.put(state)
        if len(goal):
            inner.goal = goal
        if hasattr(inner, "update_target_site_pos"):  # of the mazes of gymnasium-robotics, at resets alone
            inner.update_target_site_pos()

    def picture(self, index: int) -> Image:
        """As large as a tile may be."""
        try:
            if self._camera is not None:
                self._camera.look_at(index)
            picture: Any = self._environments[index].render()
        except Exception as error:  # AttributeError, ImportError, FatalError, pygame's: each backend has its own
            if self._simulator is not None:
                raise no_renderer(error) from error
            raise ConfigError(f"{self.name}: cannot draw itself: {one_line(error)}") from error
        if not isinstance(picture, np.ndarray) or picture.dtype != np.uint8 or picture.shape[2:] != (3,):
            got = f"{list(picture.shape)} {picture.dtype}" if isinstance(picture, np.ndarray) else repr(picture)[:40]
            raise ConfigError(f"{self.name}: cannot draw itself: expected [H, W, 3] uint8, got {got}.")
        return fitted(picture, self._num_tiles)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        if self._camera is not None:
            self._camera.close()
            return
        for env in self._environments:
            env.close()
