"""Pictures show walls, particle, goal and trail where they are."""

import numpy as np
import pytest

from lifelong_rl.envs.maze2d_config import MAZES
from lifelong_rl.envs.maze2d_grid import MazeGrid
from lifelong_rl.envs.maze2d_picture import MazePicture, Palette, wall_segments


@pytest.fixture(scope="module")
def picture() -> MazePicture:
    return MazePicture(MazeGrid.from_layout(MAZES["large"].layout), size=360)


def colour_at(picture: MazePicture, image: np.ndarray, x: float, y: float) -> tuple[int, ...]:
    away = np.linalg.norm(picture.pixel_positions() - [x, y], axis=-1)
    return tuple(image[np.unravel_index(away.argmin(), away.shape)].tolist())


def test_pictures_are_bytes_with_even_sides_in_the_mazes_proportions(picture):
    image = picture.draw()
    assert (image.shape, image.dtype) == ((270, 360, 3), np.uint8)
    for size in (101, 333, 480):
        sides = MazePicture(MazeGrid.from_layout(MAZES["umaze"].layout), size=size).shape
        assert all(side % 2 == 0 for side in sides)


def test_walls_and_floor_lie_where_the_particle_meets_them(picture):
    image, palette = picture.draw(), Palette()
    assert colour_at(picture, image, 1.0, 1.0) == palette.floor
    assert (
        colour_at(picture, image, 1.0, 0.35) == palette.floor
    )  # the free floor ends at 0.3, the particle's centre at 0.4
    assert colour_at(picture, image, 1.0, 0.25) == palette.wall
    assert colour_at(picture, image, 0.0, 0.0) == palette.wall


def test_particle_goal_and_trail_are_at_their_places(picture):
    palette, trail = Palette(), np.array([[1.0, 1.0], [1.0, 4.0]])
    image = picture.draw(position=np.array([3.0, 3.0]), goal=np.array([7.0, 9.0]), trail=trail)
    assert colour_at(picture, image, 3.0, 3.0) == palette.particle
    assert colour_at(picture, image, 7.0, 9.0) == palette.goal
    changed = np.any(image != picture.draw(), axis=-1)
    positions = picture.pixel_positions()[changed]
    distance_to_goal = np.linalg.norm(positions - [7.0, 9.0], axis=1)
    rest = positions[distance_to_goal > 0.6]
    assert distance_to_goal[distance_to_goal < 1].max() == pytest.approx(0.5, abs=0.03)
    assert ((np.abs(rest - [1.0, 2.5]) < [0.1, 1.6]).all(1) | (np.linalg.norm(rest - 3.0, axis=1) < 0.15)).all()


def test_what_lies_outside_of_the_picture_is_left_out(picture):
    image = picture.draw(position=np.array([-5.0, 90.0]), goal=np.array([-0.7, -0.7]))
    assert image.shape == (270, 360, 3)


def test_a_background_shows_on_the_floor_and_walls_go_over_it(picture):
    image = picture.draw(background=np.full((*picture.shape, 3), 200.0))
    assert colour_at(picture, image, 1.0, 1.0) == (200, 200, 200)
    assert colour_at(picture, image, 0.0, 0.0) == Palette().wall


def test_wall_segments_enclose_the_floor():
    segments = wall_segments(MazeGrid.from_layout(r"###\#G#\###"))
    assert sorted(map(tuple, segments.reshape(4, 4).round(6).tolist())) == [
        (0.3, 0.3, 0.3, 1.3), (0.3, 0.3, 1.3, 0.3), (0.3, 1.3, 1.3, 1.3), (1.3, 0.3, 1.3, 1.3),
    ]  # fmt: skip
