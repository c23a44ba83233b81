"""The one loop: every family of algorithms, offline and online, runs through `RLAlgorithm.train`."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any, Protocol

from lifelong_rl.training.collector import Collector
from lifelong_rl.training.divergence import DivergenceWatch
from lifelong_rl.training.interrupts import Interrupts
from lifelong_rl.training.phase import Phase
from lifelong_rl.training.position import Position
from lifelong_rl.types import Agent, Metrics, Policy, Sampler, Stateful

TICK_EVERY = 20  # updates between two movements of a progress bar


class Measure(Protocol):
    """Something to know of an agent now and then; episodes played (`Evaluator`) are one."""

    def evaluate(self, agent: Agent) -> Metrics: ...


class Film(Protocol):
    """Shows an agent at work, for people to watch. Nothing comes of it in training, neither numbers nor errors."""

    def __call__(self, agent: Agent, snapshot: str, counters: Mapping[str, Any]) -> None: ...


class Recorder(Protocol):
    """Where a run's numbers and snapshots go."""

    def record_all(self, prefix: str, metrics: Metrics) -> None: ...
    def tick(self, epoch_fraction: float) -> None: ...
    def end_epoch(self, *, phase: str, epoch: int, env_steps: int, updates: int) -> None: ...
    def snapshot(self, name: str, parts: Mapping[str, Any], counters: dict[str, Any], *, keep: bool) -> None:
        """`keep`: it is the last of its phase, never to be deleted for newer ones."""
        ...

    def interrupted(self, parts: Mapping[str, Any], counters: dict[str, Any]) -> None:
        """A snapshot between two regular ones, for training to go on from."""
        ...

    def timed(self, what: str) -> Any:
        """A context manager that adds to the epoch's seconds of `what`."""
        ...


@dataclass(frozen=True, kw_only=True)
class PhaseParts:
    """A phase and what it trains with."""

    phase: Phase
    sampler: Sampler
    behaviour: Policy  # collects, with the phase's exploration
    random: Policy
    film: Film | None = None  # made at each regular snapshot

    @property
    def stateful(self) -> dict[str, Stateful]:
        return {"sampler": self.sampler, "behaviour": self.behaviour, "random": self.random}


