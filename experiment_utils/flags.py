"""The flags that every run script has. Nothing here imports torch, mujoco or the experiment."""

import argparse
import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

from experiment_utils.launchers import LAUNCHERS
from experiment_utils.launchers.options import Options
from experiment_utils.search_flags import add_search_flags, given_of
from experiment_utils.search_space import parse_sweep, shown
from lifelong_rl.config import ConfigError, did_you_mean, nearest
from lifelong_rl.config_paths import parse_value

DEFAULT_PRESET = "cpu"
EXAMPLES = """examples:
  python {script} --dry_run                                 what would run, as a table; writes nothing
  python {script}                                           one run, in this process
  python {script} --seeds 0,1,2 --mode local                three seeds, one process after the other
  python {script} -s agent.learning_rate=1e-4 -s phases.0.num_epochs=3
  python {script} --preset {preset}

Runs are written to DATA_DIR/EXP_NAME/RUN. The same command again goes on where it stopped and skips what is finished.
"""
SET_HELP = "change one value of the variant, elements of lists by index; ends the sweep of that path; repeatable"
SWEEP_HELP = "sweep other values than the script's, or one more path; ranges with --search; repeatable"
MODE_HELP = """where: here (in this process), local (a subprocess for each run, in turn), local_par (side by side on
this machine), multi_gpu, ray (a running cluster), ssh (your own hosts), ec2, slurm, sky"""


@dataclass(frozen=True, kw_only=True)
class Script:
    """What a run script hands to `launch`; `presets` are whole variants beside `variant`, which is the preset "cpu"."""

    variant: Mapping[str, Any]
    sweep_values: Mapping[str, Any] = field(default_factory=dict)
    presets: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    description: str | None = None
    exp_name: str
    config_module: str = "experiment_configs"

    @property
    def variants(self) -> dict[str, Mapping[str, Any]]:
        return {DEFAULT_PRESET: self.variant, **self.presets}


class _Parser(argparse.ArgumentParser):
    """Complains in one line, with the nearest flag."""

    def error(self, message: str) -> NoReturn:
        raise ConfigError(message.removeprefix("argument ").replace("\n", " "))


def parse_flags(script: Script, argv: Sequence[str], program: str) -> argparse.Namespace:
    """The flags of `argv`, checked; ConfigError says in one line what is wrong."""
    parser = _make_parser(script, program)
    flags, rest = parser.parse_known_args(argv)
    if rest:
        valid = [option for action in parser._actions for option in action.option_strings]
        word = rest[0].partition("=")[0]
        close = nearest(word, valid)
        hint = f" Did you mean {close!r}?" if close else " See -h."
        raise ConfigError(f"unknown flag {word!r}.{hint}")

    _check_name("--mode", flags.mode, LAUNCHERS)
    options_of(flags).check(flags.mode)
    given_of(flags)
    _check_name("--preset", flags.preset, script.variants)
    if sum(given is not None for given in (flags.seeds, flags.num_seeds)) > 1:
        raise ConfigError("--seeds and --num_seeds say the same thing: give one of them.")
    return flags


def settings_of(flags: argparse.Namespace) -> list[tuple[str, Any]]:
    """What the flags change in the variant, in order: the flags that are short for a path, then every `--set`."""
    settings: list[tuple[str, Any]] = []
    if flags.log_to_wandb is not None:
        settings.append(("log_to_wandb", flags.log_to_wandb))
    if flags.num_cpu is not None:
        settings.append(("num_threads", flags.num_cpu))
    if flags.num_gpu or flags.gpu_id is not None:
        settings.append(("device", "cuda"))
    return settings + flags.set


def options_of(flags: argparse.Namespace) -> Options:
    """What the flags say of where and how."""
    given = {field.name: getattr(flags, field.name) for field in dataclasses.fields(Options)}
    return Options(**{name: value for name, value in given.items() if value is not None})


def _make_parser(script: Script, program: str) -> argparse.ArgumentParser:
    preset = next(iter(script.presets), DEFAULT_PRESET)
    parser = _Parser(
        prog=f"python {program}", description=_describe(script), epilog=EXAMPLES.format(script=program, preset=preset),
        formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False,
    )  # fmt: skip
    _add_what_runs(parser.add_argument_group("what runs"), script)
    _add_how_it_runs(parser.add_argument_group("how it runs"))
    add_engine_flags(parser, mode="here")
    add_search_flags(parser, count)
    return parser


def _add_what_runs(group: argparse._ArgumentGroup, script: Script) -> None:
    add = group.add_argument
    add("--preset", default=DEFAULT_PRESET, metavar="NAME", help=f"{', '.join(script.variants)}; default: %(default)s")
    add("-s", "--set", action="append", default=[], type=_setting, metavar="PATH=VALUE", help=SET_HELP)
    add("--sweep", action="append", default=[], type=_sweep, metavar="PATH=[A,B]", help=SWEEP_HELP)
    add("--seeds", type=seeds, metavar="0,1,2", help="one run for each of these seeds")
    add("--num_seeds", type=count, metavar="N", help="the same for seeds 0 to N-1")
    add("--exp_name", default=script.exp_name, metavar="NAME", help="default: %(default)s")
    add("--data_dir", type=Path, default=Path("data"), metavar="DIR", help="default: %(default)s")


