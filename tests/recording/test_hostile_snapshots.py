"""Snapshots that someone made to do harm, manifest and all: refused in one line, nothing in them is run or believed."""

import io
import json
from pathlib import Path

import numpy as np
import pytest
import torch

from lifelong_rl.recording import snapshot
from lifelong_rl.recording.errors import SnapshotError
from lifelong_rl.recording.files import fingerprint
from lifelong_rl.recording.snapshot import load_snapshot, save_snapshot
from lifelong_rl.types import RowLog

RUNS_WHEN_UNPICKLED = b"cos\nsystem\n(Vtouch canary\ntR."
HUGE = 10**10


def npy(shape: str, descr: str, content: bytes) -> bytes:
    """A file in NumPy's format whose header says what it likes."""
    header = f"{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}".encode().ljust(117) + b"\n"
    return b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header + content


def safetensors(length: int, header: bytes) -> bytes:
    return length.to_bytes(8, "little") + header


FORGED: dict[str, tuple[str, bytes]] = {
    "a pickle for tensors": ("agent.safetensors", RUNS_WHEN_UNPICKLED),
    "a header of 2**63 bytes": ("agent.safetensors", safetensors(2**63, b"{}")),
    "a header that is longer than the file": ("agent.safetensors", safetensors(1000, b"{}")),
    "tensors beyond the file's end": (
        "agent.safetensors",
        safetensors(75, b'{"agent.weight":{"dtype":"F32","shape":[1000000],"data_offsets":[0,4000000]}}'),
    ),
    "an array of objects": ("store.0.npy", npy("(1,)", "|O", RUNS_WHEN_UNPICKLED)),
    "an array larger than its file": ("store.0.npy", npy(f"({HUGE},)", "<f8", b"12345678")),
    "rows larger than their file": ("store.1.rows-0-4.npy", npy(f"(4, {HUGE})", "<f4", b"12345678")),
    "rows of objects": ("store.1.rows-0-4.npy", npy("(4, 1)", "|O", RUNS_WHEN_UNPICKLED)),
    "lists a hundred thousand deep": ("agent.json", b"[" * 100_000 + b"]" * 100_000),
    "a tensor that is not there": ("agent.json", b'{"weight": {"$tensor": "../../etc/passwd"}}'),
    "an array of another place": ("store.json", b'{"index": {"$array": "../../../etc/passwd"}}'),
    "rows of another place": ("store.json", b'{"log": {"$rows": [0, 4, "../rows-0-4.npy"]}}'),
    "a type that is none": ("store.json", b'{"n": {"$scalar": ["os.system", "touch canary"]}}'),
    "keys that cannot be keys": ("store.json", b'{"$items": [[[1, 2], 3]]}'),
    "a meta that is no dict": ("meta.json", b"7"),
}


@pytest.mark.parametrize("label", FORGED)
def test_a_forged_file_is_refused_in_one_line(label, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rows = torch.zeros(4, 1)
    log = RowLog(0, 4, lambda start, stop: rows[start:stop])
    parts = {"agent": {"weight": torch.ones(3)}, "store": {"index": np.arange(3), "log": log}}
    save_snapshot(tmp_path / "itr_1", parts, {"counters": {}})
    name, content = FORGED[label]
    assert (tmp_path / "itr_1" / name).exists()
    forge(tmp_path / "itr_1", name, content)

    with pytest.raises(SnapshotError) as caught:
        found = load_snapshot(tmp_path / "itr_1").parts["store"]["log"]
        found.read(0, 4)
    assert "\n" not in str(caught.value) and str(tmp_path) in str(caught.value)
    assert [path.name for path in tmp_path.iterdir()] == ["itr_1"]


def forge(directory: Path, name: str, content: bytes) -> None:
    """Another content, and a manifest that vouches for it."""
    (directory / name).write_bytes(content)
    manifest = json.loads((directory / "manifest.json").read_bytes())
    manifest["files"][name] = fingerprint(directory / name)
    manifest["sha256"] = snapshot._digest(manifest["files"])
    (directory / "manifest.json").write_text(json.dumps(manifest))


NAMES = [
    "../canary", "../../canary", "a/../../canary", "/canary", "~/canary", "a/b", "..", ".", "", "./canary",
    "//x/canary", "canary/..",
]  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_a_name_that_leads_elsewhere_is_refused(name: str, tmp_path: Path):
    save_snapshot(tmp_path / "itr_1", {"agent": {}}, {"counters": {}})
    path = tmp_path / "itr_1" / "manifest.json"
    files = json.loads(path.read_bytes())["files"] | {name: {"bytes": 0, "sha256": "0"}}
    path.write_text(json.dumps({"schema": snapshot.SCHEMA, "sha256": snapshot._digest(files), "files": files}))
    with pytest.raises(SnapshotError, match=r"manifest\.json: damaged, '.*' is not a plain file name\.$"):
        load_snapshot(tmp_path / "itr_1")


def test_the_forger_of_this_test_can_forge(tmp_path: Path):
    """What is refused above is the content: with a sound one, the forged manifest is believed."""
    save_snapshot(tmp_path / "itr_1", {"store": {"index": np.arange(3)}}, {"counters": {}})
    buffer = io.BytesIO()
    np.save(buffer, np.arange(5))
    forge(tmp_path / "itr_1", "store.0.npy", buffer.getvalue())
    assert load_snapshot(tmp_path / "itr_1").parts["store"]["index"].tolist() == [0, 1, 2, 3, 4]


