"""Ways to draw a batch: hindsight goals (Andrychowicz et al. 2017, arXiv:1707.01495), n-step returns, old with new."""

import math
from collections.abc import Sequence
from dataclasses import fields
from typing import Any

import torch
from torch import Tensor

from lifelong_rl.data.episodes import EpisodeStore
from lifelong_rl.data.hindsight import HindsightConfig
from lifelong_rl.types import Batch, GoalFn, Sampler


class HindsightSampler:
    """Transitions with re-chosen goals; joins `n_step` steps; `reward_fn` makes rewards follow the goal.

    A joined transition's action is its first one; or the mean of its steps' actions, which is what a model of several
    steps at once wants to know (`mean_action`).

    `waypoint_steps` k > 0 adds the observation k steps ahead (HIQL): sooner where the goal was achieved or the episode
    ended sooner.

    `still_redraws` n > 0 draws a transition again, up to n times, while its episode moved nothing that goals speak of:
    what it achieved last lies within `still_distance` of what it achieved first, in each entry. Such episodes teach
    little, and are most of the early ones where an object must be found first (after Zhao and Tresp 2018,
    arXiv:1810.01363, who weigh episodes by the energy that moved).

    Future goals: of the n steps left in the episode, step k ahead (0 is the transition's own) has probability
    proportional to future_discount ** k, exactly, whatever n; drawn in O(batch).
    """

    def __init__(
        self,
        store: EpisodeStore,
        hindsight: HindsightConfig,
        generator: torch.Generator,
        *,
        batch_size: int,
        reward_fn: GoalFn | None = None,
        discount: float = 0.99,
        n_step: int = 1,
        mean_action: bool = False,
        waypoint_steps: int = 0,
        still_redraws: int = 0,
        still_distance: float = 0.0,
    ) -> None:
        if batch_size < 1 or n_step < 1:
            raise ValueError(f"HindsightSampler: batch_size {batch_size} and n_step {n_step} must be at least 1.")
        self._store, self._hindsight, self._generator = store, hindsight, generator
        self._batch_size, self._reward_fn, self._discount, self._n_step = batch_size, reward_fn, discount, n_step
        self._mean_action, self._waypoint_steps = mean_action, waypoint_steps
        self._still_redraws, self._still_distance = still_redraws, still_distance
        self._sources = hindsight.sources  # drawn from with these probabilities
        shares = torch.tensor(list(self._sources.values()), dtype=torch.float64, device=store.device)
        self._thresholds = shares.cumsum(0)[:-1]

    def sample(self) -> Batch:
        """A batch of `batch_size` rows, drawn with replacement."""
        at = self._store.at
        first = self._choose_transitions()
        steps_left = self._store.steps_left(first)
        span = steps_left.clamp(max=self._n_step)
        last = first + (span - 1) * self._store.num_envs
        goal, goal_index, steps_to_goal = self._choose_goals(first, last, steps_left)

        next_observation = at("next_observation", last)
        next_achieved_goal = at("next_achieved_goal", last)
        reward, cost = self._join_steps(first, span, goal, next_achieved_goal)
        return Batch(
            observation=at("observation", first),
            action=self._mean_actions(first, span) if self._mean_action else at("action", first),
            reward=reward,
            discount=self._discount**span * ~at("terminated", last),
            next_observation=next_observation,
            next_achieved_goal=next_achieved_goal,
            goal=goal,
            goal_observation=next_observation if goal_index is last else at("next_observation", goal_index),
            steps_to_goal=steps_to_goal,
            cost=cost,
            ended=at("ended", last),
            num_steps=span,
            waypoint_observation=self._waypoints(first, steps_left, steps_to_goal) if self._waypoint_steps else None,
        )

    def state_dict(self) -> dict[str, Any]:
        """The generator's state."""
        return {"generator": self._generator.get_state()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Draws the same batches again, from an equal store."""
        self._generator.set_state(state["generator"])

    def _choose_transitions(self) -> Tensor:
        """Indices [B], all equally likely but for those of still episodes."""
        index = self._store.random_indices(self._generator, self._batch_size)
        for _ in range(self._still_redraws):
            other = self._store.random_indices(self._generator, self._batch_size)
            index = torch.where(self._is_still(index), other, index)
        return index

    def _is_still(self, index: Tensor) -> Tensor:
        """[B] bool: whether the episode of each index ends, as far as is known, with what it began with."""
        store, env = self._store, index % self._store.num_envs
        ends = store.start_of_episode(index), store.end_of_episode(index) - 1
        began, has_now = (store.at("next_achieved_goal", time * store.num_envs + env) for time in ends)
        return ((has_now - began).abs() <= self._still_distance).all(-1)

    def _choose_goals(self, first: Tensor, last: Tensor, steps_left: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Goals [B, G], the index at whose end each was achieved (`last` where nowhere) and the steps to it (or -1)."""
        at, num_envs = self._store.at, self._store.num_envs
        uniform = torch.rand(2, len(first), generator=self._generator, dtype=torch.float64, device=first.device)
        drawn = torch.bucketize(uniform[0], self._thresholds, right=True)
        chosen = {name: drawn == number for number, name in enumerate(self._sources)}
        index, steps_to_goal = last, torch.full_like(first, -1)

        for name in ("future", "final"):
            if name in chosen:
                ahead = steps_left - 1
                if name == "future":
                    ahead = truncated_geometric(uniform[1], steps_left, self._hindsight.future_discount)
                index = torch.where(chosen[name], first + ahead * num_envs, index)
                steps_to_goal = torch.where(chosen[name], ahead + 1, steps_to_goal)
        if "random" in chosen:
            index = torch.where(chosen["random"], last.roll(1), index)
        if chosen.keys() & {"achieved", "desired", "followed"}:
            anywhere = self._store.random_indices(self._generator, len(first))
        if "achieved" in chosen:
            index = torch.where(chosen["achieved"], anywhere, index)

        goal = at("next_achieved_goal", index)
        if "behaviour" in chosen:
            goal = _put(goal, chosen["behaviour"], at("goal", first))
        for name, column in (("desired", "desired_goal"), ("followed", "goal")):
            if name in chosen:
                goal = _put(goal, chosen[name], at(column, anywhere))
        return goal, index, steps_to_goal.float()

    def _waypoints(self, first: Tensor, steps_left: Tensor, steps_to_goal: Tensor) -> Tensor:
        """[B, O], `waypoint_steps` after each index, or where goal or episode end lie nearer."""
        limit = torch.where(steps_to_goal > 0, steps_to_goal.long(), steps_left)
        index = first + (limit.clamp(max=self._waypoint_steps) - 1) * self._store.num_envs
        return self._store.at("next_observation", index)

    def _mean_actions(self, first: Tensor, span: Tensor) -> Tensor:
        """Means over the `span` steps from each index: [B, A]."""
        steps = torch.arange(self._n_step, device=first.device)[:, None]
        live = steps < span
        index = torch.where(live, first + steps * self._store.num_envs, first)
        action = self._store.at("action", index.flatten()).unflatten(0, index.shape)
        return (action * live[..., None]).sum(0) / span[:, None]

    def _join_steps(self, first: Tensor, span: Tensor, goal: Tensor, last_achieved: Tensor) -> tuple[Tensor, Tensor]:
        """Discounted rewards and plain costs [B], summed over the `span` steps from each index."""
        at = self._store.at
        if self._n_step == 1:
            reward = at("reward", first) if self._reward_fn is None else self._reward_fn(last_achieved, goal)
            return reward, at("cost", first)
        total, cost = torch.zeros(2, len(first), device=first.device)
        for k in range(self._n_step):
            live = k < span
            index = torch.where(live, first + k * self._store.num_envs, first)
            if self._reward_fn is None:
                reward = at("reward", index)
            else:
                reward = self._reward_fn(at("next_achieved_goal", index), goal)
            total += torch.where(live, self._discount**k * reward, 0)
            cost += torch.where(live, at("cost", index), 0)
        return total, cost


class MixedSampler:
    """Shuffles other samplers' batches together, e.g. old data with new; each sampler's own batch size is its share."""

    def __init__(self, samplers: Sequence[Sampler], generator: torch.Generator) -> None:
        self._samplers, self._generator = tuple(samplers), generator

    def sample(self) -> Batch:
        """In random order, so that an agent that pairs neighbouring rows pairs old with new as well."""
        batches = [sampler.sample() for sampler in self._samplers]
        rows = sum(len(batch.reward) for batch in batches)
        order = torch.randperm(rows, generator=self._generator, device=batches[0].reward.device)
        columns = {f.name: [getattr(batch, f.name) for batch in batches] for f in fields(Batch)}
        return Batch(**{name: torch.cat(parts)[order] for name, parts in columns.items() if parts[0] is not None})

    def state_dict(self) -> dict[str, Any]:
        """The samplers' states, in order, and the generator's."""
        samplers = [sampler.state_dict() for sampler in self._samplers]
        return {"samplers": samplers, "generator": self._generator.get_state()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Draws the same batches again, from equal stores."""
        self._generator.set_state(state["generator"])
        for sampler, part in zip(self._samplers, state["samplers"], strict=True):
            sampler.load_state_dict(part)


def split_batch(batch_size: int, offline_fraction: float) -> tuple[int, int]:
    """Rows from old data and rows from new, of a batch; a fraction above 0 and below 1 gives each at least one."""
    if not 0 <= offline_fraction <= 1:
        raise ValueError(f"offline_fraction must be in [0, 1], got {offline_fraction}.")
    offline = round(batch_size * offline_fraction)
    if 0 < offline_fraction < 1 and batch_size > 1:
        offline = min(max(offline, 1), batch_size - 1)
    return offline, batch_size - offline


def truncated_geometric(uniform: Tensor, length: Tensor, discount: float | None) -> Tensor:
    """Numbers k in {0 .. length - 1}, P(k) proportional to discount ** k (None: all alike), from float64 in [0, 1).

    The distribution function is (1 - discount ** (k + 1)) / (1 - discount ** length); this is its exact inverse.
    """
    if discount is None:
        drawn = uniform * length
    else:
        rate = math.log(discount)
        drawn = torch.log1p(uniform * torch.expm1(rate * length.double())) / rate
    return drawn.long().minimum(length - 1)  # rounding may reach `length` itself


def _put(goal: Tensor, where: Tensor, value: Tensor) -> Tensor:
    return torch.where(where.reshape(-1, *[1] * (goal.ndim - 1)), value, goal)
