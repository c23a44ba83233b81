"""Which of the known layouts a file has. Needs no torch."""

from collections.abc import Mapping
from types import ModuleType

from lifelong_rl.data.datasets import arrays, d4rl, minari
from lifelong_rl.data.datasets.files import DatasetError, DatasetFile, Shape
from lifelong_rl.data.datasets.segments import Segments

SCALARS = ("rewards", "terminals", "timeouts", "costs", "infos/stream_end", minari.LAST_ROW)


def layout_of(file: DatasetFile) -> ModuleType:
    """D4RL's files are told by their `infos`."""
    if file.is_minari:
        return minari
    return d4rl if any(key.startswith("infos/") for key in file.keys) else arrays


def check_and_segment(file: DatasetFile, row_shapes: Mapping[str, Shape | None]) -> Segments:
    """Checks keys, types and shapes (`row_shapes`: of one row, where known) and finds the episodes, at least one."""
    layout = layout_of(file)
    file.check_keys(layout.REQUIRED, layout.OPTIONAL)
    scalars: dict[str, Shape | None] = dict.fromkeys(SCALARS, ())
    file.check_shapes({**scalars, "next_observations": file.shape("observations")[1:], **row_shapes})
    segments: Segments = layout.find_segments(file)
    if not segments.is_transition.any():
        rows = f"'observations' has {file.num_rows} row(s)"
        raise DatasetError(f"{file.path}: zero episodes: {rows}, none followed by another; expected at least 2.")
    return segments
