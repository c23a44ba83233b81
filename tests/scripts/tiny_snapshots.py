"""A finished run of seconds, for the tests of the scripts that read snapshots; its replay store has overflowed."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.experiment_configs.tiny_variant import OFFLINE, ONLINE, tiny_build

NUM_ENVS, ENV_STEPS, HELD = 4, 600, 400  # the store holds env steps 200 to 600
HORIZON = 30


def make_run(folder: Path) -> Path:
    """The run's directory, with the snapshots offline_itr_1, itr_1 and itr_2."""
    phases = [OFFLINE | {"num_epochs": 1}, ONLINE | {"env_steps_per_round": ENV_STEPS // 2}]
    task = {"name": "maze2d-umaze-v1", "horizon": HORIZON}
    tiny_build(folder, "run", phases=phases, replay_capacity=HELD, task=task).train()
    return folder / "run"


def refusal(main: Callable[[Sequence[str]], int], capsys: pytest.CaptureFixture[str], *words: Any) -> str:
    """The one line that a script complains in before it stops with status 2."""
    capsys.readouterr()
    try:
        status: Any = main([*map(str, words)])
    except SystemExit as stop:
        status = stop.code
    error = capsys.readouterr().err
    assert status == 2 and error.count("\n") == 1 and error.endswith("\n")
    return error
