"""The mazes of D4RL's maze2d (Fu et al. 2020, arXiv:2004.07219) as plain values; imports neither torch nor mujoco."""

from dataclasses import dataclass, field

from lifelong_rl.config import ConfigError, unknown

CUSTOM = "maze2d-custom"
Range = tuple[float, float]


@dataclass(frozen=True, kw_only=True)
class Maze:
    """A layout in D4RL's notation: rows joined by a backslash; # wall, O free, G goal."""

    layout: str
    horizon: int  # steps
    sparse_scores: Range  # returns that count as 0 and as 100; facts of D4RL's registration of the task
    dense_scores: Range


MAZES = {
    "umaze": Maze(
        layout=r"#####\#GOO#\###O#\#OOO#\#####",
        horizon=300,
        sparse_scores=(23.85, 161.86),
        dense_scores=(68.537689, 193.66285642381482),
    ),
    "medium": Maze(
        layout=r"########\#OO##OO#\#OO#OOO#\##OOO###\#OO#OOO#\#O#OO#O#\#OOO#OG#\########",
        horizon=600,
        sparse_scores=(13.13, 277.39),
        dense_scores=(44.264742, 297.4552547777125),
    ),
    "large": Maze(
        layout=r"############\#OOOO#OOOOO#\#O##O#O#O#O#\#OOOOOO#OOO#\#O####O###O#\#OO#O#OOOOO#\##O#O#O#O###\#OO#OOO#OGO#\############",
        horizon=800,
        sparse_scores=(6.70, 273.99),
        dense_scores=(30.569041, 303.4857382709002),
    ),
    "open": Maze(  # D4RL has it as v0 only: horizon and scores are those
        layout=r"#######\#OOOOO#\#OOGOO#\#OOOOO#\#######",
        horizon=150,
        sparse_scores=(0.01, 20.66),
        dense_scores=(11.17817, 27.166538620695782),
    ),
    "eval-umaze": Maze(
        layout=r"#####\#OOG#\#O###\#OOO#\#####",
        horizon=300,
        sparse_scores=(36.63, 141.4),
        dense_scores=(56.95455, 178.21373133248397),
    ),
    "eval-medium": Maze(
        layout=r"########\#OOOOOG#\#O#O##O#\#OOOO#O#\###OO###\#OOOOOO#\#OO##OO#\########",
        horizon=600,
        sparse_scores=(13.07, 204.93),
        dense_scores=(42.28578, 235.5658957482388),
    ),
    "eval-large": Maze(
        layout=r"############\#OO#OOO#OGO#\##O###O#O#O#\#OO#O#OOOOO#\#O##O#OO##O#\#OOOOOO#OOO#\#O##O#O#O###\#OOOO#OOOOO#\############",
        horizon=800,
        sparse_scores=(16.4, 302.22),
        dense_scores=(56.95455, 326.09647655082637),  # the 0 is the one published, equal to eval-umaze's
    ),
}

MAZE2D_NAMES = (
    *(f"maze2d-{maze}{reward}-v1" for maze in MAZES for reward in ("", "-dense")),
    CUSTOM,
    f"{CUSTOM}-dense",
)


@dataclass(frozen=True, kw_only=True)
class Maze2dConfig:
    """A maze2d task. The name says the maze and the reward; the rest is None where the name's own value stands."""

    name: str = "maze2d-umaze-v1"
    layout: str | None = None  # a maze of one's own, for maze2d-custom only
    horizon: int | None = None  # steps; a layout of one's own gets 200 + 15 a free cell, about what D4RL's mazes have
    random_goals: bool = False  # a fresh target every episode ("multi-goal"); else the cell G
    dense: bool = field(init=False)
    maze: Maze = field(init=False)

    def __post_init__(self) -> None:
        if self.name not in MAZE2D_NAMES:
            raise ConfigError(unknown("task.name", "maze", self.name, MAZE2D_NAMES))
        if (self.layout is not None) != self.name.startswith(CUSTOM):
            raise ConfigError(f"task.layout belongs to {CUSTOM!r} alone, got {self.layout!r} for {self.name!r}.")
        if self.horizon is not None and self.horizon < 1:
            raise ConfigError(f"task.horizon must be at least 1 step, got {self.horizon}.")
        object.__setattr__(self, "dense", "-dense" in self.name)
        object.__setattr__(self, "maze", MAZES.get(self._maze_name()) or self._own_maze())

    @property
    def score_range(self) -> Range | None:
        """The returns that count as 0 and 100; None where nobody has published them."""
        if self.layout is not None or self.horizon not in (None, self.maze.horizon):
            return None
        return self.maze.dense_scores if self.dense else self.maze.sparse_scores

    def _maze_name(self) -> str:
        return self.name.removeprefix("maze2d-").removesuffix("-v1").removesuffix("-dense")

    def _own_maze(self) -> Maze:
        layout = self.layout or ""
        horizon = 200 + 15 * sum(layout.count(tile) for tile in "O0G ")
        return Maze(layout=layout, horizon=horizon, sparse_scores=(0.0, 1.0), dense_scores=(0.0, 1.0))
