"""One quasimetric critic and how it learns: push states apart while each step costs at most its cost."""

from dataclasses import dataclass

import torch
from torch import Tensor

from lifelong_rl.goals.views import GoalView, NodeGoals
from lifelong_rl.losses.quasimetric import excess, global_push, two_way_consistency, weighted_excess
from lifelong_rl.networks.critics import Multiplier, QuasimetricCritic
from lifelong_rl.networks.optimizer import Optimizer
from lifelong_rl.types import Batch, Metrics


@dataclass(frozen=True, kw_only=True)
class QRLCriticConfig:
    """Wang et al. 2023, section 4. Pushes fade `push_offset` steps apart, over 1 / `push_sharpness` steps."""

    learning_rate: float = 5e-4
    multiplier_learning_rate: float = 1e-2
    initial_multiplier: float = 0.01
    slack: float = 0.25  # steps by which a one-step distance may overshoot its cost (root mean square)
    push_offset: float = 500.0
    push_sharpness: float = 0.01
    dynamics_weight: float = 1.0


@dataclass(frozen=True)
class Latents:
    """Detached latents [B, L] from before the critic's step."""

    state: Tensor
    reached: Tensor


class QRLCritic:
    """A critic with its Lagrange multipliers and optimizers; several of them share nothing."""

    def __init__(self, config: QRLCriticConfig, critic: QuasimetricCritic, goals: GoalView) -> None:
        self.config, self.critic, self.goals = config, critic, goals
        count = 2 if isinstance(goals, NodeGoals) else 1
        device = next(critic.parameters()).device
        self.multipliers = [Multiplier(config.initial_multiplier).to(device) for _ in range(count)]
        self.optimizer = Optimizer(critic.parameters(), config.learning_rate)
        raw = [multiplier.raw for multiplier in self.multipliers]
        self.multiplier_optimizer = Optimizer(raw, config.multiplier_learning_rate)

    def update(self, batch: Batch, action: Tensor, reached: Tensor) -> tuple[Metrics, Latents]:
        z, z_next = self.critic.encode(torch.cat([batch.observation, batch.next_observation])).chunk(2)
        z_predicted = self.critic.predict(z, action)
        if isinstance(self.goals, NodeGoals):
            z_reached = self.critic.encode_goal(reached)
            terms, metrics = self._node_terms(self.goals, batch, z, z_next, z_predicted, z_reached)
        else:
            z_reached = z_next
            terms, metrics = self._state_terms(batch, z, z_next, z_predicted)

        push, consistency, *violations = terms
        values = [multiplier() for multiplier in self.multipliers]
        pairs = list(zip(values, violations, strict=True))
        constraint = sum(value.detach() * violation for value, violation in pairs)
        self.optimizer.descend(push + self.config.dynamics_weight * consistency + constraint)
        self.multiplier_optimizer.descend(-sum(value * violation.detach() for value, violation in pairs))
        metrics |= {"push_loss": push, "dynamics_loss": consistency}
        for name, (value, violation) in zip(("step", "edge"), pairs, strict=False):
            metrics |= {f"{name}_excess": violation, f"{name}_multiplier": value}
        return {name: value.detach() for name, value in metrics.items()}, Latents(z.detach(), z_reached.detach())

    def _state_terms(self, batch: Batch, z: Tensor, z_next: Tensor, z_predicted: Tensor) -> tuple[list[Tensor], dict]:
        critic, config = self.critic, self.config
        here, after, predicted = critic.project(torch.cat([z, z_next, z_predicted])).chunk(3)
        left = torch.cat([here, here, predicted, after])
        right = torch.cat([after.roll(1, 0), after, after, predicted])
        far, step, there, back = critic.distance(left, right).chunk(4)
        push = global_push(far, offset=config.push_offset, sharpness=config.push_sharpness)
        violation = excess(step, batch.cost, slack=config.slack)
        terms = [push, two_way_consistency(there, back), violation]
        return terms, {"step_distance": step.mean(), "far_distance": far.mean()}

    def _node_terms(
        self, goals: NodeGoals, batch: Batch, z: Tensor, z_next: Tensor, z_predicted: Tensor, z_node: Tensor
    ) -> tuple[list[Tensor], dict]:
        critic, config = self.critic, self.config
        here, after, predicted, node = critic.project(torch.cat([z, z_next, z_predicted, z_node])).chunk(4)
        half = len(here) // 2
        random = torch.cat([after.roll(1, 0)[:half], node.roll(1, 0)[half:]])  # half to states, half to nodes
        left = torch.cat([here, here, predicted, after, after])
        right = torch.cat([random, after, after, predicted, node])
        far, step, there, back, edge = critic.distance(left, right).chunk(5)
        push = global_push(far, offset=config.push_offset, sharpness=config.push_sharpness)
        cost, weight = goals.edge(batch.next_observation)
        violation = excess(step, batch.cost, slack=config.slack)
        edge_violation = weighted_excess(edge, cost, weight, slack=config.slack)
        terms = [push, two_way_consistency(there, back), violation, edge_violation]
        return terms, {"step_distance": step.mean(), "edge_distance": edge.mean(), "far_distance": far.mean()}

    def state_dict(self) -> dict:
        return {
            "critic": self.critic.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "multipliers": [multiplier.raw.detach() for multiplier in self.multipliers],
            "multiplier_optimizer": self.multiplier_optimizer.state_dict(),
        }

    def load_state_dict(self, state: dict) -> None:
        self.critic.load_state_dict(state["critic"])
        self.optimizer.load_state_dict(state["optimizer"])
        for multiplier, raw in zip(self.multipliers, state["multipliers"], strict=True):
            multiplier.raw.data.copy_(raw)
        self.multiplier_optimizer.load_state_dict(state["multiplier_optimizer"])
