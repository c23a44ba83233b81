"""Quasimetric RL (Wang et al. 2023, arXiv:2304.01203): distances without shortcuts, and an actor that shortens them."""

from dataclasses import dataclass

import torch
from torch import Tensor

from lifelong_rl.agents.actions import one_hot, to_range, to_unit
from lifelong_rl.agents.qrl_critic import Latents, QRLCritic
from lifelong_rl.agents.qrl_policies import (
    ActorPolicy,
    ByActorConfig,
    GreedyConfig,
    GreedyPolicy,
    MPPIPolicy,
)
from lifelong_rl.config import ConfigError
from lifelong_rl.goals.views import GoalView
from lifelong_rl.losses.quasimetric import pessimistic_distance
from lifelong_rl.networks.actors import TanhNormalActor
from lifelong_rl.networks.optimizer import DecayConfig, Optimizer
from lifelong_rl.planners.mppi import MPPIConfig
from lifelong_rl.types import Batch, Metrics, Policy, TaskSpec


@dataclass(frozen=True, kw_only=True)
class QRLActorConfig:
    """Wang et al. 2023, section 4.3. `target_entropy=None` means minus half the action range, summed."""

    hidden_sizes: tuple[int, ...] = (256, 256)
    layer_norm: bool = True
    image_channels: tuple[int, int, int] = (32, 64, 64)  # of the convolutions, where observations are pictures
    learning_rate: float = 3e-5
    decay: DecayConfig | None = None
    behaviour_cloning_weight: float = 0.05  # towards the goals that the data reached later
    minimise_to_future_goals: bool = False  # also shorten the distance to those, not only to random ones
    adaptive_entropy: bool = False
    entropy_learning_rate: float = 3e-4
    target_entropy: float | None = None

    def __post_init__(self) -> None:
        rates = self.learning_rate, self.entropy_learning_rate
        if min(rates) <= 0:
            raise ConfigError(f"learning rates must be positive, got {rates[0]} and {rates[1]}.")
        for name in ("hidden_sizes", "image_channels"):
            if min(getattr(self, name), default=1) < 1:
                raise ConfigError(f"{name} must be at least 1 each, got {list(getattr(self, name))}.")


