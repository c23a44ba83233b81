"""Command lines of scripts: explained with examples, refused in one line that names the nearest flag."""

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NoReturn

from lifelong_rl.config import ConfigError, did_you_mean

COMPLAINTS = ("SnapshotError", "NoRendererError", "DatasetError")  # by name: importing them needs torch, mujoco, h5py


class ScriptParser(argparse.ArgumentParser):
    """`explanation` stands as it is below the flags of -h."""

    def __init__(self, description: str | None, explanation: str) -> None:
        layout = argparse.RawDescriptionHelpFormatter
        super().__init__(description=description, epilog=explanation, formatter_class=layout)

    def parse(self, argv: Sequence[str] | None) -> argparse.Namespace:
        """The flags of `argv`, of the process where it is None; exits with status 2 and one line if they are wrong."""
        flags, rest = self.parse_known_args(argv)
        if rest:
            valid = [option for action in self._actions for option in action.option_strings]
            word = rest[0].partition("=")[0]
            self.error(f"unknown flag {word!r}.{did_you_mean(word, valid) or ' See -h.'}")
        return flags

    def error(self, message: str) -> NoReturn:
        """In place of argparse's, which repeats the usage."""
        self.exit(2, f"{message.removeprefix('argument ')}\n".replace("\n", " ").rstrip() + "\n")


def number(kind: Callable[[str], Any], what: str, is_right: Callable[[Any], bool]) -> Callable[[str], Any]:
    """A type for `add_argument`: `number(int, "a whole number from 1 up", lambda count: count >= 1)`."""

    def parse(text: str) -> Any:
        try:
            value = kind(text)
        except ValueError:
            value = None
        if value is None or not is_right(value):
            raise argparse.ArgumentTypeError(f"expected {what}, got {text!r}")
        return value

    return parse


def named(*endings: str) -> Callable[[str], Path]:
    """A type for `add_argument`: a file whose name says its format."""

    def parse(text: str) -> Path:
        if not text.lower().endswith(endings):
            raise argparse.ArgumentTypeError(f"expected a name that ends in {' or '.join(endings)}, got {text!r}")
        return Path(text)

    return parse


def run_script(work: Callable[[], None]) -> int:
    """The exit status: 0, or 2 after one line where what was given is wrong. Mistakes of ours keep their traceback."""
    try:
        work()
    except Exception as error:
        kinds = {kind.__name__ for kind in type(error).__mro__}
        if not isinstance(error, ConfigError | OSError) and not kinds & set(COMPLAINTS):
            raise
        print(" ".join(str(error).split()), file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130
    return 0
