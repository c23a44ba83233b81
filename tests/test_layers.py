"""Who may import whom (docs/architecture.md), checked against the code, imports inside functions included."""

import ast
import re
import sys
import tomllib
from pathlib import Path

import pytest

from tests.source_tree import FOLDERS, PACKAGES, ROOT, imports, source_files, tree

FOLDERS_BELOW = {
    "run_scripts": {"experiment_utils", "experiment_configs", "lifelong_rl"},
    "scripts": {"experiment_utils", "experiment_configs", "lifelong_rl"},
    "benchmarks": {"run_scripts", "experiment_utils", "experiment_configs", "lifelong_rl"},
    "experiment_utils": {"experiment_configs", "lifelong_rl"},
    "experiment_configs": {"lifelong_rl"},
    "lifelong_rl": set(),
}

FOUNDATION = {"config", "config_paths", "secrets", "types", "seeding"}
SIBLINGS = {"envs", "data", "networks", "losses", "recording"}
DECIDING = {"planners", "exploration", "goals"}
LAYERS_BELOW = {
    "__init__": set(),
    "config": set(),
    "config_paths": {"config"},
    "secret_names": set(),
    "secrets": {"secret_names"},
    "types": {"config"},
    "global_randomness": set(),
    "seeding": {"config", "types", "global_randomness"},
    **dict.fromkeys(SIBLINGS, FOUNDATION),
    **dict.fromkeys(DECIDING, FOUNDATION | SIBLINGS),
    "agents": FOUNDATION | SIBLINGS | DECIDING,
    "exported_policy": FOUNDATION | SIBLINGS | DECIDING | {"agents"},
    "training": FOUNDATION | {"data"},
}
MODULE_AND_NAME = re.compile(r"[a-z_]+(\.\w+)+:\w+")  # an entry of a lazy table: "lifelong_rl.envs.maze2d:Maze2d"


def stray_imports(module: ast.Module, path: Path) -> list[str]:
    """What the file imports, or names in a lazy table, and may not."""
    strings = ((node.lineno, node.value) for node in ast.walk(module) if isinstance(node, ast.Constant))
    tables = ((line, name) for line, name in strings if isinstance(name, str) and MODULE_AND_NAME.fullmatch(name))
    names = [*imports(module, path), *((line, name.replace(":", ".")) for line, name in tables)]
    return [f"{path}:{line} imports {name}" for line, name in names if not _is_allowed(path, name.split("."))]


def _is_allowed(path: Path, name: list[str]) -> bool:
    folder = path.parts[0]
    if name[0] not in FOLDERS or (name[0] == folder not in ("lifelong_rl", "benchmarks")):
        return True  # a benchmark is run as a file: its neighbours have bare names there, and no folder's
    if folder != "lifelong_rl":
        return name[0] in FOLDERS_BELOW[folder]
    if name[0] != folder:
        return False
    own_layer = path.parts[1].removesuffix(".py")
    return len(name) > 1 and name[1] in LAYERS_BELOW[own_layer] | {own_layer}


@pytest.mark.parametrize("path", source_files(*FOLDERS_BELOW), ids=str)
def test_imports_point_downwards(path: Path):
    assert not stray_imports(tree(path), path)


def test_every_part_of_the_library_has_a_layer():
    parts = {path.parts[1].removesuffix(".py") for path in source_files("lifelong_rl")}
    assert parts <= set(LAYERS_BELOW), "give it a line in LAYERS_BELOW and in docs/architecture.md"


@pytest.mark.parametrize("path", source_files(*PACKAGES), ids=str)
def test_optional_dependencies_are_imported_inside_the_function_that_needs_them(path: Path):
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    core = {re.split(r"[<>=\[]", requirement)[0] for requirement in project["dependencies"]}
    known = core - {"pyyaml"} | {"yaml"} | set(PACKAGES) | sys.stdlib_module_names
    on_import = {name.split(".")[0] for _, name in imports(tree(path), path, inside_functions=False)}
    assert on_import <= known


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("lifelong_rl/training/collector.py", "from lifelong_rl.recording import video"),
        ("lifelong_rl/training/collector.py", "def collect():\n    from ..envs.maze2d import Maze2d"),
        ("lifelong_rl/training/phase.py", "from .. import agents"),
        ("lifelong_rl/data/samplers.py", "import lifelong_rl.losses.qrl"),
        ("lifelong_rl/networks/mlp.py", "import lifelong_rl"),
        ("lifelong_rl/goals/mega.py", "from lifelong_rl.planners.cem import plan"),
        ("lifelong_rl/envs/registry.py", "TASKS = {'x': 'lifelong_rl.agents.qrl:QRLAgent'}"),
        ("lifelong_rl/agents/qrl.py", "import experiment_configs.assemble"),
        ("experiment_configs/assemble.py", "from experiment_utils import sweep"),
        ("experiment_utils/job.py", "import run_scripts.qrl_maze"),
        ("scripts/plot.py", "from tests import source_tree"),
        ("benchmarks/soak.py", "from benchmarks.off_policy_update import product_speed"),
    ],
)
def test_an_import_that_points_upwards_or_sideways_is_found(path: str, text: str):
    assert len(stray_imports(ast.parse(text), Path(path))) == 1


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("lifelong_rl/training/collector.py", "from ..data.step import Batch\nfrom ..types import Task\nimport torch"),
        ("lifelong_rl/agents/qrl.py", "from lifelong_rl import networks\nfrom .td3 import TD3Agent"),
        ("lifelong_rl/networks/energies/iqe.py", "from ..base import EnergyHead"),
        ("run_scripts/qrl_maze.py", "from experiment_utils.launch import launch"),
    ],
)
def test_an_import_that_points_downwards_is_allowed(path: str, text: str):
    assert stray_imports(ast.parse(text), Path(path)) == []
