"""A run that is over may be made longer: it then ends as the run that was so long from the start."""

from pathlib import Path
from typing import Any

import pytest

from experiment_configs.run import Run
from lifelong_rl.recording.comparison import run_differences
from lifelong_rl.recording.errors import SnapshotError
from tests.experiment_configs.tiny_variant import OFFLINE, ONLINE, tiny_build

PRELUDE = {"random_env_steps": 8, "warmup_env_steps": 6}  # 4 environments: 8 and 8 steps
FEW = {"evaluation": {"num_episodes": 2, "goals": ["multi"]}}
LAST = {"offline": OFFLINE, "online": ONLINE | PRELUDE}


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("longer")


def built(folder: Path, name: str, last: dict[str, Any], num_epochs: int, **changes: Any) -> Run:
    first = (OFFLINE if last["name"] == "online" else ONLINE) | {"num_epochs": 1}
    return tiny_build(folder, name, **{"phases": [first, last | {"num_epochs": num_epochs}], **FEW, **changes})


@pytest.mark.parametrize("kind", LAST)
def test_made_longer_twice_a_run_ends_as_the_one_that_was_so_long_from_the_start(kind, folder):
    built(folder, f"whole {kind}", LAST[kind], 3).train()
    for num_epochs in (1, 2, 3):
        built(folder, f"grown {kind}", LAST[kind], num_epochs).train()

    assert list(run_differences(folder / f"grown {kind}", folder / f"whole {kind}")) == []


def test_a_run_cannot_become_shorter_or_another_one(folder):
    built(folder, "run", ONLINE, 2).train()

    with pytest.raises(SnapshotError, match=r"of another run: variant.phases.1.num_epochs is 2, here it is 1"):
        built(folder, "run", ONLINE, 1)
    with pytest.raises(SnapshotError, match=r"of another run: variant.phases.1.updates_per_round is 3, here it is 4"):
        built(folder, "run", ONLINE | {"updates_per_round": 4}, 3)
    with pytest.raises(SnapshotError, match=r"of another run: variant.phases.0.num_epochs is 1, here it is 3"):
        built(folder, "run", ONLINE, 3, phases=[OFFLINE | {"num_epochs": 3}, ONLINE])
