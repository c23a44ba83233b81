"""What a variant may say: one frozen dataclass, every default filled in."""

import re
from dataclasses import dataclass, field
from typing import Any, Literal

from experiment_configs.agents import AGENTS, NEED_EXAMPLES, NEED_SINGLE_STEPS, NEED_WAYPOINTS
from lifelong_rl.config import ConfigError, one_of, to_dict
from lifelong_rl.data.hindsight import HindsightConfig, hindsight_mix
from lifelong_rl.envs.grid_config import GRID_NAMES, GridConfig
from lifelong_rl.envs.maze2d_config import MAZE2D_NAMES, Maze2dConfig
from lifelong_rl.envs.registry import TASKS, check_task_name
from lifelong_rl.recording.retention import RetentionConfig
from lifelong_rl.training.phase import Phase

GoalSet = Literal["multi", "single"]


@dataclass(frozen=True, kw_only=True)
class TaskConfig:
    """`layout` is a maze of one's own (`maze2d-custom`, `grid-custom-v1`); `horizon=None` takes the task's.

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
        if self.name in GRID_NAMES:
            GridConfig(name=self.name, layout=self.layout, horizon=self.horizon)


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
    still_redraws: int = 0  # while a transition's episode moved nothing, it is drawn again, up to so many times
    still_distance: float = 0.01  # moved nothing: nothing achieved moved by more, in the goal's units
    waypoint_steps: int = 0  # also the observation so many steps ahead (HIQL); 0: none
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
        for name in ("waypoint_steps", "still_redraws", "still_distance"):
            if getattr(self, name) < 0:
                raise ConfigError(f"{name} must not be negative, got {getattr(self, name)}.")
        if not 0 <= self.discount <= 1:
            raise ConfigError(f"discount must lie in [0, 1], got {self.discount}.")


@dataclass(frozen=True, kw_only=True)
class EvaluationConfig:
    """Episodes per set of goals, played in one batch; `multi` draws a target for each, `single` is the task's own.

    `goals=None` takes both where the task has a goal of its own, and else `multi`.
    """

    num_episodes: int = 100
    goals: tuple[GoalSet, ...] | None = None
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
        self._check_agent()
        self._check_goal_sets()

    @property
    def evaluated_goals(self) -> tuple[GoalSet, ...]:
        """`evaluation.goals`, with its default filled in. The ids of gymnasium draw their goals themselves."""
        if self.evaluation.goals is not None:
            return self.evaluation.goals
        return ("multi", "single") if self.task.name in TASKS else ("multi",)

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

    def _check_agent(self) -> None:
        """Batches hold what the agent learns from."""
        name = to_dict(self)["agent"]["name"]
        if name in NEED_WAYPOINTS and not self.sampler.waypoint_steps:
            raise ConfigError(f"agent {name!r} learns from waypoints, but sampler.waypoint_steps is 0. Try 25.")
        if name in NEED_EXAMPLES and not self.sampler.goals.sources.keys() & {"future", "final"}:
            line = "the sampler draws no goals that were achieved later"
            raise ConfigError(f"agent {name!r} imitates ways to goals, but {line}. Weigh sampler.hindsight.future.")
        joined = {"sampler": self.sampler.n_step}
        joined |= {f"phases[{index}]": phase.n_step or 1 for index, phase in enumerate(self.phases)}
        for place, n_step in joined.items():
            if name in NEED_SINGLE_STEPS and n_step > 1:
                raise ConfigError(f"agent {name!r} learns from single steps: {place}.n_step must be 1, got {n_step}.")

    def _check_goal_sets(self) -> None:
        """Environments of gymnasium draw goals as they like."""
        places = {"evaluation.goals": self.evaluated_goals, "collect_goals": (self.collect_goals,)}
        for place, goals in places.items():
            if "single" in goals and self.task.name not in TASKS:
                line = f"{self.task.name} draws its goals itself and has no single one of its own"
                raise ConfigError(f"{place}: {line}. Use 'multi' alone.")