def _add_how_it_runs(group: argparse._ArgumentGroup) -> None:
    add = group.add_argument
    add("--dry_run", action="store_true", help="print the expanded sweep and what would be submitted; write nothing")
    add("-y", "--yes", action="store_true", help="do not ask before more than one run starts")
    add("--detach", action="store_true", help="return at once; scripts/sweep.py shows, stops and resumes")
    add("-w", "--log_to_wandb", type=_truth, nargs="?", const=True, metavar="BOOL", help="mirror to Weights & Biases")


def add_engine_flags(parser: argparse.ArgumentParser, mode: str | None) -> None:
    """Where and how runs go: what `options_of` reads."""
    add = parser.add_argument_group("on which machines (in brackets: the modes that take it)").add_argument
    add("--mode", default=mode, metavar="NAME", help=MODE_HELP)
    add("-c", "--num_cpu", type=count, metavar="N", help="CPU slots of each run, and its threads (num_threads)")
    add("--max_concurrent", type=count, metavar="N", help="runs at a time, at most")
    add("-g", "--num_gpu", type=_natural, metavar="N", help="GPUs to spread runs over (device=cuda)")
    add("-id", "--gpu_id", type=_natural, metavar="K", help="the first of these GPUs (here, local, multi_gpu)")
    add("-e", "--exps_per_gpu", type=count, metavar="N", help="runs that share a GPU at a time")
    add("--address", metavar="HOST:PORT", help="of a running Ray cluster (ray)")
    add("--hosts", type=Path, metavar="FILE", help="the cluster's YAML, made by scripts/cluster.py init (ssh, ec2)")
    add("--store", metavar="URL", help="s3://BUCKET/PREFIX, where results come back without shared folders")
    add("--partition", metavar="NAME", help="(slurm)")
    add("--time", metavar="4:00:00", help="of each job (slurm)")
    add("--gpus", type=_natural, metavar="N", help="of each job (slurm, sky)")
    add("--mem", metavar="4G", help="of each job (slurm)")
    add("--instance_type", metavar="TYPE", help="(ec2, sky)")
    add("--num_instances", type=count, metavar="N", help="workers at most (ec2)")
    add("--spot", action="store_true", default=None, help="spot instances (ec2, sky)")
    add("--max_price", type=_positive, metavar="USD", help="for an hour of one spot instance (ec2)")
    add("--max_hours", type=_positive, metavar="H", help="after which instances end themselves (ec2, sky)")


def _describe(script: Script) -> str:
    lines = [(script.description or "").strip(), "", "the variant (change with -s):", *_tree(script.variant)]
    if script.sweep_values:
        lines += ["swept:", *(f"  {path} = {shown(values)}" for path, values in script.sweep_values.items())]
    return "\n".join(lines)


def _tree(values: Any, path: str = "") -> list[str]:
    if isinstance(values, Mapping) and values:
        return [line for key, value in values.items() for line in _tree(value, f"{path}.{key}" if path else str(key))]
    if isinstance(values, list | tuple) and values and isinstance(values[0], Mapping):
        return [line for index, value in enumerate(values) for line in _tree(value, f"{path}.{index}")]
    return [f"  {path} = {values}"]


def _check_name(flag: str, word: str, valid: Mapping[str, Any]) -> None:
    if word not in valid:
        raise ConfigError(f"{flag}: unknown name {word!r}.{did_you_mean(word, valid)} Valid: {', '.join(valid)}.")


def _sweep(text: str) -> tuple[str, Any]:
    return _setting(text, parse_sweep)


def _setting(text: str, parse: Callable[[str], Any] = parse_value) -> tuple[str, Any]:
    path, equals, value = text.partition("=")
    if not equals or not path:
        raise argparse.ArgumentTypeError(f"expected PATH=VALUE, got {text!r}")
    try:
        return path.strip(), parse(value)
    except ConfigError as error:  # argparse has words of its own for a ValueError
        raise argparse.ArgumentTypeError(str(error)) from None


def seeds(text: str) -> list[int]:
    """`0,1,2`."""
    words = [word.strip() for word in text.split(",")]
    if not all(word.isdecimal() for word in words):
        raise argparse.ArgumentTypeError(f"expected whole numbers from 0 up with commas between, got {text!r}")
    return [int(word) for word in words]


def _natural(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"expected a whole number from 0 up, got {text!r}")
    return int(text)


def count(text: str) -> int:
    """A whole number from 1 up."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"expected a whole number from 1 up, got {text!r}")
    return int(text)


def _positive(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"expected a number above 0, got {text!r}")
    return value


def _truth(text: str) -> bool:
    words = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}
    if text.lower() not in words:
        raise argparse.ArgumentTypeError(f"expected True or False, got {text!r}")
    return words[text.lower()]
