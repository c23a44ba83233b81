"""The grid world moves as its layout says, keeps the contract of a Task, and knows the truth about itself."""

import warnings

import gymnasium
import numpy as np
import pytest
import torch
from gymnasium.utils.env_checker import check_env
from torch import Tensor

from lifelong_rl.config import ConfigError
from lifelong_rl.envs.film import draw_film
from lifelong_rl.envs.grid import CHOICES, GridTask, cell_of, shown_as
from lifelong_rl.envs.grid_config import GridConfig
from lifelong_rl.envs.grid_distance import ShortestWayPolicy, best_values, shortest_steps
from lifelong_rl.envs.maze2d_film import maze_footage, top_down
from lifelong_rl.envs.maze2d_grid import MazeGrid
from lifelong_rl.envs.registry import make_task, register_gymnasium
from lifelong_rl.training.evaluator import Evaluator

RING = r"#####\#OOO#\#O#G#\#OOO#\#####"


def build(name: str = "grid-rooms-v1", *, num_envs: int = 8, seed: int = 0, **options) -> GridTask:
    return make_task(name, num_envs=num_envs, generator=np.random.default_rng(seed), **options)


def ring(**options) -> GridTask:
    return build("grid-custom-v1", layout=RING, **options)


def state_with(cell, *, goal=(2, 3), steps=0) -> Tensor:
    return torch.tensor([[*cell, 0, 0, *goal, steps]], dtype=torch.float64)


def choice(word: str, count: int = 1) -> Tensor:
    return torch.full((count,), CHOICES.index(word))


@pytest.mark.parametrize(
    ("word", "after"), [("left", (1, 1)), ("right", (1, 3)), ("up", (1, 2)), ("down", (1, 2)), ("stay", (1, 2))]
)
def test_a_choice_leads_to_the_next_cell_and_a_wall_stops_it(word, after):
    task = ring(num_envs=1)
    task.set_sim_state(state_with((1, 2)))
    outcome = task.step(choice(word))
    assert tuple(task.sim_state()[0, :2].tolist()) == after
    assert cell_of(outcome.observed.observation.numpy(), task.grid.shape)[0].tolist() == list(after)


def test_success_and_a_reward_of_0_are_for_the_goals_cell_alone_and_a_goal_can_be_held():
    task = ring(num_envs=1)
    task.set_sim_state(state_with((1, 2)))
    outcomes = [task.step(choice(word)) for word in ("right", "down", "stay", "down")]
    assert [outcome.reward.item() for outcome in outcomes] == [-1.0, 0.0, 0.0, -1.0]
    assert [bool(outcome.success) for outcome in outcomes] == [False, True, True, False]
    assert not any(bool(outcome.terminated) for outcome in outcomes)


def test_cells_and_what_is_shown_of_them_are_each_others_inverse():
    grid = MazeGrid.from_layout(RING)
    shown = shown_as(grid.free_cells, grid.shape)
    assert shown.shape == (8, 10) and (shown.sum(-1) == 2).all()
    assert np.array_equal(cell_of(shown, grid.shape), grid.free_cells)


def test_starts_and_random_goals_are_all_free_cells_alike_and_else_the_goal_is_g():
    observed = ring(num_envs=4000, random_goals=True).reset()
    for shown in (observed.observation, observed.desired_goal):
        cells, counts = np.unique(cell_of(shown.numpy(), (5, 5)), axis=0, return_counts=True)
        assert len(cells) == 8 and counts.min() > 4000 / 8 * 0.8
    own = build(num_envs=3).reset().desired_goal.numpy()
    assert cell_of(own, (13, 13)).tolist() == [[11, 11]] * 3


def test_the_reward_shown_is_the_one_that_relabelling_gives_and_the_position_is_the_achieved_goal():
    task = build("grid-umaze-v1", num_envs=64, random_goals=True)
    generator, rewards = torch.Generator().manual_seed(0), set()
    for _ in range(20):
        outcome = task.step(torch.randint(5, (64,), generator=generator))
        shown = outcome.observed
        assert torch.equal(outcome.reward, task.spec.reward_fn(shown.achieved_goal, shown.desired_goal))
        assert torch.equal(shown.achieved_goal, shown.observation)
        rewards |= set(outcome.reward.tolist())
    assert rewards == {-1.0, 0.0}


def test_an_episode_ends_by_time_alone_and_only_the_ended_start_again():
    task = ring(horizon=5, num_envs=3, random_goals=True)
    task.set_sim_state(torch.cat([state_with((1, 1), steps=steps) for steps in (0, 3, 4)]))
    outcome = task.step(choice("stay", 3))
    assert outcome.truncated.tolist() == [False, False, True] and not outcome.terminated.any()
    last = outcome.observed
    after = task.reset_where(outcome.truncated)
    assert torch.equal(after.observation[:2], last.observation[:2])
    assert torch.equal(after.desired_goal[:2], last.desired_goal[:2])
    assert task.sim_state()[:, 6].tolist() == [1.0, 4.0, 0.0]
    assert task.reset_where(torch.zeros(3, dtype=torch.bool)) is after


def test_what_a_step_returned_is_not_overwritten_by_the_next():
    task = ring(random_goals=True)
    outcome = task.step(choice("stay", 8))
    kept = outcome.observed.observation.clone(), outcome.observed.desired_goal.clone()
    for word in CHOICES:
        task.step(choice(word, 8))
    task.reset()
    assert torch.equal(outcome.observed.observation, kept[0]) and torch.equal(outcome.observed.desired_goal, kept[1])


