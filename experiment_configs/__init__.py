"""From a checked variant to a run: `ExperimentConfig` and `build`, imported (with torch and mujoco) when used."""

from typing import Any

from lifelong_rl.config import resolve

EXPORTS = {
    "ExperimentConfig": "experiment_configs.experiment:ExperimentConfig",
    "build": "experiment_configs.assemble:build",
}


def __getattr__(name: str) -> Any:
    if name not in EXPORTS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return resolve(EXPORTS[name])
