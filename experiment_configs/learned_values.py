"""What agents have learned of goals: how good it is, or how far, from states to goals. Each answers in its own unit."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from lifelong_rl.agents.actions import to_unit
from lifelong_rl.agents.dqn import DQNAgent
from lifelong_rl.agents.gciql import GCIQLAgent
from lifelong_rl.agents.gcivl import GCIVLAgent
from lifelong_rl.agents.hiql import HIQLAgent
from lifelong_rl.agents.imitation import ImitationAgent
from lifelong_rl.agents.off_policy import OffPolicyAgent
from lifelong_rl.agents.qrl import QRLAgent
from lifelong_rl.config import ConfigError
from lifelong_rl.types import Agent

Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class LearnedValues:
    """`of` maps observations [B, O] and goals [B, G] to [B]: steps where `in_steps`, else returns."""

    of: Callable[[Tensor, Tensor], Tensor]
    in_steps: bool
    device: torch.device

    def at(self, observation: NDArray[np.generic], goal: NDArray[np.generic]) -> Floats:
        """[B, O] and [B, G] to [B]."""
        rows = [torch.from_numpy(values.astype(np.float32)).to(self.device) for values in (observation, goal)]
        with torch.no_grad():
            values: Floats = self.of(rows[0], rows[1]).cpu().double().numpy()
        return values


def has_values(agent: Agent) -> bool:
    """False for agents that copy actions and value nothing."""
    return not isinstance(agent, ImitationAgent)


def learned_values(agent: Agent) -> LearnedValues:
    """A ConfigError where the agent has none."""
    if isinstance(agent, QRLAgent):
        return LearnedValues(of=agent.steps_between, in_steps=True, device=agent.generator.device)
    if isinstance(agent, GCIVLAgent | GCIQLAgent | HIQLAgent):
        return LearnedValues(of=agent.value.value, in_steps=False, device=agent.generator.device)
    if isinstance(agent, DQNAgent):
        best = agent.values
        return LearnedValues(of=lambda *seen: best(*seen).amax(-1), in_steps=False, device=agent.generator.device)
    if isinstance(agent, OffPolicyAgent):
        return LearnedValues(of=_value_of_acting(agent), in_steps=False, device=agent.generator.device)
    raise ConfigError(f"{type(agent).__name__} learns to act alone: it has no value to draw.")


def _value_of_acting(agent: OffPolicyAgent) -> Callable[[Tensor, Tensor], Tensor]:
    """What the critics say of the action that the agent would take."""
    policy, critic, normalizer = agent.policy(explore=False), agent.critic, agent.normalizer

    def of(observation: Tensor, goal: Tensor) -> Tensor:
        action = to_unit(policy(observation, goal), agent.spec)
        if normalizer is not None:
            observation, goal = normalizer.observation(observation), normalizer.goal(goal)
        return critic.rule.next_value(critic.network(observation, action, goal))

    return of
