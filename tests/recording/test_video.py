"""Films that can be played, with the right colours, sizes and lengths."""

from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from lifelong_rl.recording.video import gif_of, write_video

RED = (200, 30, 20)


def frames(count: int, height: int = 48, width: int = 64) -> list[np.ndarray]:
    """A red picture with a white bar that moves right."""
    found = []
    for index in range(count):
        frame = np.full((height, width, 3), RED, np.uint8)
        frame[:, 4 * index : 4 * index + 4] = 255
        found.append(frame)
    return found


def test_an_mp4_holds_every_frame_in_the_format_that_players_agree_on(tmp_path: Path):
    path = tmp_path / "videos" / "a.mp4"
    write_video(path, iter(frames(12)), frames_per_second=25)
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        assert (stream.codec_context.name, stream.codec_context.pix_fmt) == ("h264", "yuv420p")
        assert stream.average_rate == 25
        pictures = [frame.to_ndarray(format="rgb24") for frame in container.decode(stream)]
    assert len(pictures) == 12
    assert np.abs(pictures[8][24, 10].astype(int) - RED).max() < 15
    assert pictures[8][24, 33:35].min() > 200
    assert list(path.parent.iterdir()) == [path]


def test_odd_sizes_grow_to_even_ones(tmp_path: Path):
    write_video(tmp_path / "a.mp4", frames(2, 33, 47), 30)
    with av.open(str(tmp_path / "a.mp4")) as container:
        context = container.streams.video[0].codec_context
        assert (context.height, context.width) == (34, 48)


def test_a_gif_holds_every_frame_and_repeats(tmp_path: Path):
    write_video(tmp_path / "a.gif", iter(frames(5)), frames_per_second=10)
    with Image.open(tmp_path / "a.gif") as picture:
        assert (picture.n_frames, picture.size) == (5, (64, 48))
        assert (picture.info["duration"], picture.info["loop"]) == (100, 0)


def test_a_gif_of_many_large_frames_has_fewer_and_smaller_ones_and_runs_as_fast(tmp_path: Path):
    write_video(tmp_path / "a.gif", iter(frames(7, 600, 900)), frames_per_second=25)
    with Image.open(tmp_path / "a.gif") as picture:
        assert (picture.n_frames, picture.size, picture.info["duration"]) == (4, (640, 427), 80)


def test_a_gif_keeps_a_small_spot_of_a_colour_of_its_own(tmp_path: Path):
    shades = np.linspace(0, 255, 120 * 160).astype(np.uint8).reshape(120, 160)
    frame = np.stack([shades // 2, shades, 255 - shades], -1)
    frame[50:54, 70:74] = (220, 20, 20)  # a goal
    write_video(tmp_path / "a.gif", [frame], 10)
    with Image.open(tmp_path / "a.gif") as picture:
        assert np.abs(np.asarray(picture.convert("RGB")).astype(int)[51, 71] - (220, 20, 20)).max() < 25


def test_a_film_written_before_becomes_a_gif_beside_it(tmp_path: Path):
    write_video(tmp_path / "a.mp4", frames(10), 10)
    assert gif_of(tmp_path / "a.mp4") == tmp_path / "a.gif"
    with Image.open(tmp_path / "a.gif") as picture:
        assert (picture.n_frames, picture.size, picture.info["duration"]) == (10, (64, 48), 100)


@pytest.mark.parametrize(
    ("name", "given", "rate", "message"),
    [
        ("a.avi", frames(1), 30, r"a\.avi: expected a name that ends in \.mp4 or \.gif\.$"),
        ("a.mp4", [], 30, r"a\.mp4: there are no frames to write\.$"),
        ("a.mp4", frames(1), 0, r"^frames_per_second must be above 0 and at most 1000, got 0\.$"),
        ("a.mp4", [np.zeros((4, 4, 3))], 30, r"^frame 0: expected \[H, W, 3\] uint8, got \[4, 4, 3\] float64\.$"),
        ("a.gif", frames(1) + frames(1, 8, 8), 30, r"^frame 1: expected \[48, 64, 3\] like the first, got \[8, 8, 3\]"),
    ],
)
def test_what_cannot_become_a_film_is_one_line_and_leaves_no_file(tmp_path: Path, name, given, rate, message):
    with pytest.raises(ValueError, match=message):
        write_video(tmp_path / name, given, rate)
    assert list(tmp_path.iterdir()) == []
