"""An hour of training, watched from outside: does its memory grow, do its files stay open?

    python benchmarks/soak.py [--minutes 60] [--warm_up 10] [--folder DIR]

Trains the cpu preset's networks offline, then online for as long as it takes, as a job of its own, with the replay
store overflowing many times. Its resident memory and open files are read every few seconds; the slope of memory is a
least-squares line through what follows the warm-up.
"""

import argparse
import json
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from experiment_configs.experiment import ExperimentConfig
from experiment_utils.run_directory import RunDirectory
from lifelong_rl.config import from_dict, to_dict

sys.path.insert(0, str(Path(__file__).parents[1]))
SLOPE_LIMIT = 5.0  # MB an hour
EVERY = 5.0  # seconds


def prepare(folder: Path) -> Path:
    """A run that outlives the soak. Its small replay store is full before the warm-up ends."""
    from run_scripts.qrl_maze import variant

    offline, online = variant["phases"]
    endless: dict[str, Any] = {"num_epochs": 10_000, "rounds_per_epoch": 2, "evaluation_interval": 5}
    phases = [offline | {"num_epochs": 1}, online | endless]
    changes = {"phases": phases, "replay_capacity": 100_000, "snapshots": {"keep_last": 3, "keep_every": 0}}
    run = RunDirectory(folder / "soak")
    run.write("variant.json", to_dict(from_dict(ExperimentConfig, variant | changes)))
    run.write("run.json", {})
    return run.path


def watch(process: subprocess.Popen[bytes], minutes: float) -> np.ndarray:
    """[samples, 3]: seconds since the start, resident MB, open files."""
    seen, start, inside = [], time.monotonic(), psutil.Process(process.pid)
    while process.poll() is None and time.monotonic() - start < 60 * minutes:
        memory, files = inside.memory_info().rss / 1e6, inside.num_fds()
        seen.append((time.monotonic() - start, memory, files))
        time.sleep(EVERY)
        if len(seen) % 120 == 0:
            print(f"{seen[-1][0] / 60:5.1f} min  {memory:7.1f} MB  {files} open files", flush=True)
    return np.array(seen)


def main() -> None:
    """Prints the slope and the files; exit status 1 where the memory grows faster than the limit or files pile up."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--warm_up", type=float, default=10.0, help="minutes that are left out of the slope")
    parser.add_argument("--folder", type=Path, help="kept; default: a temporary one")
    flags = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        run_dir = prepare(flags.folder or Path(temporary))
        words = [sys.executable, "-m", "experiment_utils.job", str(run_dir)]
        with subprocess.Popen(words, stdout=subprocess.DEVNULL) as process:
            seen = watch(process, flags.minutes)
            process.send_signal(signal.SIGTERM)
            status = process.wait()
        state = json.loads((run_dir / "status.json").read_text())
    if status != 75:
        raise SystemExit(f"the job ended with status {status}: {state}")
    kept = seen[seen[:, 0] >= 60 * flags.warm_up]
    slope = np.polyfit(kept[:, 0] / 3600, kept[:, 1], 1)[0]
    files = kept[:, 2]
    print(f"{len(kept)} samples over {(kept[-1, 0] - kept[0, 0]) / 60:.0f} min after the warm-up")
    print(f"memory {kept[0, 1]:.1f} -> {kept[-1, 1]:.1f} MB, slope {slope:+.2f} MB/h (wanted: under {SLOPE_LIMIT})")
    print(f"open files {files[: len(files) // 4].max():.0f} at most in the first quarter, {files[-1]:.0f} at the end")
    sys.exit(0 if slope < SLOPE_LIMIT and files[-1] <= files[: len(files) // 4].max() else 1)


if __name__ == "__main__":
    main()
