"""What flows between the parts of a run, and the contracts of those parts.

Letters in shapes: N environments, B rows of a batch, O observation, A action, G goal, S simulator state.
Tensors live on the run's device from the store to the loss; numpy stops at the environments.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from torch import Tensor

Metrics = dict[str, Tensor | float]  # 0-d tensors are read once an epoch, by the logger
GoalFn = Callable[[Tensor, Tensor], Tensor]


@dataclass(frozen=True, kw_only=True)
class TaskSpec:
    """What an agent, a sampler and an evaluator must know of a task; plain values and pure functions.

    `reward_fn` and `success_fn` take (achieved_goal [..., G], goal [..., G]) and return [...] (float32, bool).
    `goal_of` maps observations [..., O] to the goals that they achieve [..., G]; None where goals are observations.
    Where it is not None, `with_goal` (observation, goal) -> observation is its inverse on the goal's entries (others
    stay), and `speed_of` tells how fast an observed state moves [...]: a goal that must be held is held at speed 0.
    """

    name: str
    observation_shape: tuple[int, ...]
    goal_shape: tuple[int, ...]
    action_size: int  # number of choices where `discrete`
    discrete: bool = False
    action_low: float = -1.0
    action_high: float = 1.0
    horizon: int
    reward_fn: GoalFn | None  # None: there are no goals, or none but the environment knows
    success_fn: GoalFn | None  # None: there are no goals, or none but the environment knows
    goal_of: Callable[[Tensor], Tensor] | None = None
    with_goal: Callable[[Tensor, Tensor], Tensor] | None = None
    speed_of: Callable[[Tensor], Tensor] | None = None
    score_range: tuple[float, float] | None = None  # returns that count as 0 and 100 (D4RL)


@dataclass(frozen=True, kw_only=True)
class Observed:
    """What N environments show."""

    observation: Tensor  # [N, O]
    achieved_goal: Tensor  # [N, G]
    desired_goal: Tensor  # [N, G]


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What one step of N environments led to; `observed` is the true last observation, before any reset."""

    observed: Observed
    reward: Tensor  # [N] float32
    terminated: Tensor  # [N] bool: the task is over for good
    truncated: Tensor  # [N] bool: out of time
    success: Tensor  # [N] bool


class Stateful(Protocol):
    """A part that a snapshot holds: a dict with str keys.

    Its values are tensors, numpy arrays, RowLogs, numbers, strings, lists and such dicts.
    """

    def state_dict(self) -> dict[str, Any]: ...
    def load_state_dict(self, state: dict[str, Any]) -> None: ...


@dataclass(frozen=True)
class RowLog:
    """Rows [first, last) of a tensor that only grows at its end: a row once written never changes.

    A state may hold one instead of the rows: what was saved before is not saved again. `read(start, stop)` gives some
    of them, [stop - start, ...], and is valid until the owner writes again.
    """

    first: int
    last: int
    read: Callable[[int, int], Tensor]


class Task(Stateful, Protocol):
    """N environments as one. Never resets by itself: after `step`, call `reset_where(ended)`."""

    spec: TaskSpec
    num_envs: int

    def reset(self) -> Observed: ...
    def step(self, action: Tensor) -> Outcome: ...
    def reset_where(self, ended: Tensor) -> Observed:
        """Starts new episodes where `ended` [N] is true; returns what all N environments show now."""
        ...

    def sim_state(self) -> Tensor:
        """[N, S] float64: enough to draw the scene, and to put it back."""
        ...


@dataclass(frozen=True, kw_only=True)
class Step:
    """One step of N environments as the collector saw it; a row of the store."""

    observation: Tensor  # [N, O]
    action: Tensor  # [N, A], or [N] int64 where discrete
    reward: Tensor  # [N]
    next_observation: Tensor  # [N, O], before any reset
    next_achieved_goal: Tensor  # [N, G]
    goal: Tensor  # [N, G], what the behaviour policy was told to do
    desired_goal: Tensor  # [N, G], what the environment asked for
    terminated: Tensor  # [N] bool
    ended: Tensor  # [N] bool: terminated or truncated
    cost: Tensor | None = None  # [N], length of the step; None means 1
    sim_state: Tensor | None = None  # [N, S] float64, before the step


@dataclass(frozen=True, kw_only=True)
class Batch:
    """Transitions ready to learn from; tensors lead with B (or T, N for a rollout)."""

    observation: Tensor
    action: Tensor
    reward: Tensor  # of `goal`
    discount: Tensor  # 0 where the task ended for good, else gamma ** number of steps spanned
    next_observation: Tensor
    next_achieved_goal: Tensor
    goal: Tensor
    goal_observation: Tensor  # a whole observation in which `goal` was achieved; the next one where it never was
    steps_to_goal: Tensor  # steps until `goal` was achieved, float32; -1 where it never was
    cost: Tensor  # [B] float32, length of the step
    ended: Tensor
    num_steps: Tensor | None = None  # [B] int64, that a transition spans; None: one
    waypoint_observation: Tensor | None = None  # some steps ahead on the way to `goal`; None: was not asked for


class Policy(Stateful, Protocol):
    """Acts in N environments. Owns whatever it must remember between steps."""

    def reset(self, ended: Tensor) -> None: ...
    def __call__(self, observation: Tensor, goal: Tensor) -> Tensor: ...


class Memoryless:
    """A policy that remembers nothing between steps (its generator's state belongs to `Seeds`)."""

    def reset(self, ended: Tensor) -> None:
        pass

    def state_dict(self) -> dict[str, Any]:
        return {}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        pass


class Agent(Stateful, Protocol):
    """Learns from batches and hands out policies."""

    def policy(self, *, explore: bool) -> Policy: ...
    def update(self, batch: Batch) -> Metrics: ...
    def prepare(self) -> Metrics:
        """Work before a round's updates (fit a model, refill imagined data); most agents do nothing."""
        ...


class Sampler(Stateful, Protocol):
    """A way to draw a batch, in O(batch) work."""

    def sample(self) -> Batch: ...


class GoalSource(Stateful, Protocol):
    """Decides what the behaviour policy is told to do: the environment's goal, a curriculum's, or a skill."""

    def choose(self, desired_goal: Tensor, observation: Tensor) -> Tensor: ...


class DivergenceError(ArithmeticError):
    """A number that should be finite is not; the message names step, part and key."""


class EnvironmentFault(RuntimeError):  # noqa: N818
    """Environments failed; the text is one line that names task, environments, step and cause.

    Where `recovered`, those marked in `lost` [N] bool began new episodes in a fresh simulator and the task can go on.
    The step has no outcome: nothing is reported of it, of no environment, since what was not seen must not be stored.
    So whoever steps the task ends all open episodes without a further row, and calls `reset`.
    """

    def __init__(self, line: str, *, lost: Tensor | None = None, recovered: bool = False) -> None:
        super().__init__(line)
        self.lost, self.recovered = lost, recovered