class RLAlgorithm:
    """Agent, data and position live through all phases, in order. `parts` are what a snapshot holds, by name.

    `seeds` hold every generator of the run. They are put back after each evaluation and film, so that how often a run
    is evaluated does not change what it learns, and loaded last when a stopped run goes on.
    """

    def __init__(
        self, *, agent: Agent, phases: Sequence[PhaseParts], collector: Collector, measures: Mapping[str, Measure],
        parts: Mapping[str, Stateful], seeds: Stateful, num_transitions: Callable[[], int],
    ) -> None:  # fmt: skip
        self.agent, self.phases, self.collector = agent, phases, collector
        self.measures, self.parts, self.seeds = measures, parts, seeds
        self.at = Position()
        self._num_transitions = num_transitions
        self._watch = DivergenceWatch()

    def train(self, recorder: Recorder, interrupts: Interrupts | None = None) -> None:
        """A signal to stop finishes the update or environment step at hand; KeyboardInterrupt follows a snapshot."""
        with nullcontext(interrupts) if interrupts else Interrupts() as stops, stops.deferred():
            while self.at.phase < len(self.phases):
                try:
                    self._epoch(self.phases[self.at.phase], recorder, stops)
                except KeyboardInterrupt:
                    self._watch.check()
                    recorder.interrupted(self.states(), self.counters())
                    raise

    def states(self) -> dict[str, Any]:
        """What a snapshot holds: every part, the phases' samplers and policies, the position and the generators."""
        states = {name: part.state_dict() for name, part in self.parts.items()}
        phases = [{name: part.state_dict() for name, part in parts.stateful.items()} for parts in self.phases]
        return states | {"position": self.at.state_dict(), "phases": phases, "seeds": self.seeds.state_dict()}

    def counters(self) -> dict[str, Any]:
        """Where training stands, for those who look at a snapshot from outside."""
        at = self.at
        return {
            "updates": at.updates, "env_steps": at.env_steps, "phase": at.phase, "epoch": at.epoch, "round": at.round,
        }  # fmt: skip

    def load(self, states: Mapping[str, Any]) -> None:
        """Goes on from the states of this very run."""
        for name, part in self.parts.items():
            part.load_state_dict(states[name])
        for parts, saved in zip(self.phases, states["phases"], strict=True):
            for name, part in parts.stateful.items():
                part.load_state_dict(saved[name])
        self.at.load_state_dict(states["position"])
        self.seeds.load_state_dict(states["seeds"])

    def lengthen(self, num_epochs: int) -> None:
        """After `load`: the last phase may have been over after so many epochs, and goes on if it is longer now."""
        last = self.phases[-1].phase
        if self.at.phase == len(self.phases) and num_epochs < last.num_epochs:
            self.at.go_back_into(last, num_epochs, self.collector.num_envs)

    def evaluate(self, recorder: Recorder) -> None:
        """Records what every measure says of the agent. Leaves no trace in the run's generators, also if broken off."""
        with self._leaving_no_trace(), recorder.timed("evaluate"):
            found = {name: measure.evaluate(self.agent) for name, measure in self.measures.items()}
        for name, metrics in found.items():
            recorder.record_all(f"evaluation/{name}", metrics)

    @contextmanager
    def _leaving_no_trace(self) -> Iterator[None]:
        """In the run's generators, also if it is broken off."""
        seeds = self.seeds.state_dict()
        try:
            yield
        finally:
            self.seeds.load_state_dict(seeds)

    @property
    def updates(self) -> int:
        return self.at.updates

    @property
    def epochs_before(self) -> int:
        """Epochs that were over when training (re)starts."""
        return sum(parts.phase.num_epochs for parts in self.phases[: self.at.phase]) + self.at.epoch

    def _epoch(self, parts: PhaseParts, recorder: Recorder, stops: Interrupts) -> None:
        phase, at = parts.phase, self.at
        self._prelude(parts, recorder, stops)
        while at.round < phase.rounds_per_epoch:
            self._round(parts, recorder, stops)
        is_last = at.epoch + 1 == phase.num_epochs
        if is_last or (at.epoch + 1) % phase.evaluation_interval == 0:
            with stops.deferred(False):
                self.evaluate(recorder)

        recorder.record_all("replay_buffer", {"num_transitions": float(self._num_transitions())})
        name = self._snapshot_name()
        epoch = at.epoch + 1
        recorder.end_epoch(phase=phase.name, epoch=epoch, env_steps=at.env_steps, updates=at.updates)
        at.end_epoch(phase)
        if is_last or at.epoch % phase.snapshot_interval == 0:
            recorder.snapshot(name, self.states(), self.counters(), keep=is_last)
            if parts.film is not None:
                with stops.deferred(False), self._leaving_no_trace(), recorder.timed("film"):
                    parts.film(self.agent, name, {"updates": at.updates, "env_steps": at.env_steps, "epoch": epoch})
        stops.check()

    def _prelude(self, parts: PhaseParts, recorder: Recorder, stops: Interrupts) -> None:
        """Random steps and warm-up, before a phase's first round."""
        phase, at, num_envs = parts.phase, self.at, self.collector.num_envs
        until = at.random_until(phase, num_envs)
        with recorder.timed("collect"):
            self._collect(parts.random, at.phase_start, until, None, stops)
            self._collect_by_behaviour(parts, 0, stops)
        if at.env_steps == at.collect_until(phase, num_envs, rounds=0):
            self.collector.read_metrics()  # only what rounds collect is reported

    def _round(self, parts: PhaseParts, recorder: Recorder, stops: Interrupts) -> None:
        phase, at = parts.phase, self.at
        if at.round_updates == 0:
            with recorder.timed("collect"):
                self._collect_by_behaviour(parts, at.rounds_begun(phase), stops)
            recorder.record_all("exploration", self.collector.read_metrics())
            with recorder.timed("prepare"):
                recorder.record_all("trainer", self.agent.prepare())
        with recorder.timed("update"):
            while at.round_updates < phase.updates_per_round:
                self._update(parts, recorder)
                if at.round_updates < phase.updates_per_round:
                    stops.check()
            self._watch.check()
        at.end_round()
        stops.check()

    def _collect_by_behaviour(self, parts: PhaseParts, rounds: int, stops: Interrupts) -> None:
        phase, at, num_envs = parts.phase, self.at, self.collector.num_envs
        start, until = at.random_until(phase, num_envs), at.collect_until(phase, num_envs, rounds=rounds)
        self._collect(parts.behaviour, start, until, phase.steps_after_success, stops)

    def _collect(
        self, policy: Policy, start: int, until: int, steps_after_success: int | None, stops: Interrupts
    ) -> None:
        """From `start` in env_steps of the run, where this policy takes over, or from the step after the last one."""

        def count_and_check() -> None:
            self.at.env_steps = self.collector.num_steps
            stops.check()

        if self.at.env_steps == start < until:
            self.collector.begin(policy)
        self.collector.collect(policy, until, steps_after_success, count_and_check)

    def _update(self, parts: PhaseParts, recorder: Recorder) -> None:
        phase, at = parts.phase, self.at
        metrics = self.agent.update(parts.sampler.sample())
        at.updates, at.round_updates = at.updates + 1, at.round_updates + 1
        self._watch.see(at.updates, metrics)
        recorder.record_all("trainer", metrics)
        if at.round_updates % TICK_EVERY == 1:
            recorder.tick((at.round + at.round_updates / phase.updates_per_round) / phase.rounds_per_epoch)

    def _snapshot_name(self) -> str:
        """`offline_itr_n` or `itr_n`; n counts the epochs of all phases of that kind: none overwrites another's."""
        is_offline = self.phases[self.at.phase].phase.is_offline
        same_kind = [p.phase for p in self.phases[: self.at.phase] if p.phase.is_offline == is_offline]
        number = sum(phase.num_epochs for phase in same_kind) + self.at.epoch + 1
        return f"{'offline_' if is_offline else ''}itr_{number}"
