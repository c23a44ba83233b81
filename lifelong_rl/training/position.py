"""Where training stands. A stopped run goes on at the very update and environment step at which it stopped."""

from dataclasses import asdict, dataclass
from typing import Any

from lifelong_rl.training.phase import Phase


@dataclass
class Position:
    """Counts what is over: phases, epochs of the phase, rounds of the epoch, updates of the round and of the run."""

    phase: int = 0
    epoch: int = 0
    round: int = 0
    round_updates: int = 0
    updates: int = 0
    env_steps: int = 0  # transitions collected in the run
    phase_start: int = 0  # env_steps when this phase began

    def state_dict(self) -> dict[str, Any]:
        return asdict(self)

    def load_state_dict(self, state: dict[str, Any]) -> None:
        for name in asdict(self):
            setattr(self, name, int(state[name]))

    def end_round(self) -> None:
        self.round, self.round_updates = self.round + 1, 0

    def end_epoch(self, phase: Phase) -> None:
        """After a phase's last epoch the next phase begins."""
        self.epoch, self.round = self.epoch + 1, 0
        if self.epoch == phase.num_epochs:
            self.phase, self.epoch, self.phase_start = self.phase + 1, 0, self.env_steps

    def go_back_into(self, phase: Phase, num_epochs: int, num_envs: int) -> None:
        """`phase`, the last one, was over after `num_epochs` epochs, and is to be longer now."""
        self.phase, self.epoch, self.phase_start = self.phase - 1, num_epochs, 0
        steps = self.collect_until(phase, num_envs, rounds=num_epochs * phase.rounds_per_epoch)
        self.phase_start = self.env_steps - steps

    def random_until(self, phase: Phase, num_envs: int) -> int:
        """`env_steps` at which this phase's random steps are over. All environments step at once: whole steps of N."""
        return self.phase_start + _whole(phase.random_env_steps, num_envs)

    def collect_until(self, phase: Phase, num_envs: int, *, rounds: int) -> int:
        """`env_steps` at which this phase's warm-up and so many of its rounds are collected."""
        steps = _whole(phase.warmup_env_steps, num_envs) + rounds * _whole(phase.env_steps_per_round, num_envs)
        return self.random_until(phase, num_envs) + steps

    def rounds_begun(self, phase: Phase) -> int:
        """Rounds of this phase, the one that goes on included."""
        return self.epoch * phase.rounds_per_epoch + self.round + 1


def _whole(steps: int, num_envs: int) -> int:
    return -(-steps // num_envs) * num_envs
