"""Every run script's variants are right as they stand: each preset and each end of its sweeps resolves."""

import copy
import importlib

import pytest

from experiment_configs import ExperimentConfig
from lifelong_rl.config import from_dict, to_dict
from lifelong_rl.config_paths import set_path
from tests.source_tree import source_files

MODULES = {path.stem: importlib.import_module(f"run_scripts.{path.stem}") for path in source_files("run_scripts")}
PRESETS = [
    pytest.param(script, variant, id=f"{name}-{preset}")
    for name, script in MODULES.items()
    for preset, variant in {"cpu": script.variant, **getattr(script, "presets", {})}.items()
]


@pytest.mark.parametrize(("script", "variant"), PRESETS)
def test_a_preset_resolves_and_reads_back_the_same(script, variant):
    config = from_dict(ExperimentConfig, variant)
    assert from_dict(ExperimentConfig, to_dict(config)) == config
    assert script.__doc__


@pytest.mark.parametrize(("script", "variant"), PRESETS)
def test_every_swept_value_fits_every_preset(script, variant):
    for path, values in getattr(script, "sweep_values", {}).items():
        assert values, f"{path} is swept over nothing"
        for value in values:
            point = copy.deepcopy(to_dict(from_dict(ExperimentConfig, variant)))
            set_path(point, path, value)
            from_dict(ExperimentConfig, point)
