"""Value maps and other pictures that a run left, small enough for a page; of each method the middle run's."""

import base64
from dataclasses import dataclass
from pathlib import Path

from experiment_utils.dashboard.media import MIMETYPES, media_of
from experiment_utils.report.scores import Score, Scores
from experiment_utils.report.study import Study
from experiment_utils.results.runs import Run

MAX_BYTES, ROOM = 500_000, 1_500_000  # of a picture, and of all of them
MOST = 3  # of a run


@dataclass(frozen=True, kw_only=True)
class Picture:
    """`address` holds the picture itself."""

    caption: str
    address: str


def pictures_of(study: Study, scores: Scores) -> list[Picture]:
    """Neither the best run nor the worst: the one in the middle by the final score; where none counts, the first."""
    found, room = [], ROOM
    for figure in study.selection.figures:
        for method, runs in figure.groups.items():
            run = _middle(scores.of(figure.title, method, study.metric)) or runs[0]
            shown = [media for media in media_of(run.directory) if media.kind == "picture"][:MOST]
            for media in shown:
                size = media.path.stat().st_size
                if size <= min(MAX_BYTES, room):
                    room -= size
                    words = [figure.title, method, f"{run.experiment}/{run.name}", media.name]
                    found.append(Picture(caption=" · ".join(filter(None, words)), address=_address(media.path)))
    return found


def _middle(score: Score | None) -> Run | None:
    if score is None:
        return None
    ordered = sorted(zip(score.values, range(len(score.values)), strict=True))
    return score.runs[ordered[len(ordered) // 2][1]]


def _address(path: Path) -> str:
    return f"data:{MIMETYPES[path.suffix]};base64,{base64.b64encode(path.read_bytes()).decode()}"