def test_a_grid_goes_on_from_its_state_dict_as_if_nothing_had_happened():
    def play(task: GridTask, seed: int) -> list[Tensor]:
        generator, seen = torch.Generator().manual_seed(seed), []
        for _ in range(20):
            outcome = task.step(torch.randint(5, (8,), generator=generator))
            seen.append(torch.cat([outcome.observed.observation, outcome.observed.desired_goal]))
            task.reset_where(outcome.truncated)
        return seen

    task, other = build(horizon=7, random_goals=True), build(horizon=7, random_goals=True, seed=99)
    play(task, 0)
    state = task.state_dict()
    expected = play(task, 1)
    other.load_state_dict(state)
    assert all(torch.equal(a, b) for a, b in zip(expected, play(other, 1), strict=True))


def test_shortest_ways_go_around_walls_and_are_those_of_a_hand_count():
    grid = MazeGrid.from_layout(RING)
    steps = shortest_steps(grid)
    start = grid.free_cells.tolist().index([2, 1])
    assert {tuple(cell): int(count) for cell, count in zip(grid.free_cells, steps[start], strict=True)} == {
        (2, 1): 0, (1, 1): 1, (3, 1): 1, (1, 2): 2, (3, 2): 2, (1, 3): 3, (3, 3): 3, (2, 3): 4,
    }  # fmt: skip
    assert np.array_equal(steps, steps.T)


def test_the_best_value_counts_the_steps_before_the_one_that_reaches_the_goal():
    assert best_values(np.array([0, 1, 2, 3]), 1.0).tolist() == [0.0, 0.0, -1.0, -2.0]
    np.testing.assert_allclose(best_values(np.array([0, 1, 3]), 0.9), [0.0, 0.0, -1.9])


@pytest.mark.parametrize("name", ["grid-rooms-v1", "grid-umaze-v1"])
def test_the_policy_of_shortest_ways_takes_as_many_steps_as_they_have_and_stays(name):
    task = build(name, num_envs=200, random_goals=True)
    evaluator = Evaluator(task, {})
    task.load_state_dict(evaluator._start)
    observed = task.reset()
    cells = [cell_of(shown.numpy(), task.grid.shape) for shown in (observed.observation, observed.desired_goal)]
    numbers = {tuple(cell): number for number, cell in enumerate(task.grid.free_cells.tolist())}
    start, goal = ([numbers[tuple(cell)] for cell in places.tolist()] for places in cells)
    steps = shortest_steps(task.grid)[start, goal]

    played = evaluator.play(ShortestWayPolicy(task.grid))
    assert played.success_at_end.all()
    np.testing.assert_allclose(played.rewards.sum(0).numpy(), best_values(steps, 1.0))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"name": "grid-rums-v1"}, "task.name: unknown grid 'grid-rums-v1'. Did you mean 'grid-rooms-v1'?"),
        ({"name": "grid-custom-v1"}, "task.layout belongs to 'grid-custom-v1' alone, got None for 'grid-custom-v1'."),
        ({"layout": RING}, f"task.layout belongs to 'grid-custom-v1' alone, got {RING!r} for 'grid-rooms-v1'."),
        ({"horizon": 0}, "task.horizon must be at least 1 step, got 0."),
    ],
)
def test_a_config_that_makes_no_sense_is_refused_in_one_line(options, message):
    with pytest.raises(ConfigError) as caught:
        GridConfig(**options)
    assert str(caught.value).startswith(message) and "\n" not in str(caught.value)


def test_bad_input_is_refused_in_one_line():
    with pytest.raises(ConfigError, match="layout: row 1, column 3 is open to the outside"):
        build("grid-custom-v1", layout=r"####\#GOO\####")
    with pytest.raises(ValueError, match=r"^grid-rooms-v1: action of environment 2 must be 0 to 4, got 5\.$"):
        build().step(torch.tensor([0, 0, 5, 0, 0, 0, 0, 0]))
    with pytest.raises(ValueError, match=r"^sim_state must be \[8, 7\], got \[1, 7\]\.$"):
        build().set_sim_state(state_with((1, 1)))


def test_a_layout_of_ones_own_lasts_as_many_steps_as_it_has_cells_unless_told():
    assert ring().spec.horizon == 8
    assert ring(horizon=30).spec.horizon == 30


def test_gymnasiums_own_checker_has_nothing_to_say_and_a_picture_shows_where_one_is():
    register_gymnasium()
    env = gymnasium.make("lifelong_rl/Grid-Rooms-v1", render_mode="rgb_array", random_goals=True)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_env(env.unwrapped)
    before, _ = env.reset(seed=1)
    first = env.render()
    words = ("left", "up", "right", "down")  # of which some lead away, wherever one is
    after = [env.step(CHOICES.index(word)) for word in words][0]
    assert first.ndim == 3 and first.dtype == np.uint8
    assert after[1] == env.unwrapped.compute_reward(after[0]["achieved_goal"], after[0]["desired_goal"], {})
    assert before["observation"].shape == (26,)


def test_a_film_shows_the_walker_in_the_middle_of_its_cell_and_says_when_it_is_at_the_goal():
    task = ring(num_envs=1)
    task.set_sim_state(state_with((1, 3)))
    states = [task.sim_state().numpy()]
    task.step(choice("down"))
    states.append(task.sim_state().numpy())
    away, at_goal = draw_film(maze_footage(np.stack(states), ["env 0"], ["ring"] * 2, task.spec, top_down(task, 1)))
    assert away.shape == at_goal.shape and (away != at_goal).any()

    picture = top_down(task, 1)(states[0][0], states[0][:, :2])
    orange = np.argwhere((picture == (214, 84, 36)).all(-1))
    assert orange.mean(0) == pytest.approx([(1 + 0.5) * 96, (3 + 0.5) * 96], abs=2)
