"""Snapshots: what goes in comes out, what is damaged is named, what is cut short leaves the old one."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from lifelong_rl.recording import snapshot
from lifelong_rl.recording.errors import DiskError, SnapshotError
from lifelong_rl.recording.snapshot import list_snapshots, load_snapshot, save_snapshot, snapshot_name
from lifelong_rl.recording.state_tree import check_shapes
from lifelong_rl.seeding import Seeds

PARTS = {"agent": {"weight": torch.arange(6.0).reshape(2, 3)}, "store": {"index": np.arange(4)}, "loop": {"n": 3}}


def same(left: Any, right: Any) -> bool:
    """Equal in type, dtype and every value, NaNs included."""
    if type(left) is not type(right):
        return False
    if isinstance(left, dict):
        return left.keys() == right.keys() and all(same(left[key], right[key]) for key in left)
    if isinstance(left, list | tuple):
        return len(left) == len(right) and all(map(same, left, right))
    if isinstance(left, Tensor):
        return left.dtype == right.dtype and torch.equal(left, right)
    if isinstance(left, np.ndarray | np.generic):
        return left.dtype == right.dtype and bool(np.array_equal(left, right))
    return left == right or left != left


def through_files(state: Any, folder: Path) -> Any:
    save_snapshot(folder / "itr_1", {"part": state}, {})
    return load_snapshot(folder / "itr_1").parts["part"]


def test_every_kind_of_value_comes_back_as_it_was(tmp_path: Path):
    shared = torch.arange(12.0).reshape(3, 4)
    state = {
        "plain": [None, True, 1, -2.5, float("inf"), "text", 2**200, []],
        "tuple": (1, (2.0, "x"), ()),
        "keys": {0: {"step": torch.tensor(3.0)}, (1, 2): "b", "$tensor": "not a reference", None: 1},
        "shared": [shared, shared, shared[1], shared.T, shared[:, ::2]],
        "dtypes": [torch.ones(2, dtype=kind) for kind in (torch.bfloat16, torch.bool, torch.uint8, torch.float64)],
        "empty": [torch.zeros(0, 3), torch.tensor(7), np.zeros((0, 2), np.float32)],
        "numpy": [np.float32(0.1), np.int64(-3), np.bool_(True), np.array(["a", "bc"]), np.arange(3)[::-1]],
        "a.b": torch.tensor(1.0),
        "a": {"b": torch.tensor(2.0)},
    }  # fmt: skip
    assert same(through_files(state, tmp_path), state)


leaves = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3)
keys = st.text(max_size=3) | st.integers() | st.sampled_from(["$tensor", "$items", "$tuple", "$array", "$scalar"])
trees = st.recursive(
    leaves | st.integers(0, 3).map(torch.arange) | st.integers(0, 3).map(np.arange),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3) | st.lists(inner).map(tuple),
    max_leaves=8,
)


@given(tree=trees)
def test_any_nested_state_comes_back_as_it_was(tree: Any, tmp_path_factory: pytest.TempPathFactory):
    assert same(through_files(tree, tmp_path_factory.mktemp("part")), tree)


def test_an_optimizer_goes_on_from_a_snapshot_as_if_nothing_had_happened(tmp_path: Path):
    def steps(module: torch.nn.Linear, optimizer: torch.optim.Adam, count: int) -> None:
        for _ in range(count):
            optimizer.zero_grad()
            module(torch.ones(4, 3)).square().mean().backward()
            optimizer.step()

    module = torch.nn.Linear(3, 2)
    optimizer = torch.optim.Adam(module.parameters(), amsgrad=True)
    steps(module, optimizer, 3)
    found = through_files({"module": module.state_dict(), "optimizer": optimizer.state_dict()}, tmp_path)
    steps(module, optimizer, 3)

    other = torch.nn.Linear(3, 2)
    other.load_state_dict(found["module"])
    other_optimizer = torch.optim.Adam(other.parameters(), amsgrad=True)
    other_optimizer.load_state_dict(found["optimizer"])
    steps(other, other_optimizer, 3)
    assert torch.equal(other.weight, module.weight)


def test_generators_go_on_where_they_were(tmp_path: Path):
    seeds, others = Seeds(3), Seeds(4)
    seeds.torch("noise"), seeds.numpy("goals").random(5)
    others.load_state_dict(through_files(seeds.state_dict(), tmp_path))
    assert torch.equal(torch.rand(3, generator=others.torch("noise")), torch.rand(3, generator=seeds.torch("noise")))
    assert others.numpy("goals").random() == seeds.numpy("goals").random()


def test_the_files_are_plain_and_the_meta_comes_back(tmp_path: Path):
    meta = {"task": "maze2d-umaze-v1", "counters": {"updates": 5}}
    save_snapshot(tmp_path / "run" / "itr_1", PARTS, meta)
    names = {"manifest.json", "meta.json", "agent.json", "agent.safetensors", "store.json", "store.0.npy", "loop.json"}
    assert {path.name for path in (tmp_path / "run" / "itr_1").iterdir()} == names
    assert load_snapshot(tmp_path / "run" / "itr_1").meta == meta


@pytest.mark.parametrize("name", ["meta.json", "agent.json", "agent.safetensors", "store.0.npy", "loop.json"])
def test_a_bit_that_flipped_is_found_and_its_file_is_named(name: str, tmp_path: Path):
    save_snapshot(tmp_path / "itr_1", PARTS, {})
    path = tmp_path / "itr_1" / name
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 4
    path.write_bytes(content)
    with pytest.raises(SnapshotError, match=rf"itr_1/{name}: damaged, its sha256 is not the manifest's\.$"):
        load_snapshot(tmp_path / "itr_1")


def test_files_that_are_short_or_missing_and_versions_from_the_future_are_named(tmp_path: Path):
    folder = tmp_path / "itr_1"
    save_snapshot(folder, PARTS, {})
    weights = (folder / "agent.safetensors").read_bytes()
    (folder / "agent.safetensors").write_bytes(weights[:-3])
    with pytest.raises(SnapshotError, match=rf"agent\.safetensors: damaged, expected {len(weights)} bytes, found"):
        load_snapshot(folder)
    (folder / "agent.safetensors").unlink()
    with pytest.raises(SnapshotError, match=r"agent\.safetensors: missing, the manifest lists it\."):
        load_snapshot(folder)

    manifest = json.loads((folder / "manifest.json").read_text())
    (folder / "manifest.json").write_text(json.dumps(manifest | {"schema": 9}))
    with pytest.raises(SnapshotError, match=r"manifest\.json: schema version 9, this program reads version 2\."):
        load_snapshot(folder)
    (folder / "manifest.json").write_text(json.dumps(manifest)[:-20])
    with pytest.raises(SnapshotError, match=r"manifest\.json: damaged"):
        load_snapshot(folder)
    (folder / "manifest.json").unlink()
    with pytest.raises(SnapshotError, match=r"itr_1: not a whole snapshot, manifest\.json is missing\."):
        load_snapshot(folder)


def test_a_manifest_cannot_reach_outside_its_directory(tmp_path: Path):
    save_snapshot(tmp_path / "itr_1", PARTS, {})
    path = tmp_path / "itr_1" / "manifest.json"
    files = json.loads(path.read_text().replace("store.0.npy", "../../0.npy"))["files"]
    path.write_text(json.dumps({"schema": snapshot.SCHEMA, "sha256": snapshot._digest(files), "files": files}))
    with pytest.raises(SnapshotError, match="is not a plain file name"):
        load_snapshot(tmp_path / "itr_1")


def test_an_array_of_objects_and_a_function_are_refused_with_their_place(tmp_path: Path):
    with pytest.raises(SnapshotError, match=r"^agent\.layers\.1: a snapshot cannot hold a builtins\.function\.$"):
        save_snapshot(tmp_path / "itr_1", {"agent": {"layers": [1, lambda: None]}}, {})
    with pytest.raises(SnapshotError, match=r"^agent\.x: a snapshot cannot hold a numpy\.ndarray\.$"):
        save_snapshot(tmp_path / "itr_1", {"agent": {"x": np.array([{}], dtype=object)}}, {})
    assert list(tmp_path.iterdir()) == []


def test_a_missing_snapshot_is_one_line_with_those_that_are_there(tmp_path: Path):
    save_snapshot(tmp_path / "itr_2", {}, {})
    with pytest.raises(SnapshotError, match=r"itr_3: no such snapshot\. There: itr_2\.$"):
        load_snapshot(tmp_path / "itr_3")


def test_the_newest_comes_first_and_unfinished_ones_are_not_listed(tmp_path: Path):
    for n, offline in ((9, True), (10, True), (2, False), (10, False)):
        save_snapshot(tmp_path / snapshot_name(n, offline=offline), {}, {})
    for other in ("itr_11", ".itr_12.tmp-7", "old_itr_5"):
        (tmp_path / other).mkdir()
    (tmp_path / ".itr_12.tmp-7" / "manifest.json").touch()
    names = [path.name for path in list_snapshots(tmp_path)]
    assert names == ["itr_10", "itr_2", "offline_itr_10", "offline_itr_9"]


class Killed(BaseException):
    """Stands for the end of the process."""


def kill_at(step: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ends a save at one of its steps: the n-th file that is flushed to the disk, or the second rename (step 0)."""
    flush, left = snapshot.flush_to_disk, [step]

    def flush_or_die(path: Path) -> None:
        left[0] -= 1
        if left[0] == 0:
            raise Killed
        flush(path)

    rename = Path.rename

    def rename_or_die(self: Path, target: Path) -> Path:
        if step == 0 and ".tmp-" in self.name:
            raise Killed
        return rename(self, target)

    monkeypatch.setattr(snapshot, "flush_to_disk", flush_or_die)
    monkeypatch.setattr(Path, "rename", rename_or_die)
    monkeypatch.setattr(snapshot.shutil, "rmtree", lambda *_, **__: None)  # the dead clean up nothing


