"""Where runs come from: commit, command and versions, without the names of machines, people and their folders."""

import json
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from experiment_utils.report.wording import plain, runs_in_words, without_folders
from experiment_utils.results.runs import Run
from lifelong_rl.secrets import mask_secrets

MOST = 5  # different ones that are shown
_SEEDS = re.compile(r"(--seeds[ =])\S+")


def origins_of(runs: Sequence[Run]) -> list[tuple[str, list[str]]]:
    """What is told, and every different answer with the number of runs that it is true of."""
    abouts = [_about(run) for run in runs]
    asked: list[tuple[str, Callable[[Mapping[str, Any]], str]]] = [
        ("code", _code), ("versions", _versions), ("command", _command), ("day", _day)
    ]  # fmt: skip
    return [(what, _counted([tell(about) for about in abouts])) for what, tell in asked]


def _about(run: Run) -> Mapping[str, Any]:
    try:
        values = json.loads((run.directory / "run.json").read_bytes())
    except (OSError, ValueError):
        return {}
    return values if isinstance(values, dict) else {}


def _code(about: Mapping[str, Any]) -> str:
    git = about.get("git")
    if not isinstance(git, Mapping) or not git.get("commit"):
        return "unknown commit"
    return f"commit {git['commit']}" + (" with uncommitted changes" if git.get("diff") or git.get("new_files") else "")


def _versions(about: Mapping[str, Any]) -> str:
    versions = about.get("versions")
    known = versions.items() if isinstance(versions, Mapping) else ()
    return ", ".join(f"{name} {version}" for name, version in known) or "unknown versions"


def _command(about: Mapping[str, Any]) -> str:
    """The table of runs has the seeds, so that commands are alike which differ in nothing else."""
    command = _SEEDS.sub(r"\1…", mask_secrets(str(about.get("command") or "unknown command")))
    return without_folders(command)


def _day(about: Mapping[str, Any]) -> str:
    return str(about.get("created") or "unknown day")[:10]


def _counted(answers: Sequence[str]) -> list[str]:
    counts = Counter(map(plain, answers))
    if len(counts) == 1:
        return list(counts)
    words = [f"{answer} ({runs_in_words(count)})" for answer, count in counts.most_common(MOST)]
    return words + ([f"and {len(counts) - MOST} more"] if len(counts) > MOST else [])
