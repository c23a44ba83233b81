"""One quasimetric critic and how it learns: push states apart while each step costs at most its cost."""

from dataclasses import dataclass

import torch
from torch import Tensor

from lifelong_rl.config import ConfigError
from lifelong_rl.goals.views import GoalView, NodeGoals
from lifelong_rl.losses.quasimetric import excess, global_push, two_way_consistency, weighted_excess
from lifelong_rl.networks.critics import Multiplier, QuasimetricCritic
from lifelong_rl.networks.optimizer import DecayConfig, Optimizer
from lifelong_rl.types import Batch, Metrics


@dataclass(frozen=True, kw_only=True)
class QRLCriticConfig:
    """Wang et al. 2023, section 4. Pushes fade `push_offset` steps apart, over 1 / `push_sharpness` steps.

    `passed_push_fraction` of the push goes from states to what their episode reached before: a goal just passed at
    speed looks like one just ahead, and only these pairs tell them apart.
    """

    learning_rate: float = 5e-4
    decay: DecayConfig | None = None  # of the critic's learning rate, not of the multipliers'
    multiplier_learning_rate: float = 1e-2
    initial_multiplier: float = 0.01
    multiplier_scale: float = 1.0  # softplus bends here; a step of the multiplier's optimizer is this times its rate
    slack: float = 0.25  # share of its cost by which a transition's distance may overshoot it (root mean square)
    push_offset: float = 500.0
    push_sharpness: float = 0.01
    dynamics_weight: float = 1.0
    passed_push_fraction: float = 0.0

    def __post_init__(self) -> None:
        multiplier = ("multiplier_learning_rate", "initial_multiplier", "multiplier_scale")
        for name in ("learning_rate", *multiplier, "push_sharpness"):
            if getattr(self, name) <= 0:
                raise ConfigError(f"{name} must be positive, got {getattr(self, name)}.")
        if not 0 <= self.passed_push_fraction <= 1:
            raise ConfigError(f"passed_push_fraction must lie in [0, 1], got {self.passed_push_fraction}.")


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
        initial, scale = config.initial_multiplier, config.multiplier_scale
        self.multipliers = [Multiplier(initial, scale).to(device) for _ in range(count)]
        self.optimizer = Optimizer(critic.parameters(), config.learning_rate, config.decay)
        raw = [multiplier.raw for multiplier in self.multipliers]
        self.multiplier_optimizer = Optimizer(raw, config.multiplier_learning_rate)

    def update(self, batch: Batch, action: Tensor, reached: Tensor) -> tuple[Metrics, Latents]:
        """One step of the critic and of its multipliers. `action` [B, A] as the dynamics take it, `reached` [B, G']."""
        config, critic = self.config, self.critic
        z, z_next = critic.encode(torch.cat([batch.observation, batch.next_observation])).chunk(2)
        latents = {"here": z, "after": z_next, "predicted": critic.predict(z, action)}
        if isinstance(self.goals, NodeGoals):
            latents["node"] = critic.encode_goal(reached)
        if config.passed_push_fraction:
            latents["later"] = critic.encode(batch.goal_observation)
        distance = self._distances(latents)

        far = self._push(distance["far"])
        passed = self._push(distance["passed"]) if "passed" in distance else torch.zeros_like(far)
        push = torch.lerp(far, passed, config.passed_push_fraction)
        consistency = two_way_consistency(distance["there"], distance["back"])
        unit = batch.cost.mean()  # so that multipliers and slack mean the same for transitions of one step and of ten
        violations = {"step": excess(distance["step"] / unit, batch.cost / unit, slack=config.slack)}
        if isinstance(self.goals, NodeGoals):
            cost, weight = self.goals.edge(batch.next_observation)
            violations["edge"] = weighted_excess(distance["edge"] / unit, cost / unit, weight, slack=config.slack)

        weights = [multiplier() for multiplier in self.multipliers]
        pairs = list(zip(weights, violations.values(), strict=True))
        constraints = sum(weight.detach() * violation for weight, violation in pairs)
        self.optimizer.descend(push + config.dynamics_weight * consistency + constraints)
        self.multiplier_optimizer.descend(-sum(weight * violation.detach() for weight, violation in pairs))

        metrics = {"push_loss": push, "dynamics_loss": consistency}
        named = [name for name in ("far", "passed", "step", "edge") if name in distance]
        metrics |= {f"{name}_distance": distance[name].mean() for name in named}
        for name, (weight, violation) in zip(violations, pairs, strict=True):
            metrics |= {f"{name}_excess": violation, f"{name}_multiplier": weight}
        known = Latents(z.detach(), latents.get("node", z_next).detach())
        return {name: value.detach() for name, value in metrics.items()}, known

    def _distances(self, latents: dict[str, Tensor]) -> dict[str, Tensor]:
        """Steps [B] between the pairs that the losses speak of: each latent projected once, all pairs at once."""
        projected = self.critic.project(torch.cat(list(latents.values())))
        point = dict(zip(latents, projected.chunk(len(latents)), strict=True))
        here, after, predicted = point["here"], point["after"], point["predicted"]
        goal = point.get("node", after)
        half = len(here) // 2  # pushed half from states, half from goals; the two are one where goals are states
        random = torch.cat([after.roll(1, 0)[:half], goal.roll(1, 0)[half:]])
        pairs = {
            "far": (here, random), "step": (here, after), "there": (predicted, after), "back": (after, predicted),
        }  # fmt: skip
        if "node" in point:
            pairs["edge"] = (after, goal)
        if "later" in point:
            pairs["passed"] = (point["later"], goal)
        left, right = (torch.cat(side) for side in zip(*pairs.values(), strict=True))
        return dict(zip(pairs, self.critic.distance(left, right).chunk(len(pairs)), strict=True))

    def _push(self, distance: Tensor) -> Tensor:
        return global_push(distance, offset=self.config.push_offset, sharpness=self.config.push_sharpness)

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
