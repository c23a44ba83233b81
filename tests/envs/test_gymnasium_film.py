"""Environments of gymnasium draw themselves: the very episodes that were played, each goal where it is, or one line."""

from typing import Any

import numpy as np
import pytest
import torch

from lifelong_rl.config import ConfigError
from lifelong_rl.envs.gymnasium_film import Played, Studio, pictures_of_played, pictures_of_states
from lifelong_rl.envs.mujoco_import import NoRendererError
from tests.envs.gymnasium_fixtures import make, robotics
from tests.envs.lamp import HORIZON

REACH = "FetchReach-v4"


def lights(pictures: Any) -> list[list[int]]:
    return [[int(picture[0, 0, 0]) for picture in row] for row in pictures]


def red(picture: np.ndarray) -> np.ndarray:
    """Rows and columns [K, 2] of pixels that are red, as Fetch's goal is."""
    r, g, b = np.moveaxis(picture.astype(int), -1, 0)
    return np.argwhere((r > 120) & (r - g > 70) & (r - b > 70))


def pixel_of(studio: Studio, place: np.ndarray, size: int) -> np.ndarray:
    """Row and column where the camera sees a place in the world."""
    camera, model = studio._camera._renderer.viewer.cam, studio._environments[0].unwrapped.model
    azimuth, elevation = np.deg2rad([camera.azimuth, camera.elevation])
    flat = np.array([np.cos(azimuth), np.sin(azimuth), 0.0])
    ahead = np.cos(elevation) * flat + np.array([0, 0, np.sin(elevation)])
    right = np.cross(ahead, [0, 0, 1]) / np.linalg.norm(np.cross(ahead, [0, 0, 1]))
    way = place - (camera.lookat - camera.distance * ahead)
    focal = size / 2 / np.tan(np.deg2rad(model.vis.global_.fovy) / 2)
    return size / 2 + focal * np.array([-way @ np.cross(right, ahead), way @ right]) / (way @ ahead)


def test_an_episode_is_played_again_from_its_seed_and_keeps_its_last_picture():
    short, long = (Played(seed=seed, actions=np.array(acts)) for seed, acts in ((3, [0, 1]), (4, [0, 0, 0, 0])))
    shown = lights(pictures_of_played("Lamp-v0", HORIZON, [short, long]))
    begin = shown[0]
    assert begin != [begin[0]] * 2
    assert [row[0] - begin[0] for row in shown] == [0, 10, 20, 20, 20]
    assert [row[1] - begin[1] for row in shown] == [0, 10, 20, 30, 40]


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("Slide-v0", r"^Slide-v0: cannot draw itself: it has no render mode; films are made of 'rgb_array'\.$"),
        ("BrokenLamp-v0", r"^BrokenLamp-v0: cannot draw itself: RuntimeError: the bulb is broken$"),
        ("OddLamp-v0", r"^OddLamp-v0: cannot draw itself: expected \[H, W, 3\] uint8, got \[\d+\]\.$"),
    ],
)
def test_what_cannot_draw_itself_is_refused_in_one_line(name, line):
    with pytest.raises(ConfigError, match=line):
        list(pictures_of_played(name, HORIZON, [Played(seed=0, actions=np.zeros((1, 2)))]))


def test_states_that_no_simulator_can_take_back_are_refused_in_one_line():
    with pytest.raises(ConfigError, match=r"^Lamp-v0 is not simulated by MuJoCo, so .* Use --policy, which plays"):
        list(pictures_of_states("Lamp-v0", HORIZON, np.zeros((1, 1, 1))))


@robotics
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # of gymnasium's half-made viewer
def test_without_a_graphics_library_one_line_says_what_to_install(monkeypatch):
    monkeypatch.setenv("MUJOCO_GL", "crayons")  # one that fails would leave this process without OpenGL
    with pytest.raises(NoRendererError, match=r"^cannot draw with MUJOCO_GL=crayons \(.*libosmesa6 .*starts\.$"):
        list(pictures_of_played(REACH, HORIZON, [Played(seed=0, actions=np.zeros((0, 4)))]))


@robotics
def test_stored_states_look_as_the_episodes_did_that_they_are_of(opengl):
    task = make(REACH, num_envs=2, horizon=HORIZON)
    generator, states, actions = torch.Generator().manual_seed(0), [], []
    for _ in range(4):
        states.append(task.sim_state().numpy())
        actions.append((torch.rand(2, 4, generator=generator) * 2 - 1).numpy())
        task.step(torch.from_numpy(actions[-1]))
    seeds = task.state_dict()["seeds"]
    played = [Played(seed=seed, actions=np.stack(actions)[:3, env]) for env, seed in enumerate(seeds)]
    ours = list(pictures_of_played(REACH, HORIZON, played))
    theirs = list(pictures_of_states(REACH, HORIZON, np.stack(states)))
    assert len(ours) == len(theirs) == 4 and ours[0][0].shape == (340, 340, 3)
    assert (ours[0][0] != ours[0][1]).any() and (ours[0][0] != ours[3][0]).any()
    for row, other in zip(ours, theirs, strict=True):
        for picture, same in zip(row, other, strict=True):
            assert (np.abs(picture.astype(int) - same).max(-1) > 40).mean() < 0.002  # positions differ by a substep


@robotics
def test_the_goal_is_drawn_where_it_is_and_as_large_as_counts_as_near(opengl):
    state = make(REACH, num_envs=1, horizon=HORIZON).sim_state().numpy()[0]
    with Studio(REACH, HORIZON, 1) as studio:
        studio.episodes[0].begin(0)
        for goal in ([1.45, 0.75, 0.75], [1.35, 0.95, 0.6], [1.5, 0.6, 0.5]):
            studio.put(np.concatenate([state[:-3], goal]))
            spot = red(studio.picture(0))
            middle, size = (spot.min(0) + spot.max(0)) / 2, np.ptp(spot, axis=0).max()
            side = pixel_of(studio, np.array(goal) + [0, 0, 0.05], 480) - pixel_of(studio, np.array(goal), 480)
            assert np.linalg.norm(middle - pixel_of(studio, np.array(goal), 480)) < 6
            assert size == pytest.approx(2 * np.linalg.norm(side), rel=0.25)


@robotics
def test_the_camera_goes_along_with_a_robot_that_has_nowhere_to_be(opengl):
    state = make("HalfCheetah-v5", num_envs=1, horizon=HORIZON).sim_state().numpy()[0]
    far = state.copy()
    far[0] += 20.0  # metres
    (row,) = pictures_of_states("HalfCheetah-v5", HORIZON, np.stack([[state, far]]))
    here, there = ((picture[..., 0] > 150) & (picture[..., 2] < 110) for picture in row)  # of its wood
    assert (here & there).sum() > 0.8 * here.sum() > 200