@pytest.mark.parametrize("step", range(10))  # the ninth flush, after both renames, is that of the parent
def test_a_save_that_is_killed_leaves_a_whole_snapshot_and_the_next_save_cleans_up(step: int, tmp_path: Path):
    folder = tmp_path / "itr_1"
    save_snapshot(folder, PARTS, {"version": 1})
    with pytest.MonkeyPatch.context() as monkeypatch:
        kill_at(step, monkeypatch)
        with pytest.raises(Killed):
            save_snapshot(folder, PARTS, {"version": 2})

    survivor = load_snapshot(folder)
    assert survivor.meta == {"version": 2 if step == 9 else 1}
    assert same(survivor.parts, PARTS)
    assert list_snapshots(tmp_path) == [folder]

    save_snapshot(folder, PARTS, {"version": 3})
    assert load_snapshot(folder).meta == {"version": 3}
    assert list(tmp_path.iterdir()) == [folder]


def test_a_disk_that_cannot_be_written_is_one_line(tmp_path: Path):
    (tmp_path / "file").touch()
    with pytest.raises(DiskError, match=r"file: could not be written: File exists \(0 bytes needed, \d+ free\)\.$"):
        save_snapshot(tmp_path / "file" / "itr_1", PARTS, {})


def test_a_snapshot_of_another_size_is_refused_with_both_shapes():
    ours, theirs = {"critic": [{"weight": torch.zeros(4, 2)}]}, {"critic": [{"weight": torch.zeros(6, 2)}]}
    message = r"^itr_5: agent\.critic\.0\.weight: this run has shape \[4, 2\], the snapshot has \[6, 2\]\.$"
    with pytest.raises(SnapshotError, match=message):
        check_shapes(ours, theirs, "itr_5: agent")


def test_tensors_that_one_side_lacks_are_refused_but_a_fresh_optimizer_takes_any_state():
    weight = {"weight": torch.zeros(2)}
    with pytest.raises(SnapshotError, match=r"agent\.bias: this run has shape \[3\], the snapshot has no such tensor"):
        check_shapes(weight | {"bias": torch.zeros(3)}, weight, "agent")
    with pytest.raises(SnapshotError, match=r"agent\.bias: the snapshot has shape \[3\], this run has no such tensor"):
        check_shapes(weight, weight | {"bias": torch.zeros(3)}, "agent")
    check_shapes({"optimizer": {"state": {}}}, {"optimizer": {"state": {0: weight}}}, "agent")
