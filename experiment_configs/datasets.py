"""Finds a run's offline dataset, and generates it first where it is absent and the task knows how."""

from pathlib import Path
from typing import Any

from filelock import FileLock

from experiment_configs.experiment import DatasetConfig, TaskConfig
from lifelong_rl.config import ConfigError
from lifelong_rl.data.datasets.d4rl import write_d4rl
from lifelong_rl.data.datasets.load import load_dataset
from lifelong_rl.data.datasets.minari_columns import MAIN_FILE
from lifelong_rl.data.episodes import EpisodeStore
from lifelong_rl.data.hindsight import HindsightConfig
from lifelong_rl.envs.maze2d_config import MAZE2D_NAMES, Maze2dConfig
from lifelong_rl.envs.maze2d_generate import D4RL_NOISE, GENERATOR_VERSION, Maze2dDatasetConfig, generate_maze2d
from lifelong_rl.recording.counting import counting_bar
from lifelong_rl.recording.files import fingerprint
from lifelong_rl.types import TaskSpec


def open_dataset(config: DatasetConfig, task: TaskConfig, spec: TaskSpec, device: str) -> EpisodeStore:
    """All of it, in a store of just that size."""
    path = Path(config.path)
    if not path.exists():
        if task.name not in MAZE2D_NAMES:
            raise ConfigError(f"variant.dataset.path: {path} does not exist, and {task.name} has no generator.")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with FileLock(path.with_name(f".{path.name}.lock")):  # runs that start together generate once
                if not path.exists():
                    generate_dataset(config, task)
        except OSError as error:
            raise ConfigError(f"variant.dataset.path: {path} cannot be written: {error.strerror or error}.") from error
    return load_dataset(path, spec, device)


def check_goals_are_told(config: DatasetConfig, store: EpisodeStore, goals: HindsightConfig) -> None:
    """A ConfigError where batches are to have goals that the dataset does not tell."""
    untold = [name for name in ("behaviour", "desired", "followed") if goals.weights[name]]
    if untold and "goal" not in store.column_names:
        line = f"{config.path} does not tell which goals were followed, but sampler draws from {', '.join(untold)}"
        raise ConfigError(f"variant.dataset.path: {line}. It can draw from future, final, achieved and random.")


def dataset_identity(config: DatasetConfig) -> dict[str, Any]:
    """Size and sha256 of the file that holds the rows."""
    path = Path(config.path)
    return fingerprint(path / MAIN_FILE if path.is_dir() else path)


def generate_dataset(config: DatasetConfig, task: TaskConfig) -> None:
    """Writes a maze2d dataset in D4RL's layout to `config.path`, with a progress bar."""
    source = Maze2dDatasetConfig(
        task=Maze2dConfig(name=task.name, layout=task.layout, horizon=task.horizon, random_goals=True),
        size=config.num_transitions,
        seed=config.seed,
        noise=D4RL_NOISE if config.noisy else 0.0,
        hold_steps=(0, config.hold_steps),
    )
    with counting_bar(f"generating {config.path}", config.num_transitions) as advance_to:
        columns = generate_maze2d(source, progress=lambda count, total: advance_to(count))
    write_d4rl(config.path, columns, task=task.name, seed=config.seed, generator_version=str(GENERATOR_VERSION))
