"""The batched maze2d is D4RL's, step by step, and keeps the contract of a Task."""

import mujoco
import numpy as np
import pytest
import torch

from lifelong_rl.envs.maze2d import SIM_STATE, Maze2dTask
from lifelong_rl.envs.registry import make_task

NAMES = ("maze2d-umaze-v1", "maze2d-large-v1")


def build(name: str = "maze2d-umaze-v1", *, num_envs: int = 8, seed: int = 0, **options) -> Maze2dTask:
    return make_task(name, num_envs=num_envs, generator=np.random.default_rng(seed), **options)


def random_actions(num_steps: int, num_envs: int) -> torch.Tensor:
    """Held for ten steps each, so that particles gain speed and hit walls."""
    held = torch.empty(num_steps // 10, num_envs, 2).uniform_(-1.5, 1.5, generator=torch.Generator().manual_seed(0))
    return held.repeat_interleave(10, dim=0)


def state_with(position, *, velocity=(0.0, 0.0), goal=(1.0, 1.0), steps=0.0) -> torch.Tensor:
    return torch.tensor([[*position, *velocity, *goal, steps]], dtype=torch.float64)


@pytest.mark.parametrize("name", NAMES)
def test_each_step_equals_a_plain_loop_that_clips_the_velocity_and_then_steps(name):
    task = build(name, num_envs=16)
    loops, contacts, fastest = [mujoco.MjData(task.physics.model) for _ in range(16)], 0, 0.0
    for action in random_actions(300, 16):
        before = task.sim_state().numpy()
        task.step(action)
        after = task.sim_state().numpy()
        for row, data in enumerate(loops):
            data.qpos[:], data.qvel[:] = before[row, :2], np.clip(before[row, 2:4], -5, 5)
            data.ctrl[:] = np.clip(action[row].double().numpy(), -1, 1)
            mujoco.mj_step(task.physics.model, data)
            contacts += data.ncon
            np.testing.assert_allclose(after[row, :4], [*data.qpos, *data.qvel], rtol=0, atol=1e-12)
        fastest = max(fastest, np.abs(after[:, 2:4]).max())

    assert contacts > 1000
    assert 5.0 < fastest <= 5.2263  # what one step at full throttle adds to the clipped velocity


def test_the_model_has_the_constants_of_d4rl():
    model = build().physics.model

    assert model.body("particle").mass[0] == pytest.approx(4.18879, abs=1e-5)
    assert model.body("particle").pos.tolist() == [1.2, 1.2, 0.0]
    assert (model.opt.timestep, model.opt.iterations, model.opt.gravity.tolist()) == (0.01, 20, [0.0, 0.0, 0.0])
    assert model.actuator_gear[:, 0].tolist() == [100.0, 100.0]
    assert model.dof_damping.tolist() == [1.0, 1.0]
    assert model.ngeom == 2 + 18  # floor, particle, the umaze's walls
    assert np.all(model.geom_margin == 0.002)
    assert np.all(model.geom_friction == [0.5, 0.1, 0.1])


def test_full_throttle_adds_a_quarter_of_a_metre_per_second_each_step():
    task = build(num_envs=1)
    task.set_sim_state(state_with((2.0, 3.0)))
    velocity = task.step(torch.tensor([[1.0, 0.0]])).observed.observation[0, 2]
    assert velocity.item() == pytest.approx(0.2387, abs=1e-3)


def test_free_floor_is_off_centre_by_a_fifth():
    task = build(num_envs=1)
    task.set_sim_state(state_with((3.0, 2.0)))
    far = {}
    for sign in (-1.0, 1.0):
        for _ in range(200):
            observed = task.step(torch.tensor([[sign, 0.0]])).observed
        far[sign] = observed.observation[0, 0].item()
    assert far[-1.0] == pytest.approx(3 - 0.6, abs=0.01)
    assert far[1.0] == pytest.approx(3 + 0.2, abs=0.01)


def test_episodes_start_near_whole_numbers_of_every_free_cell_almost_at_rest():
    observation = build(num_envs=4000).reset().observation.double().numpy()
    cells, counts = np.unique(np.round(observation[:, :2]), axis=0, return_counts=True)

    assert np.abs(observation[:, :2] - np.round(observation[:, :2])).max() <= 0.1 + 1e-6
    assert cells.tolist() == [[1, 1], [1, 2], [1, 3], [2, 3], [3, 1], [3, 2], [3, 3]]
    assert counts.min() > 4000 / 7 * 0.8
    assert observation[:, 2:].std() == pytest.approx(0.1, rel=0.05)


def test_the_goal_is_the_cell_g_unless_goals_are_random():
    assert build("maze2d-large-v1").reset().desired_goal.tolist() == [[7.0, 9.0]] * 8

    task = build(num_envs=500, random_goals=True)
    first, second = task.reset().desired_goal, task.reset().desired_goal
    assert not torch.equal(first, second)
    assert len(torch.unique(first.round(), dim=0)) == 7
    assert (first - first.round()).abs().max() <= 0.1 + 1e-6


@pytest.mark.parametrize(("gap", "near"), [(0.499, True), (0.501, False)])
def test_success_and_the_sparse_reward_are_for_being_within_half_a_metre(gap, near):
    task = build(num_envs=1)
    task.set_sim_state(state_with((1.0, 1.0 + gap)))
    outcome = task.step(torch.zeros(1, 2))
    assert (bool(outcome.success), outcome.reward.item()) == (near, float(near))


def test_the_dense_reward_falls_off_exponentially_and_success_stays():
    task = build("maze2d-umaze-dense-v1", num_envs=1)
    task.set_sim_state(state_with((1.0, 1.4)))
    outcome = task.step(torch.zeros(1, 2))
    assert outcome.reward.item() == pytest.approx(np.exp(-0.4), rel=1e-5)
    assert bool(outcome.success)


def test_the_reward_shown_is_the_one_that_relabelling_gives():
    task = build(random_goals=True, num_envs=64)
    for action in random_actions(100, 64):
        outcome = task.step(action)
        shown = outcome.observed
        assert torch.equal(outcome.reward, task.spec.reward_fn(shown.achieved_goal, shown.desired_goal))
        assert torch.equal(shown.achieved_goal, task.spec.goal_of(shown.observation))


def test_an_episode_ends_by_time_alone_and_only_the_ended_start_again():
    task = build(horizon=5, num_envs=3, random_goals=True)
    task.set_sim_state(torch.cat([state_with((1.0, 1.0), steps=steps) for steps in (0.0, 3.0, 4.0)]))
    outcome = task.step(torch.zeros(3, 2))
    assert outcome.truncated.tolist() == [False, False, True]
    assert not outcome.terminated.any()

    last = outcome.observed
    after = task.reset_where(outcome.truncated)
    assert torch.equal(after.observation[:2], last.observation[:2])
    assert torch.equal(after.desired_goal[:2], last.desired_goal[:2])
    assert not torch.equal(after.observation[2], last.observation[2])
    assert task.sim_state()[:, 6].tolist() == [1.0, 4.0, 0.0]
    assert task.reset_where(torch.zeros(3, dtype=torch.bool)) is after


def test_what_a_step_returned_is_not_overwritten_by_the_next():
    task = build(random_goals=True)
    outcome = task.step(torch.ones(8, 2))
    kept = [x.clone() for x in (outcome.observed.observation, outcome.observed.desired_goal, outcome.reward)]
    task.step(torch.ones(8, 2))
    task.reset()
    for before, now in zip(
        kept, (outcome.observed.observation, outcome.observed.desired_goal, outcome.reward), strict=True
    ):
        assert torch.equal(before, now)


def test_a_task_goes_on_from_its_state_dict_as_if_nothing_had_happened():
    def play(task: Maze2dTask, actions: torch.Tensor) -> list[torch.Tensor]:
        seen = []
        for action in actions:
            outcome = task.step(action)
            seen.append(outcome.observed.observation)
            task.reset_where(outcome.truncated)
        return seen

    task, actions = build(horizon=7, random_goals=True), random_actions(40, 8)
    play(task, actions[:20])
    state = task.state_dict()
    expected = play(task, actions[20:])
    other = build(horizon=7, random_goals=True, seed=99)
    other.load_state_dict(state)
    assert all(torch.equal(a, b) for a, b in zip(expected, play(other, actions[20:]), strict=True))


def test_two_tasks_can_be_put_on_the_same_starts_and_goals():
    task, other = build(random_goals=True), build(random_goals=True, seed=5)
    observed, same = task.reset(), other.set_sim_state(task.sim_state())
    assert torch.equal(observed.observation, same.observation)
    assert torch.equal(observed.desired_goal, same.desired_goal)


def test_threads_do_not_change_the_result():
    one, two = build(num_envs=64), build(num_envs=64, num_threads=2)
    for action in random_actions(50, 64):
        assert torch.equal(one.step(action).observed.observation, two.step(action).observed.observation)


def test_bad_input_is_refused_in_one_line():
    task = build()
    action = torch.zeros(8, 2)
    action[3, 1] = torch.nan
    with pytest.raises(
        ValueError, match=r"^maze2d-umaze-v1: action of environment 3 must be finite, got \[ 0\. nan\]\.$"
    ):
        task.step(action)
    with pytest.raises(ValueError, match=r"^sim_state must be \[8, 7\], got \[8, 4\]\.$"):
        task.set_sim_state(torch.zeros(8, 4))
    assert len(SIM_STATE) == 7
