"""The plainest goal source: do what the environment asks."""

from typing import Any

from torch import Tensor


class EnvironmentGoals:
    """Stateless."""

    def choose(self, desired_goal: Tensor, observation: Tensor) -> Tensor:
        return desired_goal

    def state_dict(self) -> dict[str, Any]:
        return {}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        pass
