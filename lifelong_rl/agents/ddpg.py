"""Deep deterministic policy gradient (Lillicrap et al. 2016, arXiv:1509.02971), told a goal where tasks have goals."""

from typing import Any

import torch
from torch import Tensor

from lifelong_rl.agents.learners import Follower, TargetConfig
from lifelong_rl.agents.off_policy import ActingPolicy, OffPolicyAgent, OffPolicyParts
from lifelong_rl.networks.actors import DeterministicActor
from lifelong_rl.types import Batch, Metrics, Policy


class DDPGAgent(OffPolicyAgent[DeterministicActor]):
    """The target actor acts in the critic's target. Noise while exploring is the phase's: the policy is the same."""

    def __init__(self, parts: OffPolicyParts[DeterministicActor], target: TargetConfig) -> None:
        super().__init__(parts)
        self.target_actor = Follower(target, self.actor.network)

    def policy(self, *, explore: bool) -> Policy:
        return ActingPolicy(self.actor.network, self.normalizer, self.spec)

    def update_critic(self, batch: Batch) -> Metrics:
        return self.critic.update(batch, self.next_action(batch))

    @torch.no_grad()
    def next_action(self, batch: Batch) -> Tensor:
        """[B, A], what the target bootstraps from."""
        return self.target_actor.network(batch.next_observation, batch.goal)

    def update_actor(self, batch: Batch) -> Metrics:
        action = self.actor.network(batch.observation, batch.goal)
        return {"actor_loss": self.actor.climb(self.critic.score(batch, action), action)}

    def follow(self) -> None:
        super().follow()
        self.target_actor.follow()

    def state_dict(self) -> dict[str, Any]:
        return super().state_dict() | {"target_actor": self.target_actor.state_dict()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        super().load_state_dict(state)
        self.target_actor.load_state_dict(state["target_actor"])
