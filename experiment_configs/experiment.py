"""What a variant may say: one frozen dataclass, every default filled in."""

import re
from dataclasses import dataclass, field
from typing import Any, Literal

from experiment_configs.agents import AGENTS
from lifelong_rl.config import ConfigError, one_of
from lifelong_rl.data.hindsight import HindsightConfig, hindsight_mix
from lifelong_rl.envs.maze2d_config import MAZE2D_NAMES, Maze2dConfig
from lifelong_rl.envs.registry import check_task_name
from lifelong_rl.recording.retention import RetentionConfig
from lifelong_rl.training.phase import Phase

GoalSet = Literal["multi", "single"]


@dataclass(frozen=True, kw_only=True)
class TaskConfig:
    """`layout` is a maze of one's own (`maze2d-custom`); `horizon=None` takes the task's.

    `num_workers` processes step the environments that a run collects from, and the run outlives them; 0: it does so
    itself. A step that takes longer than `step_timeout` seconds counts as hanging.
    """

    name: str
    layout: str | None = None
    horizon: int | None = None
    num_workers: int = 0
    step_timeout: float = 25.0

    def __post_init__(self) -> None:
        check_task_name(self.name, "name")
        if self.num_workers < 0 or self.step_timeout <= 0:
            counts = f"{self.num_workers} and {self.step_timeout}"
            raise ConfigError(f"num_workers must not be negative and step_timeout positive, got {counts}.")
        if self.name in MAZE2D_NAMES:
            Maze2dConfig(name=self.name, layout=self.layout, horizon=self.horizon)  # says what is wrong with them


@dataclass(frozen=True, kw_only=True)
class DatasetConfig:
    """An offline dataset. Where the file is absent and the task knows how, it is generated: these fields say how."""

    path: str
    num_transitions: int = 1_000_000
    noisy: bool = False
    hold_steps: int = 0  # up to so many steps at each reached target before the next one is drawn
    seed: int = 0


@dataclass(frozen=True, kw_only=True)
class SamplerConfig:
    """How batches are drawn from the dataset and from the replay store.

    `mix` is mrl's name for a mixture of goals (`future_4`, `rfaab_1_4_3_1_1`); it takes the place of `hindsight`.
    """

    batch_size: int = 256
    discount: float = 0.99
    n_step: int = 1
    mean_action: bool = False  # of the n steps, not their first
    hindsight: HindsightConfig = field(default_factory=lambda: HindsightConfig(future=1.0, future_discount=0.99))
    mix: str | None = None

    @property
    def goals(self) -> HindsightConfig:
        """What `mix` stands for, or `hindsight`."""
        return self.hindsight if self.mix is None else hindsight_mix(self.mix)

    def __post_init__(self) -> None:
        if self.mix is not None:
            hindsight_mix(self.mix)  # says what is wrong with it
        if self.batch_size < 1 or self.n_step < 1:
            raise ConfigError(f"batch_size {self.batch_size} and n_step {self.n_step} must be at least 1.")
        if not 0 <= self.discount <= 1:
            raise ConfigError(f"discount must lie in [0, 1], got {self.discount}.")


@dataclass(frozen=True, kw_only=True)
class EvaluationConfig:
    """Episodes per set of goals, played in one batch; `multi` draws a target for each, `single` is the task's own."""

    num_episodes: int = 100
    goals: tuple[GoalSet, ...] = ("multi", "single")
    seed: int = 1000

    def __post_init__(self) -> None:
        if self.num_episodes < 1:
            raise ConfigError(f"num_episodes must be at least 1, got {self.num_episodes}.")


@dataclass(frozen=True, kw_only=True)
class ExperimentConfig:
    """One run. `initialize_from` is a snapshot (`<run>/offline_itr_50`) whose agent this run starts with."""

    task: TaskConfig
    agent: Any = one_of(AGENTS, default="qrl")
    phases: tuple[Phase, ...]
    dataset: DatasetConfig | None = None
    sampler: SamplerConfig = field(default_factory=SamplerConfig)
    evaluation: EvaluationConfig = field(default_factory=EvaluationConfig)
    num_envs: int = 10  # collected from at once
    collect_goals: GoalSet = "multi"
    replay_capacity: int = 1_000_000
    snapshots: RetentionConfig = field(default_factory=RetentionConfig)
    initialize_from: str | None = None
    device: str = "cpu"  # or "cuda", "cuda:1"
    num_threads: int = 1
    matmul_precision: Literal["float32", "bfloat16"] = "float32"  # of products on a CPU; distances stay in float32
    log_to_wandb: bool = False
    log_to_tensorboard: bool = False
    seed: int = 0

    def __post_init__(self) -> None:
        if not re.fullmatch(r"cpu|cuda(:\d+)?", self.device):
            raise ConfigError(f"device must be 'cpu', 'cuda' or 'cuda:N', got {self.device!r}.")
        if self.num_envs < 1 or self.replay_capacity < self.num_envs:
            room = f"replay_capacity {self.replay_capacity}"
            raise ConfigError(f"num_envs must be at least 1 and at most {room}, got {self.num_envs}.")
        if self.num_threads < 1:
            raise ConfigError(f"num_threads must be at least 1, got {self.num_threads}.")
        if not self.phases:
            raise ConfigError("phases must name at least one phase.")
        names = [phase.name for phase in self.phases]
        if len(set(names)) < len(names):
            raise ConfigError(f"phases must have names of their own, got {', '.join(names)}.")
        self._check_sources()

    def _check_sources(self) -> None:
        """Every phase finds something to draw batches from."""
        has_collected = False
        for index, phase in enumerate(self.phases):
            has_collected = has_collected or not phase.is_offline
            if phase.dataset_share > 0 and self.dataset is None:
                raise ConfigError(f"phases[{index}] ({phase.name}) draws from a dataset, but 'dataset' is not given.")
            if phase.dataset_share < 1 and phase.updates_per_round > 0 and not has_collected:
                what = "draws from the replay store, but no env steps were taken by then"
                raise ConfigError(f"phases[{index}] ({phase.name}) {what}.")
