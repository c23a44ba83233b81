"""The flags of every run script mean what they say."""

import pytest

from experiment_utils.flags import Script, parse_flags, settings_of
from experiment_utils.launchers import LAUNCHERS
from lifelong_rl.config import ConfigError

SCRIPT = Script(variant={"agent": {"step": 1}}, presets={"paper": {"agent": {"step": 9}}}, exp_name="count")


def flags_of(*argv):
    return parse_flags(SCRIPT, argv, program="run_scripts/count.py")


@pytest.mark.parametrize(
    ("argv", "value"), [([], None), (["-w"], True), (["-w", "True"], True), (["-w", "False"], False), (["-w=0"], False)]
)
def test_log_to_wandb_means_what_it_says(argv, value):
    flags = flags_of(*argv)
    assert flags.log_to_wandb is value
    assert settings_of(flags) == ([] if value is None else [("log_to_wandb", value)])


def test_flags_that_are_short_for_a_path_come_before_set_so_that_set_wins():
    flags = flags_of("-c", "2", "-g", "1", "-s", "device=cuda:1", "-s", "agent.sizes=[64, 1e-3]")
    assert settings_of(flags) == [
        ("num_threads", 2), ("device", "cuda"), ("device", "cuda:1"), ("agent.sizes", [64, 1e-3]),
    ]  # fmt: skip


def test_a_value_may_hold_an_equals_sign():
    assert flags_of("-s", "note=a=b").set == [("note", "a=b")]


def test_seeds_are_listed():
    assert flags_of("--seeds", "0,2, 7").seeds == [0, 2, 7]
    assert flags_of("--num_seeds", "3").num_seeds == 3


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["--prest", "paper"], "unknown flag '--prest'. Did you mean '--preset'?"),
        (["--seed=3"], "unknown flag '--seed'. Did you mean '--seeds'?"),
        (["--preset", "papr"], "--preset: unknown name 'papr'. Did you mean 'paper'? Valid: cpu, paper."),
        (["--mode", "loca"], f"--mode: unknown name 'loca'. Did you mean 'local'? Valid: {', '.join(LAUNCHERS)}."),
        (["-s", "agent.step"], "-s/--set: expected PATH=VALUE, got 'agent.step'"),
        (["-s", "agent.step=[1"], "-s/--set: '[1' is not a value: expected a number, a word, [1, 2] or {name: iqe}."),
        (["--seeds", "1;2"], "--seeds: expected whole numbers from 0 up with commas between, got '1;2'"),
        (["--num_seeds", "0"], "--num_seeds: expected a whole number from 1 up, got '0'"),
        (["--seeds", "1", "--num_seeds", "2"], "--seeds and --num_seeds say the same thing: give one of them."),
        (["-w", "perhaps"], "-w/--log_to_wandb: expected True or False, got 'perhaps'"),
        (["--mode"], "--mode: expected one argument"),
    ],
)
def test_says_in_one_line_what_is_wrong_with_a_flag(argv, message):
    with pytest.raises(ConfigError) as error:
        flags_of(*argv)
    assert str(error.value) == message


def test_help_teaches(capsys):
    with pytest.raises(SystemExit):
        flags_of("-h")
    text = capsys.readouterr().out
    assert "agent.step = 1" in text
    assert "python run_scripts/count.py --preset paper" in text
