"""What is collected is what happened, and a stopped collection goes on as if it had not stopped."""

from dataclasses import fields

import pytest
import torch

from lifelong_rl.data.episodes import EpisodeStore
from lifelong_rl.envs.maze2d import Maze2dTask
from lifelong_rl.exploration import RandomPolicy
from lifelong_rl.goals.environment import EnvironmentGoals
from lifelong_rl.recording.snapshot import load_snapshot, save_snapshot
from lifelong_rl.seeding import Seeds
from lifelong_rl.training.collector import Collector
from lifelong_rl.types import EnvironmentFault, Outcome, Step
from tests.training.tiny_run import HORIZON, NUM_ENVS, LinearPolicy, tiny_task


class Steps(list):
    """A store that keeps the very steps."""

    device = torch.device("cpu")

    def add(self, step: Step) -> None:
        self.append(step)


class OppositeGoals(EnvironmentGoals):
    """Tells the policy to go where the environment does not want it."""

    def choose(self, desired_goal: torch.Tensor, observation: torch.Tensor) -> torch.Tensor:
        return -desired_goal


def same(one: Step, other: Step) -> bool:
    return all(torch.equal(getattr(one, field.name), getattr(other, field.name)) for field in fields(Step)[:9])


def test_stored_steps_are_those_of_the_task_with_the_last_observation_from_before_the_reset():
    seeds, steps = Seeds(0), Steps()
    task = tiny_task(seeds)
    Collector(task, EnvironmentGoals(), steps).collect(RandomPolicy(task.spec, seeds.torch("random")), 40 * NUM_ENVS)

    again = tiny_task(Seeds(0))
    observed = again.reset()
    for number, step in enumerate(steps, 1):
        assert torch.equal(step.observation, observed.observation)
        assert torch.equal(step.goal, observed.desired_goal) and torch.equal(step.desired_goal, observed.desired_goal)
        assert torch.equal(step.sim_state, again.sim_state())
        outcome = again.step(step.action)
        assert torch.equal(step.next_observation, outcome.observed.observation)
        assert torch.equal(step.next_achieved_goal, outcome.observed.achieved_goal)
        assert torch.equal(step.reward, outcome.reward)
        assert step.ended.tolist() == [number % HORIZON == 0] * NUM_ENVS and not step.terminated.any()
        observed = again.reset_where(step.ended) if number % HORIZON == 0 else outcome.observed
    assert not torch.equal(steps[HORIZON - 1].next_observation, steps[HORIZON].observation)


def test_the_goal_source_says_where_to_go_and_the_environments_wish_is_kept_beside_it():
    seeds, steps = Seeds(0), Steps()
    task = tiny_task(seeds)
    collector = Collector(task, OppositeGoals(), steps)
    collector.collect(RandomPolicy(task.spec, seeds.torch("random")), (HORIZON + 1) * NUM_ENVS)
    assert all(torch.equal(step.goal, -step.desired_goal) for step in steps)
    assert not torch.equal(steps[0].goal, steps[-1].goal)


def test_steps_are_counted_in_whole_steps_of_all_environments_and_ends_are_reported():
    seeds = Seeds(0)
    task = tiny_task(seeds)
    collector, policy = Collector(task, EnvironmentGoals(), Steps()), RandomPolicy(task.spec, seeds.torch("random"))
    collector.collect(policy, 0)
    assert collector.read_metrics() == {} and collector.num_steps == 0
    collector.collect(policy, NUM_ENVS + 1)
    assert collector.num_steps == 2 * NUM_ENVS
    short = collector.read_metrics()
    assert short["num_episodes"] == 0 and "success_at_end_rate" not in short
    collector.collect(policy, HORIZON * NUM_ENVS)
    assert collector.read_metrics()["num_episodes"] == NUM_ENVS and collector.read_metrics() == {}


def test_a_policy_is_reset_when_it_takes_over_and_where_episodes_end():
    task = tiny_task(Seeds(0))
    collector = Collector(task, EnvironmentGoals(), Steps())
    policy = LinearPolicy(torch.ones(4, 2))
    collector.begin(policy)
    collector.collect(policy, 5 * NUM_ENVS)
    assert policy.resets == [NUM_ENVS]
    collector.collect(policy, (HORIZON + 3) * NUM_ENVS)
    assert policy.resets == [NUM_ENVS, NUM_ENVS]


def test_between_two_steps_others_have_their_turn_and_may_break_off():
    seeds = Seeds(0)
    task = tiny_task(seeds)
    collector, policy = Collector(task, EnvironmentGoals(), Steps()), RandomPolicy(task.spec, seeds.torch("random"))

    def stop_at_three() -> None:
        if collector.num_steps == 3 * NUM_ENVS:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        collector.collect(policy, 10 * NUM_ENVS, None, stop_at_three)
    assert collector.num_steps == 3 * NUM_ENVS


