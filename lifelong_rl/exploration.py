"""Exploration as policies around policies: uniform actions, always or now and then, and Gaussian noise on another's."""

from typing import Any

import torch
from torch import Tensor

from lifelong_rl.types import Memoryless, Policy, TaskSpec


class RandomPolicy(Memoryless):
    """Uniform over the action range, or over the choices."""

    def __init__(self, spec: TaskSpec, generator: torch.Generator) -> None:
        self._spec, self._generator = spec, generator

    def __call__(self, observation: Tensor, goal: Tensor) -> Tensor:
        spec, count, device = self._spec, len(observation), self._generator.device
        if spec.discrete:
            choice = torch.randint(spec.action_size, (count,), generator=self._generator, device=device)
            return choice.to(observation.device)
        unit = torch.rand(count, spec.action_size, generator=self._generator, device=device).to(observation.device)
        return spec.action_low + (spec.action_high - spec.action_low) * unit


class GaussianNoise:
    """Another policy's action plus noise of `scale` halves of the range, clipped to the range."""

    def __init__(self, policy: Policy, scale: float, spec: TaskSpec, generator: torch.Generator) -> None:
        self._policy, self._spec, self._generator = policy, spec, generator
        self._std = scale * (spec.action_high - spec.action_low) / 2

    def reset(self, ended: Tensor) -> None:
        self._policy.reset(ended)

    def __call__(self, observation: Tensor, goal: Tensor) -> Tensor:
        action = self._policy(observation, goal)
        noise = torch.empty_like(action).normal_(generator=self._generator)
        return (action + self._std * noise).clamp(self._spec.action_low, self._spec.action_high)

    def state_dict(self) -> dict[str, Any]:
        return self._policy.state_dict()

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self._policy.load_state_dict(state)


class RandomActions:
    """Another policy's action, but in each environment with `probability` a uniform one instead."""

    def __init__(self, policy: Policy, probability: float, spec: TaskSpec, generator: torch.Generator) -> None:
        self._policy, self._probability, self._generator = policy, probability, generator
        self._random = RandomPolicy(spec, generator)

    def reset(self, ended: Tensor) -> None:
        self._policy.reset(ended)

    def __call__(self, observation: Tensor, goal: Tensor) -> Tensor:
        action, instead = self._policy(observation, goal), self._random(observation, goal)
        drawn = torch.rand(len(action), generator=self._generator, device=self._generator.device)
        chosen = (drawn < self._probability).to(action.device)
        return torch.where(chosen.view(-1, *[1] * (action.ndim - 1)), instead, action)

    def state_dict(self) -> dict[str, Any]:
        return self._policy.state_dict()

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self._policy.load_state_dict(state)
