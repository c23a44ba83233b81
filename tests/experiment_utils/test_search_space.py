"""What can be searched is said in a script or on the command line, and is checked when it is said."""

import subprocess
import sys

import pytest

from experiment_utils.search_space import choice, int_uniform, is_search, log_uniform, parse_sweep, space_of, uniform
from experiment_utils.sweep import check_sweep
from lifelong_rl.config import ConfigError

VALUES = [
    uniform(0.9, 0.999), log_uniform(1e-5, 1e-3), int_uniform(1, 4), choice([1, 2.5, None, True, "a b, (c)"]),
    choice([{"name": "iqe", "sizes": [8, 8]}, {"name": "mrn"}]),
]  # fmt: skip


@pytest.mark.parametrize("value", VALUES, ids=str)
def test_what_is_printed_can_be_read_again(value):
    assert parse_sweep(str(value)) == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("log_uniform(1e-5,1e-3)", log_uniform(1e-5, 1e-3)),
        (" int_uniform( 1, 1e3 ) ", int_uniform(1, 1000)),
        ("choice([iqe, mrn])", choice(["iqe", "mrn"])),
        ("choice(iqe, {name: mrn})", choice(["iqe", {"name": "mrn"}])),
        ("choice([[64], [64, 64]])", choice([[64], [64, 64]])),
        ("[1, 2]", [1, 2]),
        ("word", "word"),
    ],
)
def test_the_command_line_says_it_as_a_script_does(text, value):
    assert parse_sweep(text) == value


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("uniform(1, 1)", "uniform(1, 1): the first number must be less than the second."),
        ("uniform(0, inf)", "uniform(0, inf): both ends must be finite numbers, got 'inf'."),
        ("uniform(0, .inf)", "uniform(0, inf): both ends must be finite numbers, got inf."),
        ("uniform(a, b)", "uniform(a, b): both ends must be finite numbers, got 'a'."),
        ("uniform(1)", "uniform(1): uniform takes two numbers, low and high."),
        ("log_uniform(0, 1)", "log_uniform(0, 1): both ends must be positive."),
        ("int_uniform(0.5, 2)", "int_uniform(0.5, 2): both ends must be whole numbers."),
        ("choice([])", "choice must be given a list of values, got []."),
        ("choice([1, 1])", "choice: [1, 1] holds a value twice."),
        ("loguniform(1, 2)", "unknown distribution 'loguniform'. Did you mean 'log_uniform'?"),
        ("__import__('os')", "unknown distribution '__import__'."),
    ],
)
def test_says_what_is_wrong(text, message):
    with pytest.raises(ConfigError) as error:
        parse_sweep(text)
    assert str(error.value).startswith(message)


def test_a_list_beside_a_range_is_a_choice():
    grid = {"agent.rate": log_uniform(1e-5, 1e-3), "agent.num_critics": [1, 2]}

    assert is_search(grid) and not is_search({"agent.num_critics": [1, 2]})
    assert space_of(grid) == {"agent.rate": log_uniform(1e-5, 1e-3), "agent.num_critics": choice([1, 2])}
    with pytest.raises(ConfigError, match=r"sweep_values\['agent.rate'\]: choice must be given a list of values"):
        space_of({"agent.rate": 1})


def test_a_grid_refuses_what_is_to_be_searched():
    with pytest.raises(ConfigError, match=r"sweep_values\['agent.rate'\]: uniform\(1, 2\) is searched, not gone throu"):
        check_sweep({"agent.rate": uniform(1, 2)}, [0])


@pytest.mark.parametrize("value", [uniform(0.99, 0.999), uniform(-3, 50), log_uniform(1.00001e-5, 0.31234567)], ids=str)
def test_numbers_are_short_and_stay_inside(value):
    share = [step / 97 for step in range(98)]
    drawn = [value.rounded(value.low + part * (value.high - value.low)) for part in share]

    assert all(value.low <= number <= value.high for number in drawn)
    assert all(len(str(number)) < 9 for number in drawn[1:-1])
    assert len(set(drawn)) == 98


def test_needs_no_optuna():
    program = "import sys, experiment_utils.search_space; sys.exit('optuna' in sys.modules)"
    subprocess.run([sys.executable, "-c", program], check=True)
