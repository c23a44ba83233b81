"""How quasimetric RL acts: by its actor, or by its critics alone (one step greedily, or several by MPPI)."""

from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor

from lifelong_rl.agents.actions import to_range
from lifelong_rl.goals.views import GoalView
from lifelong_rl.networks.actors import TanhNormalActor
from lifelong_rl.networks.critics import QuasimetricCritic
from lifelong_rl.planners.mppi import MPPI, MPPIConfig, shifted
from lifelong_rl.types import Memoryless, TaskSpec


@dataclass(frozen=True, kw_only=True)
class ByActorConfig:
    """The actor's mode: tanh of the mean, or the likeliest of 100 samples (as quasimetric-rl does)."""

    mode: Literal["mean", "likeliest"] = "mean"


@dataclass(frozen=True, kw_only=True)
class GreedyConfig:
    """The action after which the goal is nearest: of all choices if actions are discrete, else of random candidates."""

    num_candidates: int = 64


ACTING = {"actor": ByActorConfig, "greedy": GreedyConfig, "mppi": MPPIConfig}


class ActorPolicy(Memoryless):
    """Samples while exploring; else takes the actor's mode. Remembers nothing between steps."""

    def __init__(
        self, actor: TanhNormalActor, goals: GoalView, spec: TaskSpec, generator: torch.Generator,
        *, mode: Literal["sample", "mean", "likeliest"],
    ) -> None:  # fmt: skip
        self._actor, self._goals, self._spec, self._generator, self._mode = actor, goals, spec, generator, mode

    @torch.no_grad()
    def __call__(self, observation: Tensor, goal: Tensor) -> Tensor:
        distribution = self._actor(observation, self._goals.asked(observation, goal))
        if self._mode == "sample":
            action = distribution.sample(self._generator)
        elif self._mode == "mean":
            action = distribution.squashed_mean()
        else:
            action = distribution.likeliest_of(100, self._generator)
        return to_range(action, self._spec)


class GreedyPolicy(Memoryless):
    """Asks the critics where each candidate action leads."""

    def __init__(
        self, config: GreedyConfig, critics: list[QuasimetricCritic], goals: GoalView, spec: TaskSpec,
        generator: torch.Generator,
    ) -> None:  # fmt: skip
        self._config, self._critics, self._goals, self._spec, self._generator = config, critics, goals, spec, generator

    @torch.no_grad()
    def __call__(self, observation: Tensor, goal: Tensor) -> Tensor:
        candidates = self._candidates(observation)  # [K, N, A], one-hot where discrete
        asked = self._goals.asked(observation, goal)
        steps = torch.stack([_steps_after(critic, observation, candidates, asked) for critic in self._critics]).amax(0)
        best = steps.argmin(0)
        if self._spec.discrete:
            return best
        return candidates[best, torch.arange(len(best), device=best.device)]

    def _candidates(self, observation: Tensor) -> Tensor:
        spec, count = self._spec, observation.shape[0]  # not len(): exporters take that for a constant
        if spec.discrete:
            return torch.eye(spec.action_size, device=observation.device)[:, None].expand(-1, count, -1)
        shape = (self._config.num_candidates, count, spec.action_size)
        unit = torch.rand(shape, generator=self._generator, device=observation.device)
        return to_range((4 * unit - 2).clamp(-1, 1), spec)  # each entry is at an end of its range half of the time


class MPPIPolicy:
    """Plans through the latent dynamics for the smallest sum of distances to the goal; keeps its plan between steps."""

    def __init__(
        self, config: MPPIConfig, critics: list[QuasimetricCritic], goals: GoalView, spec: TaskSpec,
        generator: torch.Generator,
    ) -> None:  # fmt: skip
        self._critics, self._goals, self._spec = critics, goals, spec
        self._planner = MPPI(config, generator)
        self._plan: Tensor | None = None  # [N, H, A] in [-1, 1]

    def reset(self, ended: Tensor) -> None:
        if self._plan is not None:
            self._plan = torch.where(ended.to(self._plan.device)[:, None, None], 0.0, self._plan)

    @torch.no_grad()
    def __call__(self, observation: Tensor, goal: Tensor) -> Tensor:
        if self._plan is None or len(self._plan) != len(observation):
            shape = (len(observation), self._planner.config.horizon, self._spec.action_size)
            self._plan = torch.zeros(shape, device=observation.device)
        asked = self._goals.asked(observation, goal)
        starts = [(c, c.encode(observation), c.project(c.encode_goal(asked))) for c in self._critics]

        def cost(actions: Tensor) -> Tensor:
            return torch.stack([self._cost(*start, actions) for start in starts]).amax(0)

        plan = self._planner.improve(self._plan.to(observation.device), cost)
        self._plan = shifted(plan)
        return to_range(plan[:, 0], self._spec)

    def state_dict(self) -> dict[str, Any]:
        return {} if self._plan is None else {"plan": self._plan}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self._plan = state.get("plan")

    def _cost(self, critic: QuasimetricCritic, latent: Tensor, goal: Tensor, actions: Tensor) -> Tensor:
        latent = latent.expand(len(actions), *latent.shape)
        total = torch.zeros((), device=latent.device)
        for step in range(actions.shape[2]):
            latent = critic.predict(latent, to_range(actions[:, :, step], self._spec))
            total = total + critic.distance(critic.project(latent), goal)
        return total


def _steps_after(critic: QuasimetricCritic, observation: Tensor, candidates: Tensor, goal: Tensor) -> Tensor:
    latent = critic.encode(observation).expand(len(candidates), -1, -1)
    return critic.distance(critic.project(critic.predict(latent, candidates)), critic.project(critic.encode_goal(goal)))
