"""A finished run of seconds, for the tests of the scripts that read snapshots; its replay store has overflowed."""

from pathlib import Path

from tests.experiment_configs.tiny_variant import OFFLINE, ONLINE, tiny_build

NUM_ENVS, ENV_STEPS, HELD = 4, 800, 600  # the store holds env steps 200 to 800
HORIZON = 30


def make_run(folder: Path) -> Path:
    """The run's directory, with the snapshots offline_itr_1, itr_1 and itr_2."""
    phases = [OFFLINE | {"num_epochs": 1}, ONLINE | {"env_steps_per_round": ENV_STEPS // 2}]
    tiny_build(folder, "run", phases=phases, replay_capacity=HELD, task={"name": "maze2d-umaze-v1", "horizon": HORIZON}).train()
    return folder / "run"
