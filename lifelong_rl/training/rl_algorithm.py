"""The one loop: every family of algorithms, offline and online, runs through `RLAlgorithm.train`."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from lifelong_rl.training.collector import Collector
from lifelong_rl.training.divergence import DivergenceWatch
from lifelong_rl.training.interrupts import Interrupts
from lifelong_rl.training.phase import Phase
from lifelong_rl.types import Agent, Metrics, Policy, Sampler, Stateful

TICK_EVERY = 20  # updates between two movements of a progress bar


class Measure(Protocol):
    """Something to know of an agent now and then; episodes played (`Evaluator`) are one."""

    def evaluate(self, agent: Agent) -> Metrics: ...


class Recorder(Protocol):
    """Where a run's numbers and snapshots go."""

    def record_all(self, prefix: str, metrics: Metrics) -> None: ...
    def tick(self, epoch_fraction: float) -> None: ...
    def end_epoch(self, *, phase: str, epoch: int, env_steps: int, updates: int) -> None: ...
    def snapshot(self, name: str, parts: Mapping[str, Any], counters: dict[str, Any]) -> None: ...
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


class RLAlgorithm:
    """Agent, data and counters live through all phases, in order. `parts` are what a snapshot holds, by name."""

    def __init__(
        self,
        *,
        agent: Agent,
        phases: Sequence[PhaseParts],
        collector: Collector,
        measures: Mapping[str, Measure],
        parts: Mapping[str, Stateful],
        num_transitions: Callable[[], int],
    ) -> None:
        self.agent, self.phases, self.collector = agent, phases, collector
        self.measures, self.parts = measures, parts
        self.updates = 0
        self._num_transitions = num_transitions
        self._next = (0, 0)  # phase and epoch to do next
        self._watch = DivergenceWatch()

    def train(self, recorder: Recorder) -> None:
        """Ctrl-C finishes the update at hand, takes a snapshot named `interrupted` and raises KeyboardInterrupt.

        The epoch that it broke off begins anew when training goes on.
        """
        with Interrupts() as interrupts:
            first_phase, first_epoch = self._next
            for index in range(first_phase, len(self.phases)):
                parts, phase = self.phases[index], self.phases[index].phase
                start = first_epoch if index == first_phase else 0
                for epoch in range(start, phase.num_epochs):
                    self._next = (index, epoch)
                    try:
                        self._epoch(parts, epoch, recorder, interrupts)
                    except KeyboardInterrupt:
                        recorder.snapshot("interrupted", self._states(), self._counters())
                        raise

    def load(self, parts: Mapping[str, Any], counters: Mapping[str, Any]) -> None:
        """Goes on from a snapshot of this very run."""
        for name, state in parts.items():
            self.parts[name].load_state_dict(state)
        self.updates = counters["updates"]
        self._next = (counters["phase"], counters["epoch"])

    def _epoch(self, parts: PhaseParts, epoch: int, recorder: Recorder, interrupts: Interrupts) -> None:
        phase = parts.phase
        if epoch == 0:
            with recorder.timed("collect"):
                self.collector.collect(parts.random, phase.random_env_steps)
                self.collector.collect(parts.behaviour, phase.warmup_env_steps, phase.steps_after_success)
        for index in range(phase.rounds_per_epoch):
            self._round(parts, index, recorder, interrupts)
        is_last = epoch + 1 == phase.num_epochs
        if is_last or (epoch + 1) % phase.evaluation_interval == 0:
            self.evaluate(recorder)

        recorder.record_all("replay_buffer", {"num_transitions": float(self._num_transitions())})
        env_steps = self.collector.num_steps
        recorder.end_epoch(phase=phase.name, epoch=epoch + 1, env_steps=env_steps, updates=self.updates)
        index = self._next[0]
        self._next = (index + 1, 0) if is_last else (index, epoch + 1)
        if is_last or (epoch + 1) % phase.snapshot_interval == 0:
            recorder.snapshot(self._snapshot_name(index, epoch), self._states(), self._counters())
        interrupts.check()

    def _round(self, parts: PhaseParts, index: int, recorder: Recorder, interrupts: Interrupts) -> None:
        phase = parts.phase
        with recorder.timed("collect"):
            exploration = self.collector.collect(
                parts.behaviour, phase.env_steps_per_round, phase.steps_after_success
            )
        recorder.record_all("exploration", exploration)
        interrupts.check()
        with recorder.timed("prepare"):
            recorder.record_all("trainer", self.agent.prepare())
        with recorder.timed("update"):
            for update in range(phase.updates_per_round):
                metrics = self.agent.update(parts.sampler.sample())
                self.updates += 1
                self._watch.see(self.updates, metrics)
                recorder.record_all("trainer", metrics)
                if update % TICK_EVERY == 0:
                    recorder.tick((index + update / phase.updates_per_round) / phase.rounds_per_epoch)
                interrupts.check()
            self._watch.check()

    def evaluate(self, recorder: Recorder) -> None:
        """Records what every measure says of the agent."""
        with recorder.timed("evaluate"):
            for name, measure in self.measures.items():
                recorder.record_all(f"evaluation/{name}", measure.evaluate(self.agent))

    @property
    def epochs_before(self) -> int:
        """Epochs that were over when training (re)starts."""
        phase, epoch = self._next
        return sum(parts.phase.num_epochs for parts in self.phases[:phase]) + epoch

    def _snapshot_name(self, index: int, epoch: int) -> str:
        """`offline_itr_n` or `itr_n`; n counts the epochs of all phases of that kind: none overwrites another's."""
        is_offline = self.phases[index].phase.is_offline
        same_kind = [parts.phase for parts in self.phases[:index] if parts.phase.is_offline == is_offline]
        number = sum(phase.num_epochs for phase in same_kind) + epoch + 1
        return f"{'offline_' if is_offline else ''}itr_{number}"

    def _states(self) -> dict[str, Any]:
        return {name: part.state_dict() for name, part in self.parts.items()}

    def _counters(self) -> dict[str, Any]:
        phase, epoch = self._next
        return {"updates": self.updates, "env_steps": self.collector.num_steps, "phase": phase, "epoch": epoch}
