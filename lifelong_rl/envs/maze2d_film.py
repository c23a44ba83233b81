"""Films of mazes and grids: simulator states to labelled pictures, of one environment or a grid of several."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from lifelong_rl.envs.grid import GridTask
from lifelong_rl.envs.maze2d import Maze2dTask, is_near
from lifelong_rl.envs.maze2d_grid import Floats, Ints
from lifelong_rl.envs.maze2d_picture import MazePicture
from lifelong_rl.types import TaskSpec

Image = NDArray[np.uint8]
Draw = Callable[[Floats, Floats], Image]  # sim_state [7], trail [L, 2] of positions up to now, to [H, W, 3]

TRAIL_STEPS = 80
TRAIL_STRIDE = 3  # steps; at most 0.15 m on each axis. On a grid 1: a step is a cell
TILE_SIZE = {1: 480, 2: 340, 3: 260}  # pixels, by columns of the grid
MAX_TILES = 9
CELL_MIDDLE = -0.2  # where, in positions of a maze's particle, the middle of cell 0 is
STRIP = 22  # pixels of text above a tile
_INK, _GOOD, _PAPER = (40, 44, 52), (24, 128, 68), (255, 255, 255)


@dataclass(frozen=True, kw_only=True)
class Footage:
    """K environments side by side over T steps: states [T, K, 7] of `Task.sim_state()`, K names of the tiles.

    `first` is the frame to begin with; what lies before it tells where episodes began and whether they have succeeded.
    `captions` [T] stand above the whole picture.
    """

    states: Floats
    names: Sequence[str]
    captions: Sequence[str]
    first: int = 0


def draw_film(footage: Footage, spec: TaskSpec, draw: Draw) -> Iterator[Image]:
    """One picture for each step from `first` on, all of one shape."""
    states = footage.states
    start, is_at_goal, has_reached = follow_episodes(states, spec)
    columns, stride = num_columns(states.shape[1]), 1 if spec.discrete else TRAIL_STRIDE
    for time in range(footage.first, len(states)):
        tiles = []
        for env, name in enumerate(footage.names):
            trail = states[_trail_times(max(start[time, env], time - TRAIL_STEPS), time, stride), env, :2]
            state = states[time, env]
            status = "at the goal" if is_at_goal[time, env] else "reached before" if has_reached[time, env] else ""
            text = f"{name}   step {state[6]:.0f}/{spec.horizon}"
            tiles.append(_labelled(draw(state, trail), text, status))
        yield _labelled(_in_grid(tiles, columns), footage.captions[time], "")


def follow_episodes(states: Floats, spec: TaskSpec) -> tuple[Ints, NDArray[np.bool_], NDArray[np.bool_]]:
    """Of states [T, K, 7]: when the episode began, whether it is at the goal, and whether it has been; [T, K] each."""
    time = np.arange(len(states))[:, None]
    steps = states[..., 6]
    goes_on = np.concatenate([np.zeros((1, states.shape[1]), np.bool_), steps[1:] == steps[:-1] + 1])
    start = np.maximum.accumulate(np.where(goes_on, 0, time), axis=0)
    achieved, goal = torch.from_numpy(states[..., :2].copy()), torch.from_numpy(states[..., 4:6].copy())
    is_at_goal: NDArray[np.bool_] = is_near(achieved, goal).numpy()
    last_success = np.maximum.accumulate(np.where(is_at_goal, time, -1), axis=0)
    return start, is_at_goal, last_success >= start


def top_down(task: Maze2dTask | GridTask, num_tiles: int) -> Draw:
    """Drawn with numpy alone."""
    picture = MazePicture(task.grid, size=TILE_SIZE[num_columns(num_tiles)])
    shift = CELL_MIDDLE if isinstance(task, GridTask) else 0.0
    return lambda state, trail: picture.draw(position=state[:2] + shift, goal=state[4:6] + shift, trail=trail + shift)


def num_columns(num_tiles: int) -> int:
    """Of a grid as square as can be."""
    return int(np.ceil(np.sqrt(num_tiles)))


def _trail_times(first: int, last: int, stride: int) -> list[int]:
    """Whole multiples of the stride between both ends, so that the corners of a trail stay in place while it grows."""
    return [first, *range(first - first % stride + stride, last, stride), last]


def _in_grid(tiles: Sequence[Image], columns: int) -> Image:
    rows = -(-len(tiles) // columns)
    height, width, _ = tiles[0].shape
    gap = 0 if len(tiles) == 1 else 4
    size = (rows * (height + gap) - gap, columns * (width + gap) - gap, 3)
    canvas = np.full(size, 255, np.uint8)
    for index, tile in enumerate(tiles):
        top, left = index // columns * (height + gap), index % columns * (width + gap)
        canvas[top : top + height, left : left + width] = tile
    return canvas


def _labelled(image: Image, text: str, status: str) -> Image:
    """A strip of text above the picture; `status` stands at its right end."""
    from PIL import Image as PillowImage
    from PIL import ImageDraw

    width = image.shape[1]
    strip = PillowImage.new("RGB", (width, STRIP), _PAPER)
    pen = ImageDraw.Draw(strip)
    pen.text((4, STRIP // 2), text, fill=_INK, font=_font(), anchor="lm")
    pen.text((width - 4, STRIP // 2), status, fill=_GOOD, font=_font(), anchor="rm")
    return np.concatenate([np.asarray(strip), image])


def _font() -> Any:
    from PIL import ImageFont

    return ImageFont.load_default(13)
