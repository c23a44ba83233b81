"""Real run directories for the tests of stores, and what makes two of them equal."""

import hashlib

import numpy as np
import torch

from experiment_utils.run_directory import RunDirectory
from lifelong_rl.recording.snapshot import save_snapshot


def make_run(folder, num_files=0, num_bytes=100):
    """A run with a first snapshot, and `num_files` others in folders of three."""
    run = RunDirectory(folder)
    run.write("variant.json", {"seed": 0})
    run.write_status("running")
    add_rows(folder, 1)
    add_snapshot(folder, 0)
    generator = np.random.default_rng(0)
    for number in range(num_files):
        path = folder / "videos" / f"{number // 3}" / f"epoch {number}.mp4"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(generator.bytes(num_bytes))
    return folder


def add_rows(folder, num_rows):
    with (folder / "metrics.jsonl").open("a") as file:
        file.write('{"updates": 1}\n' * num_rows)


def add_snapshot(folder, number, name=None, num_rows=1000):
    parts = {"agent": {"weight": torch.full((50,), float(number))}, "replay": {"rows": np.full((num_rows,), number)}}
    size = (folder / "metrics.jsonl").stat().st_size
    counters = {"phase": 0, "epoch": number, "round": 0, "updates": number, "env_steps": 0}
    save_snapshot(folder / (name or f"itr_{number}"), parts, {"counters": counters, "metrics_bytes": size})


def tree(folder, own=(".store-", "LOCK")):
    """Name -> sha256 of every file but a machine's own."""
    files = [path for path in folder.rglob("*") if path.is_file() and not path.name.startswith(own)]
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}
