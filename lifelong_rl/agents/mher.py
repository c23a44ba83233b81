"""Model-based hindsight experience replay (Yang et al. 2021, arXiv:2107.00306): DDPG, with goals reached in a model."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from lifelong_rl.agents.actions import to_unit
from lifelong_rl.agents.ddpg import DDPGAgent
from lifelong_rl.agents.dynamics_learner import DynamicsLearner
from lifelong_rl.agents.learners import TargetConfig
from lifelong_rl.agents.off_policy import OffPolicyParts
from lifelong_rl.config import ConfigError
from lifelong_rl.losses.imitation import squared_action_error
from lifelong_rl.networks.actors import DeterministicActor
from lifelong_rl.types import Batch, GoalFn, Metrics


@dataclass(frozen=True, kw_only=True)
class RelabellingConfig:
    """As published. An imagined path starts where a real step ended, and its states are drawn from alike."""

    fraction: float = 0.8  # share of a batch's rows that get virtual goals
    rollout_steps: int = 5  # imagined ones; 0: virtual goals are what the steps themselves achieved
    rollout_noise: float = 0.2  # standard deviation, in halves of the action range
    cloning_weight: float = 3.0  # of the supervised term, on rows with virtual goals
    warmup_updates: int = 100  # in which only the model learns

    def __post_init__(self) -> None:
        if not 0 <= self.fraction <= 1:
            raise ConfigError(f"fraction must lie in [0, 1], got {self.fraction}.")
        for name in ("rollout_steps", "rollout_noise", "cloning_weight", "warmup_updates"):
            if getattr(self, name) < 0:
                raise ConfigError(f"{name} must not be negative, got {getattr(self, name)}.")


@dataclass(frozen=True, kw_only=True)
class RelabelledBatch(Batch):
    """A batch some of whose goals were only imagined."""

    is_virtual: Tensor  # [B] bool


class MHERAgent(DDPGAgent):
    """Batches are single steps with the goals that were followed. The model sees what the task shows, unnormalised."""

    def __init__(
        self, parts: OffPolicyParts[DeterministicActor], target: TargetConfig, config: RelabellingConfig,
        model: DynamicsLearner, reward_fn: GoalFn, goal_of: Callable[[Tensor], Tensor],
    ) -> None:  # fmt: skip
        super().__init__(parts, target)
        self.config, self.model, self.reward_fn, self.goal_of = config, model, reward_fn, goal_of
        self.num_model_updates = 0

    def update(self, batch: Batch) -> Metrics:
        action = to_unit(batch.action, self.spec)
        metrics = self.model.update(batch.observation, action, batch.next_observation)
        self.num_model_updates += 1
        if self.num_model_updates <= self.config.warmup_updates:
            return metrics
        return metrics | super().update(self.relabelled(batch))

    @torch.no_grad()
    def relabelled(self, batch: Batch) -> RelabelledBatch:
        """The batch with virtual goals in a share of its rows, and rewards that follow the goals."""
        size, device = len(batch.reward), batch.reward.device
        is_virtual = torch.rand(size, generator=self.generator, device=device) < self.config.fraction
        moment = torch.randint(self.config.rollout_steps + 1, (size,), generator=self.generator, device=device)
        state = self.imagined(batch.next_observation, batch.goal, moment * is_virtual)

        goal = torch.where(is_virtual[:, None], self.goal_of(state), batch.goal)
        changed: dict[str, Any] = {
            "goal": goal,
            "reward": self.reward_fn(batch.next_achieved_goal, goal),
            "goal_observation": torch.where(is_virtual[:, None], state, batch.goal_observation),
            "steps_to_goal": torch.where(is_virtual, moment + 1, batch.steps_to_goal),
        }
        return RelabelledBatch(**vars(batch) | changed, is_virtual=is_virtual)

    @torch.no_grad()
    def imagined(self, observation: Tensor, goal: Tensor, num_steps: Tensor) -> Tensor:
        """[B, O]: where the actor, with noise, leads the model from `observation` in `num_steps` [B] towards `goal`."""
        state = observation.clone()
        for step in range(self.config.rollout_steps):
            going = num_steps > step
            here = state[going]
            noise = torch.empty(len(here), self.spec.action_size, device=here.device).normal_(generator=self.generator)
            action = self._act(here, goal[going]) + self.config.rollout_noise * noise
            state[going] = self.model.network.predict(here, action.clamp(-1, 1))
        return state

    def _act(self, observation: Tensor, goal: Tensor) -> Tensor:
        if self.normalizer is not None:
            observation, goal = self.normalizer.observation(observation), self.normalizer.goal(goal)
        return self.actor.network(observation, goal)

    def update_actor(self, batch: Batch) -> Metrics:
        """Climbs the critic, and clones the actions that led towards virtual goals."""
        assert isinstance(batch, RelabelledBatch)
        action = self.actor.network(batch.observation, batch.goal)
        error = batch.is_virtual * squared_action_error(action, batch.action)
        value = self.critic.score(batch, action) - self.config.cloning_weight * error
        return {"actor_loss": self.actor.climb(value, action), "cloning_error": error.detach().mean()}

    def state_dict(self) -> dict[str, Any]:
        own = {"model": self.model.state_dict(), "num_model_updates": self.num_model_updates}
        return super().state_dict() | own

    def load_state_dict(self, state: dict[str, Any]) -> None:
        super().load_state_dict(state)
        self.model.load_state_dict(state["model"])
        self.num_model_updates = state["num_model_updates"]
