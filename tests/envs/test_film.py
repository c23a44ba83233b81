"""A film sets pictures beside each other, and says of each how its episode goes; no word is cut off."""

import numpy as np
import pytest

from lifelong_rl.envs.film import MAX_TILES, STRIP, TILE_SIZE, Footage, draw_film, fitted, num_columns


def footage(num_tiles: int = 1, num_moments: int = 3, size: int = 260, **told) -> Footage:
    shape = (num_moments, num_tiles)
    plain = {name: np.zeros(shape, bool) for name in ("is_at_goal", "has_reached", "is_over")}
    steps = np.arange(num_moments)[:, None].repeat(num_tiles, 1)
    picture = np.full((40, size, 3), 128, np.uint8)
    values = {
        "names": [f"episode {tile}" for tile in range(num_tiles)], "captions": ["above"] * num_moments, "horizon": 1000,
        "step": steps, "pictures": [[picture] * num_tiles] * num_moments,
    }  # fmt: skip
    return Footage(**values | plain | told)


def strip_of(frame: np.ndarray) -> np.ndarray:
    """The line above the first tile, as numbers that can be subtracted."""
    return frame[STRIP : 2 * STRIP].astype(int)


def coloured(strip: np.ndarray, channel: int) -> np.ndarray:
    """Columns in which letters stand that are more of this colour than of the next."""
    return np.flatnonzero((strip[..., channel] - strip[..., (channel + 1) % 3] > 50).any(0))


@pytest.mark.parametrize(("num_tiles", "columns"), [(1, 1), (2, 2), (4, 2), (5, 3), (9, 3)])
def test_all_tiles_lie_in_a_grid_of_one_shape(num_tiles, columns):
    frames = list(draw_film(footage(num_tiles)))
    assert len(frames) == 3 and {frame.shape for frame in frames} == {frames[0].shape}
    gaps = columns - 1 if num_tiles > 1 else 0
    rows = -(-num_tiles // columns)
    height = STRIP + rows * (STRIP + 40) + 4 * (rows - 1)
    assert num_columns(num_tiles) == columns and frames[0].shape == (height, columns * 260 + 4 * gaps, 3)


def test_success_is_said_in_green_at_the_goal_and_after_it():
    at, reached = np.array([[0], [1], [0]], bool), np.array([[0], [1], [1]], bool)
    frames = [strip_of(frame) for frame in draw_film(footage(is_at_goal=at, has_reached=reached))]
    assert [len(coloured(frame, 1)) > 0 for frame in frames] == [False, True, True]
    assert (frames[1] != frames[2]).any(), "at the goal, reached before"


def test_an_episode_that_is_over_says_so_in_red_or_with_its_success_in_green():
    over, reached = np.array([[0], [1], [1]], bool), np.array([[0], [0], [1]], bool)
    frames = [strip_of(frame) for frame in draw_film(footage(is_over=over, has_reached=reached))]
    assert [len(coloured(frame, 0)) > 0 for frame in frames] == [False, True, False]
    assert len(coloured(frames[2], 1)) > 0


def test_without_goals_the_rewards_so_far_are_said_where_they_are_known():
    result = np.array([[1.5], [2.5], [np.nan]])
    first, second, unknown = (strip_of(frame) for frame in draw_film(footage(result=result, step=np.ones((3, 1), int))))
    assert (first != second).any()
    assert (unknown[:, 200:] == 255).all() and (first[:, 200:] < 255).any()


def test_a_step_that_is_not_known_is_left_out():
    known, unknown, _ = (strip_of(frame) for frame in draw_film(footage(step=np.array([[7], [-1], [7]]))))
    assert (known[:, 80:] < 255).any() and (unknown[:, 80:] == 255).all()


def test_the_longest_line_fits_above_the_smallest_tile():
    told = {name: np.ones((1, 1), bool) for name in ("has_reached", "is_over")}
    told["step"] = np.full((1, 1), 999)
    (frame,) = draw_film(footage(num_moments=1, size=TILE_SIZE[3], names=["environment 8"], **told))
    strip = strip_of(frame)
    green, ink = coloured(strip, 1), np.flatnonzero((strip.max(-1) < 120).any(0))
    assert ink[-1] < green[0] - 4 and green[-1] <= TILE_SIZE[3] - 3


@pytest.mark.parametrize(
    ("shape", "num_tiles", "drawn"),
    [((480, 480), 1, (480, 480)), ((480, 480), MAX_TILES, (260, 260)), ((400, 600), 4, (227, 340)),
     ((64, 128), 1, (192, 384)), ((300, 300), 1, (300, 300))],
)  # fmt: skip
def test_pictures_become_as_large_as_a_tile_may_be(shape, num_tiles, drawn):
    assert fitted(np.zeros((*shape, 3), np.uint8), num_tiles).shape == (*drawn, 3)


def test_small_pictures_keep_sharp_pixels():
    picture = np.zeros((2, 2, 3), np.uint8)
    picture[0, 1] = 255
    large = fitted(picture, 1)
    assert set(np.unique(large)) == {0, 255} and large[:240, 240:].min() == 255
