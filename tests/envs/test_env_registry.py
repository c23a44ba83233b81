"""Which tasks there are, under which names, with which horizons and scores; and mazes of one's own."""

import subprocess
import sys

import numpy as np
import pytest

from lifelong_rl.config import ConfigError, from_dict, to_dict
from lifelong_rl.envs.maze2d_config import MAZES, Maze2dConfig
from lifelong_rl.envs.maze2d_grid import MazeGrid
from lifelong_rl.envs.registry import TASKS, builder_of, check_task_name, is_known_task, make_task, said_todays_name
from lifelong_rl.envs.robotics import OLD_NAMES, STUDY
from tests.envs.gymnasium_fixtures import FIXTURES, robotics
from tests.source_tree import ROOT

OWN = r"#####\#GO##\##O##\#####"


def make(name: str, **options):
    return make_task(name, num_envs=2, generator=np.random.default_rng(0), **options)


@pytest.mark.parametrize("name", TASKS)
def test_every_task_of_the_table_can_be_made_and_says_what_it_is(name):
    task = make(name, layout=OWN if "custom" in name else None)
    observed, spec = task.reset(), task.spec
    assert spec.name == name
    assert observed.observation.shape == (2, *spec.observation_shape)
    assert observed.desired_goal.shape == observed.achieved_goal.shape == (2, *spec.goal_shape)


@pytest.mark.parametrize(
    ("name", "horizon", "score_range", "num_free_cells"),
    [
        ("maze2d-umaze-v1", 300, (23.85, 161.86), 7),
        ("maze2d-medium-v1", 600, (13.13, 277.39), 26),
        ("maze2d-large-v1", 800, (6.7, 273.99), 46),
        ("maze2d-umaze-dense-v1", 300, (68.537689, 193.66285642381482), 7),
        ("maze2d-medium-dense-v1", 600, (44.264742, 297.4552547777125), 26),
        ("maze2d-large-dense-v1", 800, (30.569041, 303.4857382709002), 46),
        ("maze2d-eval-umaze-v1", 300, (36.63, 141.4), 7),
    ],
)
def test_horizons_scores_and_sizes_are_those_of_d4rl(name, horizon, score_range, num_free_cells):
    task = make(name)
    assert (task.spec.horizon, task.spec.score_range) == (horizon, score_range)
    assert len(task.grid.free_cells) == num_free_cells


def test_a_score_is_not_claimed_where_nobody_has_measured_its_range():
    assert make("maze2d-umaze-v1", horizon=50).spec.score_range is None
    assert make("maze2d-custom", layout=OWN).spec.score_range is None


def test_a_layout_of_ones_own_becomes_a_task():
    task = make("maze2d-custom", layout=OWN)
    assert task.spec.horizon == 200 + 15 * 3
    assert task.grid.goal_cell.tolist() == [1, 1]
    assert task.grid.free_cells.tolist() == [[1, 2], [2, 2], [1, 1]]


def test_a_layout_without_a_goal_takes_its_first_free_cell():
    assert MazeGrid.from_layout(r"####\#OO#\####").goal_cell.tolist() == [1, 1]


def test_a_position_belongs_to_the_cell_in_whose_free_floor_it_lies():
    grid = MazeGrid.from_layout(MAZES["umaze"].layout)
    corners = np.array([[2.4, 2.4], [3.2, 3.2], [3.0, 3.0], [2.4, 3.2]])
    assert grid.cell_of(corners).tolist() == [[3, 3]] * 4


@pytest.mark.parametrize(
    ("layout", "message"),
    [
        (r"####\#G#\####", "layout: row 1 has 3 tiles, row 0 has 4."),
        (r"####\#GX#\####", "layout: row 1, column 2 is 'X'; tiles are # (wall), O (free), G (goal)."),
        (r"####\#GOO\####", "layout: row 1, column 3 is open to the outside; the border must be walls (#)."),
        (r"####\#GG#\####", "layout: 2 goals (G), at most 1 expected."),
        (r"###\###\###", r"layout: no free tile (O or G) in '###\\###\\###'."),
        (r"#####\#G#O#\#####", "layout: no way leads from row 1, column 3 to row 1, column 1."),
    ],
)
def test_a_layout_that_is_no_maze_is_refused_with_the_place(layout, message):
    with pytest.raises(ConfigError) as error:
        make("maze2d-custom", layout=layout)
    assert str(error.value) == message


