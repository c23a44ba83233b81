"""A built run: trains, goes on where it stopped, and ends with a table of what it reached."""

from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from experiment_configs.experiment import ExperimentConfig
from lifelong_rl.config import to_dict
from lifelong_rl.recording.logger import Logger
from lifelong_rl.recording.newest import newest_snapshot
from lifelong_rl.recording.progress import Progress
from lifelong_rl.recording.run_recorder import RunRecorder
from lifelong_rl.recording.snapshot import load_snapshot
from lifelong_rl.recording.state_tree import check_shapes
from lifelong_rl.recording.timer import Timer
from lifelong_rl.recording.trackers import TensorBoardTracker, Tracker, WandbTracker, open_tracker
from lifelong_rl.training.evaluator import Evaluator
from lifelong_rl.training.rl_algorithm import RLAlgorithm
from lifelong_rl.types import Metrics

ROWS = (  # metric, heading, format
    ("success_rate", "success", "{:.1%}"),
    ("success_at_end_rate", "at the end", "{:.1%}"),
    ("steps_to_goal_mean", "steps to goal", "{:.1f}"),
    ("held_fraction", "time held", "{:.1%}"),
    ("return_mean", "return", "{:.1f}"),
    ("normalized_score", "D4RL score", "{:.1f}"),
)


@dataclass(frozen=True, kw_only=True)
class Run:
    """What `build` returns and a job trains."""

    config: ExperimentConfig
    run_dir: Path
    algorithm: RLAlgorithm
    logger: Logger
    timer: Timer

    def train(self) -> None:
        """All phases that are not done yet, then the closing table."""
        algorithm = self.algorithm
        num_epochs = sum(phase.num_epochs for phase in self.config.phases)
        meta = {"variant": to_dict(self.config)}
        try:
            progress = Progress(num_epochs, epochs_before=algorithm.epochs_before, updates_before=algorithm.updates)
            with progress:
                algorithm.train(RunRecorder(self.run_dir, self.logger, self.timer, progress, meta))
        finally:
            self.logger.close()
        self.print_table()

    def resume(self) -> None:
        """Goes on from the newest whole snapshot in the run's directory; from the start where there is none."""
        newest = newest_snapshot(self.run_dir)
        if newest is None:
            return
        snapshot = load_snapshot(newest)
        check_shapes(self.algorithm.agent.state_dict(), snapshot.parts["agent"], f"{newest}: agent")
        self.algorithm.load(snapshot.parts, snapshot.meta["counters"])
        print(f"going on from {newest}")

    def print_table(self) -> None:
        """Ours, the fresh controller and a random policy, on the same starts and goals."""
        table = Table(title=f"{self.config.task.name}: {self.config.evaluation.num_episodes} episodes a row")
        for heading in ("goals", "policy", *(heading for _, heading, _ in ROWS)):
            is_name = heading in ("goals", "policy")
            table.add_column(heading, justify="left" if is_name else "right", no_wrap=is_name)
        for goals, measure in self.algorithm.measures.items():
            if not isinstance(measure, Evaluator):
                continue
            ours = measure.evaluate(self.algorithm.agent)
            rows = {"ours": ours, **dict(sorted(measure.reference_metrics.items()))}
            for policy, metrics in rows.items():
                table.add_row(goals, policy, *_cells(metrics))
        Console().print(table)


def open_logger(config: ExperimentConfig, run_dir: Path) -> Logger:
    """Rows to files and to the trackers that the config asks for."""
    trackers: list[Tracker] = []
    if config.log_to_wandb:
        trackers += open_tracker(lambda: WandbTracker(run_dir, "lifelong_rl", to_dict(config)))
    if config.log_to_tensorboard:
        trackers += open_tracker(lambda: TensorBoardTracker(run_dir))
    return Logger(run_dir, trackers)


def _cells(metrics: Metrics) -> list[str]:
    return [form.format(float(metrics[name])) if name in metrics else "-" for name, _, form in ROWS]
