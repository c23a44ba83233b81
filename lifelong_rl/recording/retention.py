"""Which of a run's snapshots stay: the last few, every m-th, and those that said so themselves."""

import re
import shutil
from dataclasses import dataclass
from pathlib import Path

from lifelong_rl.recording.errors import SnapshotError
from lifelong_rl.recording.newest import INTERRUPTED, snapshots_of
from lifelong_rl.recording.snapshot import read_meta


@dataclass(frozen=True, kw_only=True)
class RetentionConfig:
    """`keep_last=None` keeps all. `keep_every=10` keeps itr_10, itr_20, ... for good; 0 none of them for that."""

    keep_last: int | None = 5
    keep_every: int = 10

    def __post_init__(self) -> None:
        if self.keep_last is not None and self.keep_last < 1:
            raise ValueError(f"RetentionConfig: keep_last must be at least 1 or None, got {self.keep_last}.")
        if self.keep_every < 0:
            raise ValueError(f"RetentionConfig: keep_every must not be negative, got {self.keep_every}.")


def delete_superfluous(run_dir: Path, config: RetentionConfig) -> None:
    """Call it once the newest snapshot is in place: it was read back before it got its name."""
    regular = [path for path in snapshots_of(run_dir) if path.name != INTERRUPTED]
    for path in regular[config.keep_last :] if config.keep_last is not None else []:
        number = int(re.findall(r"\d+$", path.name)[0])
        if not (config.keep_every and number % config.keep_every == 0) and not _keeps_itself(path):
            _delete(path)


def _keeps_itself(path: Path) -> bool:
    try:
        return bool(read_meta(path).get("keep"))
    except SnapshotError:
        return False


def _delete(path: Path) -> None:
    """Under another name first: a deletion that is cut short leaves nothing that looks like a snapshot."""
    aside = path.with_name(f".{path.name}.tmp-deleted")
    shutil.rmtree(aside, ignore_errors=True)
    path.rename(aside)
    shutil.rmtree(aside, ignore_errors=True)
