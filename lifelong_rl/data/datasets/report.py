"""What a dataset file holds, for people: episodes, ranges, and what is wrong. Needs no torch."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from lifelong_rl.data.datasets.files import DatasetFile, Shape
from lifelong_rl.data.datasets.layouts import check_and_segment, layout_of
from lifelong_rl.data.datasets.segments import Segments

JUMP_FACTOR = 10.0  # a step this many times as long as the 99.9th percentile looks like two runs glued together


@dataclass(frozen=True, kw_only=True)
class ColumnReport:
    """One column, all rows; extremes are over the finite values of each of its entries [...]."""

    key: str
    dtype: str
    shape: Shape
    low: np.ndarray
    high: np.ndarray
    num_not_finite: int  # rows with a NaN or an infinity


@dataclass(frozen=True, kw_only=True)
class EpisodeReport:
    """The transitions of a usable file."""

    num_transitions: int
    lengths: np.ndarray  # [episodes]
    repeated_share: float  # transitions whose next observation is the very same
    longest_step: float  # Euclidean, between successive observations
    longest_step_row: int
    usual_step: float  # 99.9 % of the steps are no longer
    warnings: list[str]


def report_columns(file: DatasetFile) -> list[ColumnReport]:
    """Reads everything and complains about nothing that is made of numbers."""
    return [_report_column(file, key) for key in file.keys if file.is_numeric(key)]


def report_episodes(file: DatasetFile, row_shapes: Mapping[str, Shape | None]) -> EpisodeReport:
    """Raises DatasetError where the file cannot be used."""
    segments = check_and_segment(file, row_shapes)
    for key in file.keys:
        for first, end in file.pieces(key):
            file.numbers(key, first, end)

    steps = _step_lengths(file, segments)
    rows, usual = np.flatnonzero(segments.is_transition), float(np.quantile(steps, 0.999))
    longest = int(steps.argmax())
    report = EpisodeReport(
        num_transitions=len(rows),
        lengths=segments.lengths,
        repeated_share=float((steps == 0).mean()),
        longest_step=float(steps[longest]),
        longest_step_row=int(rows[longest]),
        usual_step=usual,
        warnings=[],
    )
    report.warnings.extend(_find_faults(file, segments, report))
    return report


def _find_faults(file: DatasetFile, segments: Segments, report: EpisodeReport) -> Iterator[str]:
    short = segments.lengths == 1
    if short.any():
        row = segments.first_rows[short.argmax()]
        yield f"{short.sum()} of {len(short)} episodes have one step only; the first is row {row}"
    if report.repeated_share > 0:
        yield f"{report.repeated_share:.2%} of the transitions repeat their observation: steps of length zero"
    if report.longest_step > JUMP_FACTOR * report.usual_step > 0:
        jump = f"row {report.longest_step_row} moves {report.longest_step:.3g}, 99.9 % at most {report.usual_step:.3g}"
        yield f"{jump}: is an end of a run unmarked there?"
    layout = layout_of(file)
    if not {"timeouts", "terminals"} & set(file.keys) and layout.GOAL not in file.keys and not file.is_minari:
        yield "neither timeouts nor terminals: all rows count as one episode"
    if "rewards" not in file.keys:
        yield "no rewards: they follow from the goals, where an algorithm wants any"


def _step_lengths(file: DatasetFile, segments: Segments) -> np.ndarray:
    """Distance from each transition's observation to its next [transitions]."""
    lengths = np.zeros(file.num_rows)
    for first, end in file.pieces("observations"):
        here = file.numbers("observations", first, end + 1).astype(np.float32).reshape(-1, _entries(file))
        if "next_observations" in file.keys:
            after = file.numbers("next_observations", first, end).astype(np.float32).reshape(-1, _entries(file))
        else:
            after = here[1:]
        rows = min(len(after), end - first)
        lengths[first : first + rows] = np.linalg.norm(after[:rows] - here[:rows], axis=1)
    return lengths[segments.is_transition]


def _report_column(file: DatasetFile, key: str) -> ColumnReport:
    shape = file.shape(key)
    low, high = np.full(shape[1:], np.inf), np.full(shape[1:], -np.inf)
    num_not_finite = 0
    for first, end in file.pieces(key):
        values = file.read(key, first, end).astype(np.float64)
        finite = np.isfinite(values)
        num_not_finite += int((~finite.reshape(len(values), -1).all(axis=1)).sum())
        low = np.minimum(low, np.where(finite, values, np.inf).min(axis=0))
        high = np.maximum(high, np.where(finite, values, -np.inf).max(axis=0))
    return ColumnReport(key=key, dtype=file.dtype(key), shape=shape, low=low, high=high, num_not_finite=num_not_finite)


def _entries(file: DatasetFile) -> int:
    return int(np.prod(file.shape("observations")[1:]))
