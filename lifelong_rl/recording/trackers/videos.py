"""The videos of a run: files in its `videos/`, each with an optional JSON sidecar of the same name."""

import json
from dataclasses import dataclass
from pathlib import Path

ENDINGS = (".mp4", ".gif")


@dataclass(frozen=True, kw_only=True)
class Video:
    """`title` is the same for every snapshot: videos/policy_multi. `updates` is None where no sidecar says it."""

    path: Path
    title: str
    updates: int | None


def find_videos(run_dir: Path) -> list[Video]:
    """Whole ones, in the order of training. A file that is still being written has a hidden name."""
    paths = [path for path in (run_dir / "videos").glob("[!.]*") if path.suffix.lower() in ENDINGS]
    videos = [_video(path) for path in sorted(paths) if path.is_file() and not path.is_symlink()]
    return sorted(videos, key=lambda video: video.updates or 0)


def _video(path: Path) -> Video:
    facts = _sidecar(path.with_suffix(".json"))
    snapshot, updates = facts.get("snapshot"), facts.get("updates")
    title = path.stem
    if isinstance(snapshot, str) and Path(snapshot).name:
        title = title.removeprefix(f"{Path(snapshot).name}_")
    known = updates if isinstance(updates, int) and updates >= 0 else None
    return Video(path=path, title=f"videos/{title}", updates=known)


def _sidecar(path: Path) -> dict[str, object]:
    """Empty where there is none, or none that we understand."""
    try:
        facts = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return facts if isinstance(facts, dict) else {}
