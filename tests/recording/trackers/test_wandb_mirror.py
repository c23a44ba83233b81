"""Weights & Biases' own client, offline and against a server on this machine; `wandb sync` reads its files back."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from lifelong_rl.recording.metrics_file import append_row
from tests.recording.trackers.wandb_server import WandbServer, wandb_server

pytest.importorskip("wandb")
pytestmark = pytest.mark.engines

ROOT = Path(__file__).parents[3]
VARIANT = {"seed": 3, "api_key": "hunter2", "num_tokens": 3, "dataset": "https://me:hunter2@example.org/x"}
SEND = """
import os, signal, sys
from pathlib import Path
from lifelong_rl.recording.trackers.mirror import Mirror
from lifelong_rl.recording.trackers.wandb import Wandb
run_dir, how = Path(sys.argv[1]), sys.argv[2]
mirror = Mirror(run_dir, Wandb(run_dir, "maze"))
print("Printed by the run")
mirror.send()
if how == "killed":
    os.kill(os.getpid(), signal.SIGKILL)
if how == "snapshot":
    mirror.send_snapshot(run_dir / "itr_2")
mirror.close()
print(mirror.num_rows, mirror.num_videos)
"""
TRAIN = """
import sys, time
from pathlib import Path
from lifelong_rl.recording.logger import Logger
from lifelong_rl.recording.trackers.sender import wandb_sender
logger = Logger(Path(sys.argv[1]), [wandb_sender(Path(sys.argv[1]), "maze")])
began = time.perf_counter()
for epoch in range(1, 6):
    logger.dump(epoch, 0, 100 * epoch, "offline")