def test_a_snapshot_in_mid_episode_goes_on_with_the_very_same_steps(tmp_path):
    whole, halves = Steps(), Steps()

    def make(seed: int, store: Steps) -> tuple[Seeds, Maze2dTask, Collector, RandomPolicy]:
        seeds = Seeds(seed)
        task = tiny_task(seeds)
        return seeds, task, Collector(task, EnvironmentGoals(), store), RandomPolicy(task.spec, seeds.torch("random"))

    *_, collector, policy = make(0, whole)
    collector.collect(policy, 50 * NUM_ENVS)

    seeds, task, collector, policy = make(0, halves)
    collector.collect(policy, 27 * NUM_ENVS)
    parts = {"seeds": seeds, "task": task, "collector": collector}
    save_snapshot(tmp_path / "itr_1", {name: part.state_dict() for name, part in parts.items()}, {})

    seeds, task, collector, policy = make(5, halves)  # another seed: all that matters is in the snapshot
    for name, part in {"seeds": seeds, "task": task, "collector": collector}.items():
        part.load_state_dict(load_snapshot(tmp_path / "itr_1").parts[name])
    collector.collect(policy, 50 * NUM_ENVS)

    assert collector.num_steps == 50 * NUM_ENVS
    assert all(same(one, other) for one, other in zip(whole, halves, strict=True))


class FaultyTask(Maze2dTask):
    """Its sixth step fails."""

    recovers = True

    def step(self, action: torch.Tensor) -> Outcome:
        if self.sim_state()[0, -1] == 5:
            self.reset()
            raise EnvironmentFault("environments 1-2 died by SIGSEGV", recovered=self.recovers)
        return super().step(action)


def faulty_task(seeds: Seeds) -> FaultyTask:
    return FaultyTask(tiny_task(seeds).config, num_envs=NUM_ENVS, generator=seeds.numpy("task"))


def test_after_a_fault_that_was_outlived_all_open_episodes_end_and_no_step_is_made_up():
    seeds, store = Seeds(0), EpisodeStore(400, NUM_ENVS)
    task = faulty_task(seeds)
    collector, policy = Collector(task, EnvironmentGoals(), store), LinearPolicy(torch.ones(4, 2))
    collector.collect(policy, 12 * NUM_ENVS)
    assert len(store) == collector.num_steps == 12 * NUM_ENVS and collector.read_metrics()["num_faults"] == 2
    for env in range(NUM_ENVS):
        lengths = [len(store.episode_of(step * NUM_ENVS + env)) for step in (0, 4, 5, 9, 10)]
        assert lengths == [5, 5, 5, 5, 2]
    after = store.at("next_observation", store.episode_of(0)[:-1])
    assert torch.equal(after, store.at("observation", store.episode_of(0)[1:]))
    assert policy.resets == [NUM_ENVS, NUM_ENVS]  # it forgets what was before


def test_a_fault_for_good_ends_collecting():
    seeds = Seeds(0)
    task = faulty_task(seeds)
    task.recovers = False
    collector = Collector(task, EnvironmentGoals(), Steps())
    with pytest.raises(EnvironmentFault, match="died by SIGSEGV"):
        collector.collect(RandomPolicy(task.spec, seeds.torch("random")), 100)
    assert collector.num_steps == 5 * NUM_ENVS


@pytest.mark.parametrize("patience", [0, 3])
def test_an_episode_can_end_so_many_steps_after_its_goal_was_first_reached(patience):
    steps, task = Steps(), tiny_task(Seeds(0), num_envs=16)
    seek = LinearPolicy(torch.tensor([[3.0, 0], [0, 3], [-1, 0], [0, -1]]))
    Collector(task, EnvironmentGoals(), steps).collect(seek, 200 * 16, steps_after_success=patience)
    reached = torch.stack([task.spec.success_fn(step.next_achieved_goal, step.desired_goal) for step in steps])
    ended = torch.stack([step.ended for step in steps])

    early = 0
    for env in range(16):
        first = 0
        for last in ended[:, env].nonzero().flatten().tolist():
            found = reached[first : last + 1, env].nonzero().flatten().tolist()
            length = last + 1 - first
            assert length == (min(found[0] + 1 + patience, HORIZON) if found else HORIZON)
            early += length < HORIZON
            first = last + 1
    assert early > 10
    assert not any(step.terminated.any() for step in steps)