class QRLAgent:
    """K independent critics and an actor (None: the critics act, and `acting` says how)."""

    def __init__(
        self,
        config: QRLActorConfig,
        acting: ByActorConfig | GreedyConfig | MPPIConfig,
        critics: list[QRLCritic],
        actor: TanhNormalActor | None,
        goals: GoalView,
        spec: TaskSpec,
        generator: torch.Generator,
    ) -> None:
        self.config, self.critics, self.actor, self.goals, self.spec = config, critics, actor, goals, spec
        self.acting, self.generator = acting, generator
        if actor is not None:
            self._actor_optimizer = Optimizer(actor.parameters(), config.learning_rate, config.decay)
            self._log_temperature = torch.zeros((), device=generator.device, requires_grad=True)
            self._temperature_optimizer = Optimizer([self._log_temperature], config.entropy_learning_rate)
            default = -spec.action_size * (spec.action_high - spec.action_low) / 2
            self._target_entropy = default if config.target_entropy is None else config.target_entropy

    def policy(self, *, explore: bool) -> Policy:
        """Explores by the actor's samples where there is an actor."""
        shared = (self.goals, self.spec, self.generator)
        if self.actor is not None and explore:
            return ActorPolicy(self.actor, *shared, mode="sample")
        if isinstance(self.acting, ByActorConfig):
            assert self.actor is not None
            return ActorPolicy(self.actor, *shared, mode=self.acting.mode)
        critics = [learner.critic for learner in self.critics]
        if isinstance(self.acting, GreedyConfig):
            return GreedyPolicy(self.acting, critics, *shared)
        return MPPIPolicy(self.acting, critics, *shared)

    def prepare(self) -> Metrics:
        return {}

    @torch.no_grad()
    def steps_between(self, observation: Tensor, goal: Tensor) -> Tensor:
        """Steps [B] from observations [B, O] to the task's goals [B, G], by the critic of K that thinks it longest."""
        asked = self.goals.asked(observation, goal)
        return torch.stack([learner.critic.steps_between(observation, asked) for learner in self.critics]).amax(0)

    def update(self, batch: Batch) -> Metrics:
        reached = self.goals.reached(batch)
        action = one_hot(batch.action, self.spec)
        metrics: Metrics = {}
        latents = []
        for index, critic in enumerate(self.critics):
            report, latent = critic.update(batch, action, reached)
            latents.append(latent)
            prefix = f"critic_{index}/" if len(self.critics) > 1 else ""
            metrics |= {f"{prefix}{name}": value for name, value in report.items()}
        if self.actor is not None:
            metrics |= self._update_actor(batch, reached, latents)
        return metrics

    def _update_actor(self, batch: Batch, reached: Tensor, latents: list[Latents]) -> Metrics:
        assert self.actor is not None
        config, size = self.config, len(batch.observation)
        random, future = reached.roll(1, 0), self.goals.future(batch)
        seen = self.actor.torso(batch.observation)
        distribution = self.actor.choose(seen.repeat(2, 1), self.actor.torso(torch.cat([random, future])))
        sampled = distribution.sample(self.generator)
        action = sampled if config.minimise_to_future_goals else sampled[:size]

        pairs = zip(self.critics, latents, strict=True)
        distances = [self._distance(critic, latent, action, future) for critic, latent in pairs]
        distance = pessimistic_distance(torch.stack(distances))
        metrics = {"actor_distance": distance}
        loss = distance
        if config.behaviour_cloning_weight:
            log_prob = distribution.log_prob(to_unit(batch.action, self.spec).repeat(2, 1))[size:].mean()
            loss = loss - config.behaviour_cloning_weight * log_prob
            metrics["behaviour_cloning_log_prob"] = log_prob
        if config.adaptive_entropy:
            entropy = distribution.entropy()[: len(action)].mean()
            temperature = self._log_temperature.exp()
            loss = loss - temperature.detach() * entropy
            self._temperature_optimizer.descend(temperature * (entropy.detach() - self._target_entropy))
            metrics |= {"entropy": entropy, "temperature": temperature}
        self._actor_optimizer.descend(loss)
        return {name: value.detach() for name, value in metrics.items()}

    def _distance(self, learner: QRLCritic, latents: Latents, action: Tensor, future: Tensor) -> Tensor:
        """Steps from where `action` [B or 2B, A] leads to random (and, in its second half, future) goals."""
        critic, size = learner.critic, len(latents.state)
        with torch.no_grad():
            goal = latents.reached.roll(1, 0)
            if len(action) > size:
                goal = torch.cat([goal, critic.encode_goal(future)])
            goal = critic.project(goal)
        state = latents.state if len(action) == size else latents.state.repeat(2, 1)
        with learner.optimizer.paused():
            after = critic.predict(state, to_range(action, self.spec))
            return critic.distance(critic.project(after), goal)

    def state_dict(self) -> dict:
        state: dict = {"critics": [critic.state_dict() for critic in self.critics]}
        if self.actor is not None:
            state["actor"] = self.actor.state_dict()
            state["actor_optimizer"] = self._actor_optimizer.state_dict()
            state["log_temperature"] = self._log_temperature.detach()
            state["temperature_optimizer"] = self._temperature_optimizer.state_dict()
        return state

    def load_state_dict(self, state: dict) -> None:
        for critic, saved in zip(self.critics, state["critics"], strict=True):
            critic.load_state_dict(saved)
        if self.actor is not None:
            self.actor.load_state_dict(state["actor"])
            self._actor_optimizer.load_state_dict(state["actor_optimizer"])
            self._log_temperature.data.copy_(state["log_temperature"])
            self._temperature_optimizer.load_state_dict(state["temperature_optimizer"])