dumped = time.perf_counter()
time.sleep(float(sys.argv[2]))
logger.dump(6, 0, 600, "offline")
closing = time.perf_counter()
logger.close()
print(dumped - began, time.perf_counter() - closing)
"""


@pytest.fixture
def server() -> Iterator[WandbServer]:
    with wandb_server() as server:
        yield server


@pytest.fixture
def run_dir(tmp_path: Path) -> Path:
    path = tmp_path / "maze" / "0a1b2c3d-s3"
    (path / "videos").mkdir(parents=True)
    (path / "variant.json").write_text(json.dumps(VARIANT))
    return path


def add_rows(run_dir: Path, *epochs: int) -> None:
    for epoch in epochs:
        row = {"epoch": epoch, "env_steps": 0, "updates": 100 * epoch, "phase": "api_key = hunter2", "loss": 1 / epoch}
        append_row(run_dir / "metrics.jsonl", row)


def python(run_dir: Path, *words: str, server: WandbServer | None = None) -> "subprocess.CompletedProcess[str]":
    variables = {"WANDB_MODE": "offline"} if server is None else {"WANDB_BASE_URL": server.url}
    variables |= {"PYTHONPATH": str(ROOT), "HOME": str(run_dir.parents[1]), "PATH": "/usr/bin:/bin"}
    variables["WANDB_API_KEY"] = "0123456789" * 4
    command = [sys.executable, *words]
    return subprocess.run(command, env=variables, cwd=run_dir, capture_output=True, text=True, timeout=110)


def send(run_dir: Path, how: str = "whole", server: WandbServer | None = None) -> str:
    ended = python(run_dir, "-c", SEND, str(run_dir), how, server=server)
    assert ended.returncode == (-9 if how == "killed" else 0), ended.stderr
    return ended.stdout.split("Printed by the run\n")[-1].strip()


def received(server: WandbServer, name: str = "epoch") -> list[float]:
    (run,) = server.runs
    return [row[name] for row in server.history(run) if name in row]


def test_offline_files_hold_each_row_once_and_no_credential(run_dir: Path, server: WandbServer):
    add_rows(run_dir, 1, 2)
    assert send(run_dir) == "2 0"
    add_rows(run_dir, 3)
    send(run_dir, "killed")
    add_rows(run_dir, 4)
    (run_dir / "videos" / "itr_4_policy.gif").write_bytes(b"GIF89a" + bytes(20))
    assert send(run_dir) == "2 1"
    assert send(run_dir) == "0 0"

    everything = b"".join(path.read_bytes() for path in (run_dir / "wandb").rglob("*") if path.is_file())
    for secret in (b"hunter2", b"0123456789", b"Printed by the run"):
        assert secret not in everything
    assert b"num_tokens" in everything
    assert not list(run_dir.rglob("wandb-metadata.json"))

    sessions = sorted(map(str, run_dir.glob("wandb/offline-run-*")))
    assert len(sessions) == 2
    synced = python(run_dir, "-m", "wandb", "sync", *sessions, server=server)
    assert synced.returncode == 0, synced.stderr
    assert received(server) == [1, 2, 3, 4]
    assert received(server, "_step") == [0, 1, 2, 3, 4]
    assert received(server, "updates") == [100, 200, 300, 400, 400]


def test_online_the_same_run_goes_on_and_gets_what_it_lacks(run_dir: Path, server: WandbServer):
    add_rows(run_dir, 1, 2)
    assert send(run_dir, server=server) == "2 0"
    add_rows(run_dir, 3)
    assert send(run_dir, server=server) == "1 0"
    num_requests = len(server.received)
    assert send(run_dir, server=server) == "0 0"
    assert b"file_stream" not in b"".join(server.received[num_requests:])

    (run_dir / "videos" / "itr_3_policy.mp4").write_bytes(b"....ftypisom")
    assert send(run_dir, server=server) == "0 1"
    (run_dir / "wandb" / "mirror.json").unlink()
    add_rows(run_dir, 4)
    send(run_dir, "killed", server)
    assert send(run_dir, server=server) in ("0 0", "1 0")
    assert received(server) == [1, 2, 3, 4]
    assert received(server, "updates") == [100, 200, 300, 300, 400]
    assert received(server, "_step") == [0, 1, 2, 3, 4]
    assert received(server, "videos_sent") == [["itr_3_policy.mp4"]]

    (run,) = server.runs.values()
    assert run["displayName"] == "0a1b2c3d-s3"
    assert json.loads(run["config"])["seed"] == {"value": 3}
    sent = b"".join(server.received)
    by_itself = [b"Printed by the run", b"system.", b"service.name", str(run_dir).encode(), os.uname()[1].encode()]
    assert [word for word in [b"hunter2", *by_itself] if word in sent] == []


def test_offline_files_that_were_never_synced_are_sent_when_there_is_a_network(run_dir: Path, server: WandbServer):
    add_rows(run_dir, 1, 2)
    assert send(run_dir) == "2 0"
    add_rows(run_dir, 3)
    assert send(run_dir, server=server) == "3 0"
    assert received(server) == [1, 2, 3]


def test_a_snapshot_is_an_artifact_of_data_files(run_dir: Path):
    add_rows(run_dir, 1)
    (run_dir / "run.json").write_text('{"host": "a", "command": "x --token hunter2hunter2"}')
    (run_dir / "itr_2").mkdir()
    for name in ("meta.json", "agent.safetensors", "seeds.0.npy", "evil.pkl"):
        (run_dir / "itr_2" / name).write_bytes(name.encode())
    send(run_dir, "snapshot")
    (recorded,) = run_dir.glob("wandb/offline-run-*/run-*.wandb")
    content = recorded.read_bytes()
    for name in ("variant.json", "run.json", "itr_2/meta.json", "itr_2/agent.safetensors", "itr_2/seeds.0.npy"):
        assert name.encode() in content
    assert b"evil.pkl" not in content
    everything = b"".join(path.read_bytes() for path in run_dir.parents[1].rglob("*") if path.is_file())
    assert everything.count(b"hunter2hunter2") == 1  # run.json itself


@pytest.mark.parametrize("fault", ["refuses", "hangs", "nobody", "hangs_later"])
def test_a_server_that_fails_holds_up_the_run_at_its_end_only(run_dir: Path, server: WandbServer, fault: str):
    if fault == "refuses":
        server.refuses = 500
    elif fault == "nobody":
        server.server_close()
    elif fault == "hangs":
        server.hangs_on = ""
    else:
        server.hangs_on = "/file_stream"
    began = time.perf_counter()
    ended = python(run_dir, "-c", TRAIN, str(run_dir), "3", server=server)
    assert ended.returncode == 0, ended.stderr
    rows, end = map(float, ended.stdout.split())
    print(f"{fault}: rows {rows:.3f} s, end {end:.1f} s, all {time.perf_counter() - began:.1f} s: {ended.stderr}")
    assert rows < 0.5
    assert end < 16
    assert len((run_dir / "metrics.jsonl").read_text().splitlines()) == 6
    assert ended.stderr.count("a mirror ends here, the run goes on") == 1
    assert "0123456789" not in ended.stderr


def test_what_a_failing_server_did_not_take_is_sent_later(run_dir: Path, server: WandbServer):
    server.hangs_on = "/file_stream"
    python(run_dir, "-c", TRAIN, str(run_dir), "3", server=server)
    server.hangs_on = None
    assert send(run_dir, server=server) == "6 0"
    assert received(server) == [1, 2, 3, 4, 5, 6]
