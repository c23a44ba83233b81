"""What a goal environment of gymnasium must offer: rewards of whole batches, success, goals; else a line says so."""

import pytest
import torch

from lifelong_rl.config import ConfigError
from lifelong_rl.envs.robotics import STUDY
from tests.envs.gymnasium_fixtures import FIXTURES, make, robotics, slide_id


def test_the_reward_of_a_batch_is_the_reward_of_its_rows_and_success_follows_from_it():
    task = make(f"{FIXTURES}Slide-v0")
    assert task.spec.reward_fn is not None and task.spec.success_fn is not None
    achieved, goal = torch.zeros(2, 3, 2), torch.zeros(2, 3, 2)
    goal[1] = 0.5
    assert task.spec.reward_fn(achieved, goal).tolist() == [[0.0] * 3, [-1.0] * 3]
    assert task.spec.success_fn(achieved, goal).tolist() == [[True] * 3, [False] * 3]
    assert task.spec.reward_fn(achieved, goal).dtype == torch.float32


@pytest.mark.parametrize(("fault", "success"), [("success as array", True), ("is_success", True), ("", False)])
def test_success_is_read_from_the_info_under_either_name_and_else_from_the_goals(fault, success):
    task = make(FIXTURES + slide_id(fault))
    outcome = task.step(torch.zeros(2, 2))
    assert outcome.success.tolist() == [success] * 2
    assert task.spec.success_fn is not None
    assert not task.spec.success_fn(outcome.observed.achieved_goal, outcome.observed.desired_goal).any()


@robotics
@pytest.mark.parametrize(
    ("name", "offset"),
    [
        ("FetchReach-v4", 0),
        ("FetchPush-v4", 3),
        ("HandManipulateBlockFull-v1", 54),
        ("PointMaze_UMaze-v3", 0),
        ("AntMaze_UMaze-v5", None),
    ],
)
def test_where_an_observation_holds_the_achieved_goal_is_found(name, offset):
    task = make(name)
    observed = task.step(torch.ones(2, task.spec.action_size)).observed
    if offset is None:
        assert task.spec.goal_of is None and task.spec.with_goal is None
        return
    assert task.spec.goal_of is not None and task.spec.with_goal is not None
    size = task.spec.goal_shape[0]
    assert torch.equal(task.spec.goal_of(observed.observation), observed.achieved_goal)
    moved = task.spec.with_goal(observed.observation, observed.desired_goal)
    assert torch.equal(moved[:, offset : offset + size], observed.desired_goal)
    assert torch.equal(task.spec.with_goal(moved, observed.achieved_goal), observed.observation)


@robotics
@pytest.mark.parametrize("name", STUDY.values())
def test_every_environment_of_the_mrn_study_is_a_goal_task(name):
    task = make(name, num_envs=1)
    outcome = task.step(torch.zeros(1, task.spec.action_size))
    achieved = outcome.observed.achieved_goal
    assert task.spec.reward_fn is not None and task.spec.success_fn is not None
    assert task.spec.reward_fn(achieved, achieved).tolist() == [0.0]
    assert torch.equal(task.spec.success_fn(achieved, outcome.observed.desired_goal), outcome.success)
    assert task.spec.horizon == (50 if name.startswith("Fetch") else 100)


@robotics
def test_a_pen_may_be_turned_about_its_own_axis_in_every_row_of_a_batch():
    task = make("HandManipulatePenFull-v1", num_envs=1)
    assert task.spec.reward_fn is not None
    pen = task._episodes[0].env.unwrapped
    half_turn, tilted = torch.tensor([0.0, 0.0, 0.0, 1.0]), torch.tensor([0.5**0.5, 0.5**0.5, 0.0, 0.0])
    goal = torch.tensor([[1.0, 0.9, 0.2, 1.0, 0.0, 0.0, 0.0]]).repeat(4, 1)
    achieved = goal.clone()
    achieved[1:3, 3:], achieved[3, 3:] = half_turn, tilted

    rewards = task.spec.reward_fn(achieved, goal)
    alone = [pen.compute_reward(one, other, {}) for one, other in zip(achieved.numpy(), goal.numpy(), strict=True)]
    assert rewards.tolist() == alone == [0.0, 0.0, 0.0, -1.0]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("SlideOneNumber-v0", r"^compute_reward of \S+SlideOneNumber-v0 returned shape \(\), expected \(8,\): make it"),
        ("SlideNeedsInfo-v0", r"compute_reward of one pair of goals failed \(KeyError: 'reward'\): .* with info=\{\}"),
        ("SlideRaises-v0", "cannot take 8 pairs of goals at once .ValueError: The truth value .* make it work on batc"),
        ("SlideWrongRow-v0", "gives pair 1 of a batch 2, and the same pair alone 1: make it work on batches"),
        ("SlideNanReward-v0", "SlideNanReward-v0 returned nan"),
        ("SlideNan-v0", "SlideNan-v0: observation holds nan; only finite numbers can be learned"),
        ("SlideShape-v0", r"observation has shape \(2,\), its space promises \(4,\)"),
        ("SlideRange-v0", r"achieved_goal shows \d\.\d+, which lies outside its space Box"),
        ("SlideNoGoal-v0", "its space promises a dict of observation, achieved_goal, desired_goal"),
        ("CameraFloat-v0", "observation is an image of float64, its space promises uint8"),
        ("OddTuple-v0", "cannot show a Tuple space; what fits: Box, Discrete, or a Dict of observation, achieved_goal"),
        ("OddKeys-v0", "cannot show a Dict of image; what fits: Box, Discrete, or a Dict of"),
        ("OddMany-v0", "cannot act in a MultiDiscrete of int64 space; what fits: Box of floats, or Discrete"),
        ("OddUnbounded-v0", "is unbounded; what fits: a Box with finite bounds"),
        ("SlideEndless-v0", "task.horizon: .* has no time limit of its own; give one, say 1000"),
    ],
)
def test_what_does_not_fit_is_refused_in_one_line_before_the_first_step(name, message):
    with pytest.raises(ConfigError, match=message) as raised:
        make(FIXTURES + name)
    assert "\n" not in str(raised.value)
