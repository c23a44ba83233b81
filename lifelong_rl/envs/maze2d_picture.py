"""The maze from above, drawn with numpy alone: no GL, no window, about a millisecond a picture.

Drawn as the layout is written: x downwards, y to the right, at the true places of walls, particle and goal.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lifelong_rl.envs.maze2d import SUCCESS_RADIUS
from lifelong_rl.envs.maze2d_grid import NEIGHBOURS, Floats, MazeGrid
from lifelong_rl.envs.maze2d_physics import BODY_OFFSET, PARTICLE_RADIUS

Image = NDArray[np.uint8]
Canvas = NDArray[np.float32]  # [H, W, 3] in 0..255
Colour = tuple[int, int, int]
_WALL_START = 0.5 - BODY_OFFSET  # where, in positions of the particle, the wall of cell 0 begins


@dataclass(frozen=True, kw_only=True)
class Palette:
    """Red, green, blue in 0..255."""

    floor: Colour = (246, 246, 243)
    wall: Colour = (62, 72, 88)
    particle: Colour = (214, 84, 36)
    goal: Colour = (46, 155, 88)
    trail: Colour = (58, 110, 190)


class MazePicture:
    """Draws one maze; `size` is about the longest side in pixels. Both sides are even, as video codecs want."""

    def __init__(self, grid: MazeGrid, *, size: int = 480, palette: Palette | None = None) -> None:
        self.palette = palette or Palette()
        self._scale = 2 * max(1, round(size / max(grid.shape) / 2))  # pixels a metre
        self._walls = np.repeat(np.repeat(grid.walls, self._scale, axis=0), self._scale, axis=1)
        self._empty = self._with_walls(np.full((*self._walls.shape, 3), self.palette.floor, np.float32))

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width in pixels."""
        return self._walls.shape[0], self._walls.shape[1]

    def pixel_positions(self) -> Floats:
        """[H, W, 2]: the position (x, y) that each pixel shows; evaluate a value there and draw it as `background`."""
        axes = [_WALL_START + (np.arange(count) + 0.5) / self._scale for count in self.shape]
        return np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1)

    def draw(
        self,
        *,
        position: Floats | None = None,
        goal: Floats | None = None,
        trail: Floats | None = None,
        background: NDArray[np.generic] | None = None,
    ) -> Image:
        """[H, W, 3] uint8. position, goal [2]; trail [T, 2] in order of time; background [H, W, 3] in 0..255."""
        canvas = self._empty.copy() if background is None else self._with_walls(background.astype(np.float32))
        if goal is not None:
            self._disc(canvas, goal, SUCCESS_RADIUS, self.palette.goal, strength=0.25)
            self._disc(canvas, goal, SUCCESS_RADIUS, self.palette.goal, strength=0.9, hole=SUCCESS_RADIUS - 0.03)
            self._disc(canvas, goal, 0.06, self.palette.goal)
        if trail is not None:
            strengths = np.linspace(0.35, 1.0, max(1, len(trail) - 1))
            for start, end, strength in zip(trail[:-1], trail[1:], strengths, strict=False):
                self._line(canvas, start, end, 0.025, self.palette.trail, strength=float(strength))
        if position is not None:
            self._disc(canvas, position, PARTICLE_RADIUS, self.palette.particle)
        return np.round(canvas).astype(np.uint8)

    def _with_walls(self, background: Canvas) -> Canvas:
        wall = np.array(self.palette.wall, np.float32)
        return np.where(self._walls[..., None], wall, background).astype(np.float32)

    def _disc(
        self,
        canvas: Canvas,
        centre: Floats,
        radius: float,
        colour: Colour,
        *,
        strength: float = 1.0,
        hole: float = -1.0,
    ) -> None:
        rows, columns, positions = self._window(centre - radius, centre + radius)
        distance = np.linalg.norm(positions - centre, axis=-1)
        coverage = self._coverage(distance - radius) * self._coverage(hole - distance)
        _blend(canvas[rows, columns], coverage * strength, colour)

    def _line(
        self, canvas: Canvas, start: Floats, end: Floats, radius: float, colour: Colour, *, strength: float
    ) -> None:
        rows, columns, positions = self._window(np.minimum(start, end) - radius, np.maximum(start, end) + radius)
        along = end - start
        share = np.clip((positions - start) @ along / max(float(along @ along), 1e-12), 0.0, 1.0)
        distance = np.linalg.norm(positions - start - share[..., None] * along, axis=-1)
        _blend(canvas[rows, columns], self._coverage(distance - radius) * strength, colour)

    def _window(self, low: Floats, high: Floats) -> tuple[slice, slice, Floats]:
        """The pixels around a box of positions, and the positions [h, w, 2] that they show."""
        first = np.floor((low - _WALL_START) * self._scale).astype(int) - 1
        last = np.ceil((high - _WALL_START) * self._scale).astype(int) + 1
        (top, left), (bottom, right) = np.clip(first, 0, self.shape), np.clip(last, 0, self.shape)
        axes = [_WALL_START + (np.arange(a, b) + 0.5) / self._scale for a, b in ((top, bottom), (left, right))]
        return slice(top, bottom), slice(left, right), np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1)

    def _coverage(self, signed_distance: Floats) -> Floats:
        """Which share of a pixel lies inside, its centre being `signed_distance` metres outside of the edge."""
        return np.clip(0.5 - signed_distance * self._scale, 0.0, 1.0)


def wall_segments(grid: MazeGrid) -> Floats:
    """[K, 2, 2]: the ends (x, y) of the edges between free floor and wall, for plots that draw with lines."""
    segments = []
    for cell in grid.free_cells:
        low = cell + _WALL_START
        for move in NEIGHBOURS:
            if grid.walls[tuple(cell + move)]:
                corner = low + np.maximum(move, 0)
                segments.append([corner, corner + np.abs(move[::-1])])
    return np.array(segments, dtype=np.float64)


def _blend(canvas: Canvas, share: Floats, colour: Colour) -> None:
    canvas += share[..., None].astype(np.float32) * (np.array(colour, np.float32) - canvas)
