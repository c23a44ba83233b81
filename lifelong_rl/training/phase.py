"""A phase is a stretch of training with one rhythm: offline, online and on-policy differ in these values only."""

from dataclasses import dataclass

from lifelong_rl.config import ConfigError


@dataclass(frozen=True, kw_only=True)
class Phase:
    """Each epoch is `rounds_per_epoch` rounds of stepping the environments, then updating. No env steps: offline."""

    name: str
    num_epochs: int
    rounds_per_epoch: int = 1
    env_steps_per_round: int = 0
    updates_per_round: int = 0
    random_env_steps: int = 0  # taken uniformly at random before the first round
    warmup_env_steps: int = 0  # taken by the policy before the first round
    offline_fraction: float | None = None  # share of a batch from the dataset; None: 1 offline, 0 online
    steps_after_success: int | None = None  # collected episodes end so many steps after their goal was reached
    n_step: int | None = None  # steps joined into one transition; None: the sampler's
    explores: bool = True  # collects by the agent's exploring policy; False: as it acts when it is evaluated
    exploration_noise: float = 0.0  # standard deviation, in halves of the action range
    random_action_fraction: float = 0.0  # share of collected actions that are drawn uniformly, after the noise
    evaluation_interval: int = 1  # epochs
    snapshot_interval: int = 1  # epochs; the last epoch is always kept
    film_episodes: int = 0  # fresh ones, filmed at each of these snapshots; a film shows up to 9

    def __post_init__(self) -> None:
        if self.offline_fraction is not None and not 0 <= self.offline_fraction <= 1:
            raise ConfigError(f"offline_fraction must lie in [0, 1], got {self.offline_fraction}.")
        if not 0 <= self.random_action_fraction <= 1:
            raise ConfigError(f"random_action_fraction must lie in [0, 1], got {self.random_action_fraction}.")
        if self.n_step is not None and self.n_step < 1:
            raise ConfigError(f"n_step must be at least 1, got {self.n_step}.")
        for name in ("num_epochs", "rounds_per_epoch", "evaluation_interval", "snapshot_interval"):
            if getattr(self, name) < 1:
                raise ConfigError(f"{name} must be at least 1, got {getattr(self, name)}.")
        steps = ("env_steps_per_round", "random_env_steps", "warmup_env_steps", "steps_after_success")
        for name in ("updates_per_round", "film_episodes", *steps):
            if (getattr(self, name) or 0) < 0:
                raise ConfigError(f"{name} must not be negative, got {getattr(self, name)}.")

    @property
    def is_offline(self) -> bool:
        return self.env_steps_per_round + self.random_env_steps + self.warmup_env_steps == 0

    @property
    def dataset_share(self) -> float:
        """`offline_fraction` with its default filled in."""
        return float(self.is_offline) if self.offline_fraction is None else self.offline_fraction
