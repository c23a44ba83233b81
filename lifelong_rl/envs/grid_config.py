"""The grid worlds as plain values: four rooms (Sutton et al. 1999) and a U; imports neither torch nor mujoco."""

from dataclasses import dataclass, field

from lifelong_rl.config import ConfigError, unknown
from lifelong_rl.envs.maze2d_config import MAZES

CUSTOM = "grid-custom-v1"
FOUR_ROOMS = [
    "#############",
    "#OOOOO#OOOOO#",
    "#OOOOO#OOOOO#",
    "#OOOOOOOOOOO#",
    "#OOOOO#OOOOO#",
    "#OOOOO#OOOOO#",
    "##O####OOOOO#",
    "#OOOOO###O###",
    "#OOOOO#OOOOO#",
    "#OOOOO#OOOOO#",
    "#OOOOOOOOOOO#",
    "#OOOOO#OOOOG#",
    "#############",
]


@dataclass(frozen=True, kw_only=True)
class Grid:
    """Rows joined by a backslash; # wall, O free, G goal."""

    layout: str
    horizon: int  # steps, about twice the longest of the shortest ways


GRIDS = {
    "grid-rooms-v1": Grid(layout="\\".join(FOUR_ROOMS), horizon=50),
    "grid-umaze-v1": Grid(layout=MAZES["umaze"].layout, horizon=15),
}
GRID_NAMES = (*GRIDS, CUSTOM)


@dataclass(frozen=True, kw_only=True)
class GridConfig:
    """A grid world. The name says the layout; the rest is None where the name's own value stands."""

    name: str = "grid-rooms-v1"
    layout: str | None = None  # a grid of one's own, for grid-custom-v1 only
    horizon: int | None = None  # steps; a layout of one's own gets as many as it has free cells: no way is longer
    random_goals: bool = False  # a fresh goal every episode; else the cell G
    grid: Grid = field(init=False)

    def __post_init__(self) -> None:
        if self.name not in GRID_NAMES:
            raise ConfigError(unknown("task.name", "grid", self.name, GRID_NAMES))
        if (self.layout is not None) != (self.name == CUSTOM):
            raise ConfigError(f"task.layout belongs to {CUSTOM!r} alone, got {self.layout!r} for {self.name!r}.")
        if self.horizon is not None and self.horizon < 1:
            raise ConfigError(f"task.horizon must be at least 1 step, got {self.horizon}.")
        object.__setattr__(self, "grid", GRIDS.get(self.name) or self._own_grid())

    def _own_grid(self) -> Grid:
        layout = self.layout or ""
        return Grid(layout=layout, horizon=max(1, sum(layout.count(tile) for tile in "O0G ")))
