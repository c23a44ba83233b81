"""Whatever is wrong with an exported folder ends in one line, before memory is filled or hours are spent."""

import hashlib
import json
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from lifelong_rl.config import ConfigError
from lifelong_rl.exported_policy import load_policy
from tests.experiment_configs.tiny_policies import exported

ODD = [None, -1, 0, 10**12, 10**400, 1e308, "x", [], {}, True, [10**9] * 3, [1] * 1000, float("nan")]
HUGE = 10**11


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> Path:
    folder: Path = tmp_path_factory.mktemp("whole")
    exported(folder, "sac")
    return folder / "policy"


@pytest.fixture
def folder(whole, tmp_path) -> Path:
    return Path(shutil.copytree(whole, tmp_path / "policy"))


def refusal(folder: Path) -> str:
    with pytest.raises(ConfigError) as error:
        load_policy(folder)
    assert "\n" not in str(error.value) and str(folder) in str(error.value)
    return str(error.value)


def rewrite(folder: Path, *path: str, value: Any) -> None:
    config = json.loads((folder / "config.json").read_text())
    tree = config
    for key in path[:-1]:
        tree = tree[key]
    tree[path[-1]] = value
    (folder / "config.json").write_text(json.dumps(config))


def reweigh(folder: Path, tensors: dict[str, torch.Tensor]) -> None:
    """Other weights, with the checksum that a forger would write."""
    path = folder / "policy.safetensors"
    save_file(tensors, path)
    entry = {"bytes": path.stat().st_size, "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}
    rewrite(folder, "files", "policy.safetensors", value=entry)


def leaves(tree: Any, *path: Any) -> Iterator[tuple[Any, ...]]:
    yield path
    items = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    for key, value in items:
        yield from leaves(value, *path, key)


@pytest.mark.parametrize(
    ("path", "value", "part"),
    [
        (("format",), 2, "written by a newer version (format 2, this one reads up to 1). Update lifelong_rl."),
        (("format",), "1", "'format' must be a whole number"),
        (("policy", "name"), "transformer", "unknown name 'transformer'"),
        (("policy", "actor", "kind"), "determinstic", "Did you mean 'deterministic'?"),
        (("policy", "actor", "hidden_sizes"), [HUGE], "policy.actor.hidden_sizes[0]: 1e+11 is out of bounds"),
        (("policy", "actor", "hidden_sizes"), [1] * 65, "has 65 entries; at most 64"),
        (("policy", "actor", "hidden_sizes"), [17], "asks for [17, 6] F32, the file has [16, 6] F32"),
        (("policy", "actor", "hidden_sizes"), [-3], "must be at least 1 each"),
        (("policy", "actor", "layer_norm"), 1, "must be bool, got 1"),
        (("policy", "normalizer"), None, "the file has [] F64"),
        (("policy", "normalizer", "clip"), float("nan"), "NaN is not a finite number"),
        (("policy", "normalizer", "clip"), -5.0, "must be positive"),
        (("policy", "discount"), 0.9, "unknown key 'discount'"),
        (("task", "observation_shape"), [HUGE], "observation_shape"),
        (("task", "observation_shape"), [], "observation_shape"),
        (("task", "goal_offset"), 3, "goal_offset must lie in 0 to 2, got 3"),
        (("spaces", "observation", "shape"), [HUGE], "shape must have at most"),
        (("spaces", "observation", "shape"), [5], "low must be a number, None, or a list of 5"),
        (("spaces", "action", "high"), None, "unbounded"),
        (("spaces", "action", "low"), 2.0, "low must not lie above high"),
        (("spaces", "goal"), None, "spaces.goal is (0,), but task says (2,)"),
        (("files",), {}, "policy.safetensors: not listed in config.json"),
        (("files", "policy.safetensors", "sha256"), "0" * 64, "changed or damaged since the export"),
    ],
)
def test_a_wrong_description_is_refused_in_one_line(folder, path, value, part):
    rewrite(folder, *path, value=value)
    assert part in refusal(folder)


def test_odd_values_anywhere_in_the_description_never_end_in_anything_else(folder):
    text = (folder / "config.json").read_text()
    places = [path for path in leaves(json.loads(text)) if path]
    generator = np.random.default_rng(0)
    started = time.monotonic()
    for place in generator.permutation(len(places)):
        rewrite(folder, *places[place], value=ODD[generator.integers(len(ODD))])
        try:
            policy = load_policy(folder)
        except ConfigError as error:
            assert "\n" not in str(error)
        else:
            policy({"observation": np.zeros(4), "desired_goal": np.zeros(2)})
        (folder / "config.json").write_text(text)
    assert len(places) > 100 and time.monotonic() - started < 20


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "[" * 100_000, '{"format": 1}', "\x00"])
def test_a_description_that_is_none_is_refused(folder, text):
    (folder / "config.json").write_text(text)
    assert "config" in refusal(folder)


def test_a_description_of_a_megabyte_is_not_even_read(folder):
    (folder / "config.json").write_text(" " * (1 << 21))
    assert "has 2097152 bytes" in refusal(folder)


def test_changed_missing_and_forged_weights_are_refused(folder):
    path = folder / "policy.safetensors"
    tensors = load_file(path)
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    assert "changed or damaged since the export" in refusal(folder)
    path.unlink()
    assert "policy.safetensors: missing" in refusal(folder)

    name = "actor.body.layers.0.weight"
    reweigh(folder, tensors | {name: torch.full_like(tensors[name], torch.nan)})
    assert f"{name}: holds numbers that are not finite" in refusal(folder)
    reweigh(folder, tensors | {name: tensors[name].double()})
    assert "the file has [16, 6] F64" in refusal(folder)
    reweigh(folder, tensors | {"extra": torch.zeros(1)})
    assert "extra: config.json asks for no such tensor" in refusal(folder)
    path.write_bytes((HUGE).to_bytes(8, "little") + b"{}")
    entry = {"bytes": path.stat().st_size, "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}
    rewrite(folder, "files", "policy.safetensors", value=entry)
    assert "cannot be read" in refusal(folder)


def test_a_folder_that_is_something_else_is_named_as_what_it_is(whole, folder, tmp_path):
    assert "no such folder" in refusal(tmp_path / "nowhere")
    assert "an exported policy is a folder" in refusal(folder / "config.json")
    assert "holds no config.json" in refusal(tmp_path)
    assert "a snapshot, not an exported policy. Export it first" in refusal(whole.parent / "run" / "itr_1")
