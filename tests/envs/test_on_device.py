"""A task on the run's device shows what the task itself would show, and takes actions from there."""

import pytest
import torch
from torch import Tensor

from lifelong_rl.envs.on_device import OnDevice, on_device, unwrapped
from lifelong_rl.exploration import RandomPolicy
from lifelong_rl.seeding import Seeds
from lifelong_rl.training.evaluator import Evaluator
from lifelong_rl.types import Observed, Outcome
from tests.training.tiny_run import LinearAgent, tiny_task

CUDA = pytest.param("cuda", marks=pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU"))


def tensors_of(shown: Observed | Outcome) -> list[Tensor]:
    values = vars(shown).values()
    return [tensor for value in values for tensor in ([value] if isinstance(value, Tensor) else tensors_of(value))]


def assert_same(ours: Observed | Outcome, theirs: Observed | Outcome, device: str) -> None:
    for moved, own in zip(tensors_of(ours), tensors_of(theirs), strict=True):
        assert moved.device.type == device and moved.dtype == own.dtype and torch.equal(moved.cpu(), own)


@pytest.mark.parametrize("device", ["cpu", CUDA])
def test_outcomes_resets_and_states_are_those_of_the_task(device):
    wrapped, plain = OnDevice(tiny_task(Seeds(0)), device), tiny_task(Seeds(0))
    assert wrapped.spec.horizon == plain.spec.horizon and wrapped.num_envs == plain.num_envs
    observed = wrapped.reset()
    assert_same(observed, plain.reset(), device)
    policy = RandomPolicy(plain.spec, torch.Generator(device).manual_seed(0))
    for _ in range(plain.spec.horizon):
        action = policy(observed.observation, observed.desired_goal)
        outcome = wrapped.step(action)
        assert_same(outcome, plain.step(action.cpu()), device)
        observed = outcome.observed
    assert bool(outcome.truncated.all())
    ended = torch.arange(plain.num_envs, device=device) == 1
    assert_same(wrapped.reset_where(ended), plain.reset_where(ended.cpu()), device)
    assert wrapped.sim_state().device.type == "cpu" and torch.equal(wrapped.sim_state(), plain.sim_state())


def test_a_state_goes_from_the_task_to_the_wrapper_and_back():
    first, second, third = tiny_task(Seeds(0)), OnDevice(tiny_task(Seeds(1)), "cpu"), tiny_task(Seeds(2))
    first.reset()
    second.load_state_dict(first.state_dict())
    third.load_state_dict(second.state_dict())
    assert torch.equal(third.sim_state(), first.sim_state())
    assert_same(second.reset(), third.reset(), "cpu")


def test_a_run_on_the_cpu_has_no_wrapper_and_a_wrapper_can_be_seen_through():
    task = tiny_task(Seeds(0))
    assert on_device(task, "cpu") is task is unwrapped(task)
    assert unwrapped(on_device(task, "cuda")) is task


def test_a_random_policy_draws_the_same_wherever_it_is_shown_observations():
    spec = tiny_task(Seeds(0)).spec
    seen = [
        RandomPolicy(spec, torch.Generator().manual_seed(0))(torch.zeros(3, 4, device=device), torch.zeros(3, 2))
        for device in ["cpu", *(["cuda"] if torch.cuda.is_available() else ["meta"])]
    ]
    assert seen[1].device.type != "cpu" and seen[0].shape == seen[1].shape == (3, 2)


def test_a_generator_belongs_to_one_device():
    seeds = Seeds(0)
    generator = seeds.torch("agent")
    assert seeds.torch("agent", torch.device("cpu")) is generator
    with pytest.raises(ValueError, match="generator 'agent' is on cpu, but was asked for on cuda"):
        seeds.torch("agent", "cuda")


@pytest.mark.parametrize("device", ["cpu", CUDA])
def test_episodes_played_on_a_device_are_told_on_the_cpu(device):
    agent = LinearAgent()
    agent.weight = torch.ones(4, 2, device=device)
    played = Evaluator(OnDevice(tiny_task(Seeds(0)), device), {}).play(agent.policy(explore=False))
    plain = LinearAgent()
    plain.weight = torch.ones(4, 2)
    expected = Evaluator(tiny_task(Seeds(0)), {}).play(plain.policy(explore=False))
    assert played.rewards.device.type == "cpu" and torch.allclose(played.rewards, expected.rewards)