def test_wrong_names_and_options_are_refused_with_the_nearest_right_answer():
    with pytest.raises(
        ConfigError, match=r"^task.name: unknown task 'maze2d-umze-v1'. Did you mean 'maze2d-umaze-v1'\?"
    ):
        make("maze2d-umze-v1")
    with pytest.raises(ConfigError, match="^task.name: unknown task 'CartPol-v1'. Did you mean 'CartPole-v1'"):
        make("CartPol-v1")
    with pytest.raises(ConfigError, match="^task.layout belongs to 'maze2d-custom' alone, got None"):
        make("maze2d-custom")
    with pytest.raises(ConfigError, match="^task.layout belongs to 'maze2d-custom' alone"):
        make("maze2d-umaze-v1", layout=OWN)
    with pytest.raises(ConfigError, match=r"^task.horizon must be at least 1 step, got 0\.$"):
        make("maze2d-umaze-v1", horizon=0)
    with pytest.raises(ConfigError, match=r"^num_envs must be at least 1, got 0\.$"):
        make_task("maze2d-umaze-v1", num_envs=0, generator=np.random.default_rng(0))


def test_every_id_of_gymnasium_is_a_task_also_one_that_a_package_registers_when_imported():
    for name in ("CartPole-v1", "HalfCheetah-v5", f"{FIXTURES}Slide-v0"):
        assert is_known_task(name) and builder_of(name) == "lifelong_rl.envs.gymnasium_task:build_gymnasium"
    assert is_known_task("maze2d-umaze-v1") and builder_of("maze2d-umaze-v1") == TASKS["maze2d-umaze-v1"]
    assert make("CartPole-v1", horizon=9).spec.horizon == 9


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("CartPole-v7", "^name: unknown task 'CartPole-v7'. Did you mean 'CartPole-v[01]'. Valid: maze2d-u"),
        ("qqqqqqqq", "^name: unknown task 'qqqqqqqq'. Valid: maze2d-umaze-v1, .*, and the ids of gymnasium.$"),
        ("no_such_package:Env-v0", r"^name: 'no_such_package:Env-v0': importing no_such_package failed .Module"),
        (f"{FIXTURES}Slid-v0", "^name: unknown task '.*:Slid-v0'. Did you mean 'Slide-v0'"),
    ],
)  # fmt: skip
def test_an_unknown_id_is_refused_with_the_nearest_known_one(name, message):
    assert not is_known_task(name)
    with pytest.raises(ConfigError, match=message):
        check_task_name(name, "name")


@robotics
@pytest.mark.parametrize("old", OLD_NAMES)
def test_every_old_id_leads_to_one_that_gymnasium_has_today(old):
    assert is_known_task(old)
    with pytest.warns(
        UserWarning, match=f"^{old} is called {OLD_NAMES[old]} today: the same task on a newer simulator"
    ):
        assert is_known_task(said_todays_name(old))


@robotics
def test_an_old_id_makes_the_environment_of_today():
    assert len(STUDY) == 12
    with pytest.warns(UserWarning, match="FetchReach-v1 is called FetchReach-v4 today"):
        assert make("FetchReach-v1").spec.name == "FetchReach-v4"


def test_what_to_install_is_said_where_the_extra_is_missing():
    code = (
        "import sys; sys.modules['gymnasium_robotics'] = None\n"
        "from lifelong_rl.envs.registry import check_task_name\n"
        "check_task_name('FetchReach-v1')"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    line = "task.name: 'FetchReach-v1' belongs to gymnasium-robotics, which is not installed: pip install"
    assert f"{line} 'lifelong_rl[robotics]'" in result.stderr


def test_a_config_survives_the_way_to_a_dict_and_back():
    config = Maze2dConfig(name="maze2d-custom-dense", layout=OWN, random_goals=True)
    again = from_dict(Maze2dConfig, to_dict(config))
    assert again == config
    assert again.dense


def test_the_table_is_read_without_torch_mujoco_or_gymnasium():
    code = (
        "import sys, lifelong_rl.envs.registry\n"
        "sys.exit(str([name for name in ('torch', 'mujoco', 'gymnasium') if name in sys.modules] or ''))"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (result.returncode, result.stderr.strip()) in [(0, ""), (1, "")], result.stderr
