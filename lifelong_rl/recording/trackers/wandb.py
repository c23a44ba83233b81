"""Weights & Biases: rows, videos and, on request, the last kept snapshot as an artifact."""

import hashlib
import json
import os
import shutil
from pathlib import Path
from typing import Any

from lifelong_rl.recording.metrics_file import Row
from lifelong_rl.recording.trackers.sent import Sent
from lifelong_rl.recording.trackers.tracker import TrackerError
from lifelong_rl.recording.trackers.videos import Video
from lifelong_rl.secrets import mask_secrets, mask_values

INIT_SECONDS = 60.0
FINISH_SECONDS = 600.0
DATA_ONLY = (".json", ".npy", ".safetensors")
ROW, VIDEOS = "row", "videos_sent"  # how many rows, and which videos: the server knows them after any crash


class Wandb:
    """A Weights & Biases run that bears the run directory's name; the same directory continues the same run.

    Offline where `WANDB_MODE=offline` says so or no API key is known: nothing asks for one, and `wandb sync` sends
    the run later. It is given masked values only, and gathers nothing by itself: not what is printed, nor the command
    line, code, git remote or packages, which are in `stdout.log` and `run.json`.
    """

    name, replaces = "wandb", False

    def __init__(self, run_dir: Path, project: str, finish_seconds: float = FINISH_SECONDS) -> None:
        os.environ.setdefault("WANDB_ERROR_REPORTING", "false")  # read as it is imported
        self._run_dir, self._project, self._finish_seconds = run_dir, project, finish_seconds
        self.place = os.environ.get("WANDB_MODE") or _mode_that_asks_nothing()
        if self.place not in ("online", "offline"):
            raise TrackerError(f"WANDB_MODE: expected online or offline, got {self.place!r}.")
        self._run: Any = None

    def open(self, sent: Sent) -> None:
        """Asks the server what it has, if that is not certain. Offline, a session that did not end is thrown away:

        the part of it that a crash left is of unknown length, and its rows are sent again.
        """
        import wandb

        is_certain = sent.session is None and sent.place == self.place
        if self.place == "offline":
            self._remove_broken(sent)
        sent.run_id = sent.run_id or self._new_id(sent)
        mode: Any = self.place
        self._run = wandb.init(
            project=self._project,
            name=self._run_dir.name,
            group=self._run_dir.absolute().parent.name,
            id=sent.run_id,
            resume="allow",
            dir=str(self._run_dir),
            config=mask_values(_read(self._run_dir / "variant.json")),
            mode=mode,
            settings=_settings_that_gather_nothing(self._finish_seconds),
        )
        self._define_metrics()
        if self.place == "online":
            sent.next_step = self._run.starting_step
            if not is_certain:
                summary = self._run.summary
                sent.has_only(summary.get(ROW, 0), [str(name) for name in summary.get(VIDEOS, [])])
        sent.session = Path(self._run.settings.sync_dir).name

    def show_row(self, row: Row, sent: Sent) -> None:
        """At a step of its own; `updates` is what curves are drawn over, unless one chooses `env_steps` or `epoch`."""
        self._log(mask_values(row) | {ROW: len(sent.rows) + 1}, sent)

    def show_video(self, video: Video, updates: int, sent: Sent) -> bool:
        import wandb

        film = wandb.Video(str(video.path))
        names = [mask_secrets(name) for name in (*sent.videos, video.path.name)]
        self._log({mask_secrets(video.title): film, "updates": updates, VIDEOS: names}, sent)
        return True

    def show_snapshot(self, snapshot: Path, sent: Sent) -> bool:
        """An artifact of type "run": `variant.json`, `run.json` and the files of the snapshot, which hold data only."""
        import wandb

        title = f"{self._run_dir.name}-{sent.run_id}"
        artifact = wandb.Artifact(title, type="run", metadata={"snapshot": snapshot.name})
        for name in ("variant.json", "run.json"):
            with artifact.new_file(name) as file:
                json.dump(mask_values(_read(self._run_dir / name)), file, indent=2)
        for path in sorted(snapshot.iterdir()):
            if path.suffix in DATA_ONLY:
                artifact.add_file(str(path), name=f"{snapshot.name}/{path.name}", skip_cache=True)
        self._run.log_artifact(artifact)
        return True

    def flush(self) -> bool:
        """What was shown is on its way, and arrives before `close` returns."""
        return False

    def close(self) -> None:
        run, self._run = self._run, None
        try:
            run.finish()
        except TimeoutError:
            raise TrackerError(f"wandb did not take all within {self._finish_seconds:g} s.") from None

    def _log(self, values: dict[str, Any], sent: Sent) -> None:
        self._run.log(values, step=sent.next_step)
        sent.next_step += 1

    def _define_metrics(self) -> None:
        self._run.define_metric("*", step_metric="updates")
        for name in (ROW, VIDEOS):
            self._run.define_metric(name, hidden=True)

    def _new_id(self, sent: Sent) -> str:
        again = "" if sent.num_runs == 1 else f"-{sent.num_runs}"
        return hashlib.sha256(str(self._run_dir.absolute()).encode()).hexdigest()[:16] + again

    def _remove_broken(self, sent: Sent) -> None:
        if sent.session is not None and sent.session.startswith("offline-run-") and "/" not in sent.session:
            shutil.rmtree(self._run_dir / "wandb" / sent.session, ignore_errors=True)


def _settings_that_gather_nothing(finish_seconds: float) -> Any:
    import wandb

    return wandb.Settings(
        init_timeout=INIT_SECONDS, finish_timeout=finish_seconds, finish_timeout_raises=True, silent=True,
        console="off", save_code=False, disable_code=True, disable_git=True, disable_job_creation=True,
        x_disable_meta=True, x_disable_stats=True, x_save_requirements=False, host="", program="",
    )  # fmt: skip


def _mode_that_asks_nothing() -> str:
    import wandb

    return "online" if wandb.login(prompt=False) else "offline"


def _read(path: Path) -> dict[str, Any]:
    """Empty where there is no such file: a run that was built by hand."""
    return dict(json.loads(path.read_bytes())) if path.exists() else {}
