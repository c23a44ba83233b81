"""Nothing that is read is executed: the source has no reader that could, and the values of flags make no objects."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from lifelong_rl.config import ConfigError
from lifelong_rl.config_paths import parse_value
from tests.source_tree import FOLDERS, ROOT, imports, source_files, tree

EXECUTING_MODULES = {
    "pickle", "_pickle", "cPickle", "cloudpickle", "dill", "joblib", "marshal", "shelve", "code", "codeop", "runpy",
}  # fmt: skip
EXECUTING_CALLS = {"eval", "exec", "compile", "__import__", "torch.load", "torch.save", "torch.jit.load"}
EXECUTING_METHODS = {"read_pickle", "to_pickle", "unsafe_load", "unsafe_load_all", "full_load", "full_load_all"}
EXECUTING_NAMES = EXECUTING_CALLS | {"numpy.load", "yaml.load", "yaml.unsafe_load", "yaml.full_load"}
SAFE_LOADERS = {"yaml.SafeLoader", "yaml.CSafeLoader", "SafeLoader", "CSafeLoader"}
ALIASES = {"numpy": "np"}
UNSAFE = """\
import pickle
from pickle import loads
if x: import dill as d
import joblib
import shelve
from marshal import loads
eval('1')
builtins.exec('1')
__import__(x)
torch.load(x)
torch.load(x, weights_only=True)
from torch import load
np.load(x)
numpy.load(x)
from numpy import load
np.load(x, allow_pickle=True)
np.load(x, allow_pickle=flag)
np.lib.format.read_array(x)
np.savez(x, allow_pickle=True)
pandas.read_pickle(x)
h5py.File(x)
yaml.load(x)
yaml.load(x, Loader=yaml.Loader)
yaml.load(x, yaml.FullLoader)
yaml.unsafe_load(x)""".splitlines()
SAFE = """\
model.eval()
ast.literal_eval(x)
re.compile(x)
json.load(x)
load_file(x)
np.load(x, allow_pickle=False)
h5py.File(x, 'r')
h5py.File(x, mode='r')
yaml.safe_load(x)
yaml.load(x, Loader=yaml.SafeLoader)""".splitlines()


def executing_code(module: ast.Module) -> list[str]:
    """What could run what a file says."""
    names = [name for _, name in imports(module, Path("x.py"))]
    found = [name for name in names if name.split(".")[0] in EXECUTING_MODULES or name in EXECUTING_NAMES]
    calls = (node for node in ast.walk(module) if isinstance(node, ast.Call))
    return found + [ast.unparse(call) for call in calls if not _is_harmless(call)]


def _is_harmless(call: ast.Call) -> bool:
    name = ast.unparse(call.func).removeprefix("builtins.")
    module, _, method = name.rpartition(".")
    name = f"{ALIASES.get(module, module)}.{method}" if module else method
    given = {keyword.arg: ast.unparse(keyword.value) for keyword in call.keywords}
    if name in EXECUTING_CALLS or method in EXECUTING_METHODS or given.get("allow_pickle", "False") != "False":
        return False
    if name in ("np.load", "np.lib.format.read_array"):
        return given.get("allow_pickle") == "False"
    if name == "h5py.File":
        return len(call.args) > 1 or "mode" in given
    if name in ("yaml.load", "yaml.load_all"):
        return given.get("Loader", ast.unparse(call.args[-1])) in SAFE_LOADERS
    return True


@pytest.mark.parametrize("path", source_files(*FOLDERS), ids=str)
def test_no_file_is_read_as_code(path: Path):
    assert executing_code(tree(path)) == []


@pytest.mark.parametrize("text", UNSAFE)
def test_what_could_execute_a_file_is_found(text: str):
    assert executing_code(ast.parse(text)) != []


@pytest.mark.parametrize("text", SAFE)
def test_what_only_looks_alike_is_left_alone(text: str):
    assert executing_code(ast.parse(text)) == []


def test_pickles_are_read_by_a_machine_of_our_own_and_only_for_conversion():
    readers = [
        path for path in source_files("lifelong_rl", "experiment_configs", "experiment_utils", "run_scripts", "scripts")
        if any(name.split(".")[0] == "pickletools" for _, name in imports(tree(path), path))
    ]  # fmt: skip
    assert readers == [Path("experiment_utils/conversion/pickled.py")]


OBJECTS = [
    "!!python/object/apply:os.system ['touch canary']",
    "['!!', !!python/object/apply:os.system ['touch canary']]",
    "{name: !!python/object/new:subprocess.Popen [[touch, canary]]}",
    '"x" !!python/name:os.system',
    "{name: !!python/module:canary ''}",
    "[!!python/object:os.PathLike {}]",
]


@pytest.mark.parametrize("text", OBJECTS)
def test_a_value_of_a_flag_makes_no_object(text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    try:
        value = parse_value(text)
    except ConfigError as error:
        assert "\n" not in str(error)
    else:
        assert value == text  # a word like any other
    assert list(tmp_path.iterdir()) == []


def test_a_run_script_refuses_such_a_value_in_one_line(tmp_path: Path):
    flags = ["-s", "agent={name: !!python/object/apply:os.system [touch canary]}", "--dry_run"]
    command = [sys.executable, str(ROOT / "run_scripts" / "qrl_maze.py"), *flags]
    ended = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert (ended.returncode, ended.stderr.count("\n")) == (2, 1), ended.stderr
    assert list(tmp_path.iterdir()) == []
