"""A built run: trains, goes on where it stopped, and ends with a table of what it reached."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from rich.console import Console

from experiment_configs.evaluation_table import evaluation_table
from experiment_configs.experiment import ExperimentConfig
from experiment_configs.weights import networks_line
from lifelong_rl.config import to_dict
from lifelong_rl.config_paths import first_difference, plain_copy
from lifelong_rl.recording.errors import SnapshotError
from lifelong_rl.recording.logger import Logger
from lifelong_rl.recording.newest import load_newest
from lifelong_rl.recording.progress import Progress
from lifelong_rl.recording.run_recorder import RunRecorder
from lifelong_rl.recording.state_tree import check_shapes
from lifelong_rl.recording.timer import Timer
from lifelong_rl.recording.trackers.mirror import Mirror
from lifelong_rl.recording.trackers.sender import wandb_sender
from lifelong_rl.recording.trackers.tensorboard import TensorBoard
from lifelong_rl.recording.trackers.tracker import Tracker, open_tracker
from lifelong_rl.secrets import mask_values
from lifelong_rl.training.evaluator import Evaluator
from lifelong_rl.training.interrupts import Interrupts
from lifelong_rl.training.rl_algorithm import RLAlgorithm
from lifelong_rl.types import Metrics

# What may differ between the start of a run and its going on
MAY_CHANGE = ("device", "num_threads", "snapshots", "log_to_wandb", "log_to_tensorboard")


@dataclass(frozen=True, kw_only=True)
class Run:
    """What `build` returns and a job trains. `going_on_from` is the snapshot that it goes on from, if there is one."""

    config: ExperimentConfig
    run_dir: Path
    algorithm: RLAlgorithm
    logger: Logger
    timer: Timer
    dataset: dict[str, Any] | None = None  # size and sha256 of the file that the run learns from
    going_on_from: Path | None = None

    def train(self, interrupts: Interrupts | None = None) -> None:
        """All phases that are not over yet, then the closing table."""
        algorithm = self.algorithm
        print(networks_line(algorithm.agent.state_dict()))
        num_epochs = sum(phase.num_epochs for phase in self.config.phases)
        try:
            progress = Progress(num_epochs, epochs_before=algorithm.epochs_before, updates_before=algorithm.updates)
            recorder = RunRecorder(
                self.run_dir, self.logger, self.timer, progress, self.meta, retention=self.config.snapshots,
                previous=self.going_on_from,
            )  # fmt: skip
            with progress:
                algorithm.train(recorder, interrupts)
        finally:
            self.logger.close()
        if recorder.unsaved is not None:
            raise recorder.unsaved
        self.print_table()

    @property
    def meta(self) -> dict[str, Any]:
        """What the run is, as its snapshots say it."""
        return {"variant": mask_values(to_dict(self.config)), "dataset": self.dataset}

    def resumed(self) -> Self:
        """This run where its newest whole snapshot stands; as it is, where its directory holds none."""
        newest = load_newest(self.run_dir)
        if newest is None:
            return self
        path, snapshot = newest
        self._check_same_run(path, snapshot.meta)
        check_shapes(self.algorithm.agent.state_dict(), snapshot.parts["agent"], f"{path}: agent")
        self.algorithm.load(snapshot.parts)
        self.algorithm.lengthen(snapshot.meta["variant"]["phases"][-1]["num_epochs"])
        print(f"going on from {path}")
        return dataclasses.replace(self, going_on_from=path)

    def _check_same_run(self, path: Path, meta: Mapping[str, Any]) -> None:
        """Refuses what another variant trained, and to go on with other data."""
        ours, theirs = (plain_copy(variant) for variant in (self.meta["variant"], meta.get("variant")))
        last, before = ours["phases"][-1], theirs["phases"][-1]
        if before["num_epochs"] < last["num_epochs"]:  # a run may become longer: a search gives more to the better ones
            theirs["phases"][-1] = before | {"num_epochs": last["num_epochs"]}
        different = first_difference(ours, theirs | {name: ours[name] for name in MAY_CHANGE})
        if different is not None:
            name, our_value, their_value = different
            raise SnapshotError(f"{path}: of another run: variant.{name} is {their_value!r}, here it is {our_value!r}.")
        if self.dataset != meta.get("dataset"):
            assert self.config.dataset is not None
            raise SnapshotError(f"{path}: {self.config.dataset.path} is not the file that this run began with.")

    def print_table(self) -> None:
        """Ours and the reference policies, on the same starts and goals; nothing where the run does not evaluate."""
        rows = []
        for goals, measure in self.algorithm.measures.items():
            if isinstance(measure, Evaluator):
                policies = {"ours": measure.evaluate(self.algorithm.agent)}
                policies |= dict(sorted(measure.reference_metrics.items()))
                rows += [(goals, policy, _numbers(metrics)) for policy, metrics in policies.items()]
        if rows:
            title = f"{self.config.task.name}: {self.config.evaluation.num_episodes} episodes a row"
            Console().print(evaluation_table(title, rows))


def open_logger(config: ExperimentConfig, run_dir: Path) -> Logger:
    """Rows to files and to the trackers that the config asks for."""
    trackers: list[Tracker] = []
    if config.log_to_wandb:
        trackers += open_tracker(lambda: wandb_sender(run_dir, "lifelong_rl"))
    if config.log_to_tensorboard:
        trackers += open_tracker(lambda: Mirror(run_dir, TensorBoard(run_dir)))
    return Logger(run_dir, trackers)


def _numbers(metrics: Metrics) -> dict[str, float]:
    return {name: float(value) for name, value in metrics.items()}
