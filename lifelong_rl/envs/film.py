"""Films: pictures of several environments side by side, moment after moment, each under a line that says how it goes.

Numpy and Pillow are all that this needs. Pictures come from elsewhere: `maze2d_film`, `gymnasium_film`.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]  # [H, W, 3]
Bools = NDArray[np.bool_]

MAX_TILES = 9
TILE_SIZE = {1: 480, 2: 340, 3: 260}  # pixels of the longer side, by columns of the grid
STRIP = 22  # pixels of text above a tile
FONT_SIZES = (13, 12, 11, 10, 9)  # the first one with which a line fits
_GAP = 4  # pixels between tiles
_INK, _GOOD, _BAD, _PAPER = (40, 44, 52), (24, 128, 68), (176, 62, 36), (255, 255, 255)
_Colour = tuple[int, int, int]


@dataclass(frozen=True, kw_only=True)
class Footage:
    """K environments over T moments: what is to be seen, and what is to be said of it, in arrays of [T, K].

    `captions` [T] stand above the whole picture. An episode that `is_over` stands still while others go on. Where tasks
    have no goals, `result` is what to say instead: the rewards so far (nan: unknown).
    """

    names: Sequence[str]
    captions: Sequence[str]
    horizon: int
    step: NDArray[np.int64]  # since the episode began; -1: its beginning is unknown
    is_at_goal: Bools
    has_reached: Bools
    is_over: Bools
    pictures: Iterable[Sequence[Image]]  # K of one shape for each moment, drawn when they are asked for
    result: NDArray[np.float64] | None = None


def draw_film(footage: Footage) -> Iterator[Image]:
    """One picture for each moment, all of one shape."""
    columns = num_columns(len(footage.names))
    for time, pictures in enumerate(footage.pictures):
        tiles = [_under_its_line(footage, time, env, picture) for env, picture in enumerate(pictures)]
        yield _labelled(_in_grid(tiles, columns), footage.captions[time])


def num_columns(num_tiles: int) -> int:
    """Of a grid as square as can be."""
    return int(np.ceil(np.sqrt(num_tiles)))


def tile_size(num_tiles: int) -> int:
    """Pixels of its longer side."""
    return TILE_SIZE[num_columns(num_tiles)]


def fitted(picture: Image, num_tiles: int) -> Image:
    """A picture as large as a tile may be: shrunk smoothly, or enlarged by a whole number, which keeps pixels sharp."""
    height, width, _ = picture.shape
    share = tile_size(num_tiles) / max(height, width)
    if share >= 2:
        return picture.repeat(int(share), axis=0).repeat(int(share), axis=1)
    if share >= 1:
        return picture
    from PIL import Image as PillowImage

    size = (round(width * share), round(height * share))
    return np.asarray(PillowImage.fromarray(picture).resize(size, PillowImage.Resampling.BOX))


def _under_its_line(footage: Footage, time: int, env: int, picture: Image) -> Image:
    step = int(footage.step[time, env])
    text = footage.names[env] + (f"   step {step}/{footage.horizon}" if step >= 0 else "")
    reached = bool(footage.has_reached[time, env])
    words, colour = ["over"] * bool(footage.is_over[time, env]), _GOOD if reached else _BAD
    if footage.result is not None:
        result = footage.result[time, env]
        words, colour = words + [f"return {result:.4g}"] * bool(np.isfinite(result)), _INK
    elif reached:
        words.append("at the goal" if footage.is_at_goal[time, env] else "reached before")
    return _labelled(picture, text, ", ".join(words), colour)


def _in_grid(tiles: Sequence[Image], columns: int) -> Image:
    rows = -(-len(tiles) // columns)
    height, width, _ = tiles[0].shape
    gap = 0 if len(tiles) == 1 else _GAP
    size = (rows * (height + gap) - gap, columns * (width + gap) - gap, 3)
    canvas = np.full(size, 255, np.uint8)
    for index, tile in enumerate(tiles):
        top, left = index // columns * (height + gap), index % columns * (width + gap)
        canvas[top : top + height, left : left + width] = tile
    return canvas


def _labelled(picture: Image, text: str, status: str = "", colour: _Colour = _INK) -> Image:
    """A strip of text above the picture; `status` stands at its right end."""
    from PIL import Image as PillowImage
    from PIL import ImageDraw

    width = picture.shape[1]
    strip = PillowImage.new("RGB", (width, STRIP), _PAPER)
    pen = ImageDraw.Draw(strip)
    between = 8 if status else 0
    fits = (
        font
        for font in map(_font, FONT_SIZES)
        if pen.textlength(text, font) + between + pen.textlength(status, font) <= width - 8
    )
    font = next(fits, _font(FONT_SIZES[-1]))
    pen.text((4, STRIP // 2), text, fill=_INK, font=font, anchor="lm")
    pen.text((width - 4, STRIP // 2), status, fill=colour, font=font, anchor="rm")
    return np.concatenate([np.asarray(strip), picture])


@cache
def _font(size: int) -> Any:
    from PIL import ImageFont

    return ImageFont.load_default(size)
