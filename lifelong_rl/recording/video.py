"""Frames to a film: mp4 (H.264, plays everywhere) or gif, by the file's extension."""

import math
from collections.abc import Iterable, Iterator
from fractions import Fraction
from itertools import chain, islice
from pathlib import Path
from typing import Any

import numpy as np

Frame = np.ndarray  # [H, W, 3] uint8

GIF_SIZE = 640  # pixels of the longer side, at most
GIF_FRAMES_PER_SECOND = 12.5  # at most; frames are left out, so that it runs as fast as the film
GIF_COLOURS = 128  # of each frame


def write_video(path: Path, frames: Iterable[Frame], frames_per_second: float) -> None:
    """Writes frames as they come; the file appears when it is whole. Odd sizes are padded by one row or column."""
    writers = {".mp4": _write_mp4, ".gif": _write_gif}
    if path.suffix.lower() not in writers:
        raise ValueError(f"{path}: expected a name that ends in .mp4 or .gif.")
    if not 0 < frames_per_second <= 1000:
        raise ValueError(f"frames_per_second must be above 0 and at most 1000, got {frames_per_second}.")
    checked = _checked(frames)
    first = next(checked, None)
    if first is None:
        raise ValueError(f"{path}: there are no frames to write.")

    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.stem}.part{path.suffix}")
    try:
        writers[path.suffix.lower()](temporary, chain([first], checked), frames_per_second)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def gif_of(film: Path) -> Path:
    """A film written before, as a gif beside it."""
    import av

    path = film.with_suffix(".gif")
    with av.open(str(film)) as container:
        rate = container.streams.video[0].average_rate
        frames = (frame.to_ndarray(format="rgb24") for frame in container.decode(video=0))
        write_video(path, frames, float(rate or 25))
    return path


def _checked(frames: Iterable[Frame]) -> Iterator[Frame]:
    shape = None
    for index, frame in enumerate(frames):
        if frame.dtype != np.uint8 or frame.ndim != 3 or frame.shape[2] != 3:
            raise ValueError(f"frame {index}: expected [H, W, 3] uint8, got {list(frame.shape)} {frame.dtype}.")
        shape = shape or frame.shape
        if frame.shape != shape:
            raise ValueError(f"frame {index}: expected {list(shape)} like the first, got {list(frame.shape)}.")
        yield np.ascontiguousarray(frame)


def _write_mp4(path: Path, frames: Iterator[Frame], frames_per_second: float) -> None:
    import av

    with av.open(str(path), "w", format="mp4", options={"movflags": "faststart"}) as container:
        stream: Any = None
        for frame in frames:
            even = np.pad(frame, [(0, frame.shape[0] % 2), (0, frame.shape[1] % 2), (0, 0)], mode="edge")
            if stream is None:
                rate = Fraction(frames_per_second).limit_denominator(1000)
                stream = container.add_stream("h264", rate=rate, options={"crf": "20"})
                stream.height, stream.width = even.shape[:2]
                stream.pix_fmt = "yuv420p"  # what browsers and players agree on; needs even sizes
            container.mux(stream.encode(av.VideoFrame.from_ndarray(even, format="rgb24")))
        container.mux(stream.encode(None))


def _write_gif(path: Path, frames: Iterator[Frame], frames_per_second: float) -> None:
    """Smaller than the film, for gif packs badly."""
    stride = max(1, math.ceil(frames_per_second / GIF_FRAMES_PER_SECOND))
    images = (_small(frame) for frame in islice(frames, 0, None, stride))
    milliseconds = max(20, 10 * round(100 * stride / frames_per_second))  # gif counts in hundredths
    next(images).save(path, save_all=True, append_images=images, duration=milliseconds, loop=0)


def _small(frame: Frame) -> Any:
    from PIL import Image

    image = Image.fromarray(frame)
    image.thumbnail((GIF_SIZE, GIF_SIZE), Image.Resampling.BOX)
    return image.quantize(GIF_COLOURS, Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)  # keeps small spots
