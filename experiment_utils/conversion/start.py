"""Has an old file converted by a process of its own, checks what came out, and puts it in its place."""

import signal
import subprocess
import sys
import tempfile
from pathlib import Path

from experiment_utils.conversion.pickled import OldFileError

FORMATS = {".pkl": (".hdf5", ".npz"), ".pt": (".safetensors",)}  # of the old file: of the new


def convert(source: Path, output: Path, observation_size: int | None = None) -> tuple[list[Path], list[str]]:
    """The files written, and what a person should know of them. Raises OldFileError or DatasetError with one line."""
    targets = _targets(source, output)
    with tempfile.TemporaryDirectory(prefix=f".{output.name}.", dir=output.parent) as folder:
        made = [Path(folder) / target.name for target in targets]
        notes = _run_worker(source, observation_size, made)
        if source.suffix == ".pkl":
            _check_dataset(made[0])
        for path, target in zip(made, targets, strict=True):
            path.replace(target)
    return targets, notes


def _targets(source: Path, output: Path) -> list[Path]:
    """A snapshot's plain values stand in a JSON file beside its tensors."""
    if source.suffix not in FORMATS:
        raise OldFileError(f"{source}: expected a name that ends in {' or '.join(FORMATS)}.")
    if output.suffix not in FORMATS[source.suffix]:
        formats = " or ".join(FORMATS[source.suffix])
        raise OldFileError(f"--output {output}: expected a name that ends in {formats} for a {source.suffix} file.")
    targets = [output, output.with_suffix(".json")] if source.suffix == ".pt" else [output]
    for path in targets:
        if path.exists():
            raise OldFileError(f"{path}: is there already; expected a new name.")
    for path in (source, output.parent):
        path.stat()
    return targets


def _run_worker(source: Path, observation_size: int | None, made: list[Path]) -> list[str]:
    module = "experiment_utils.conversion.worker"
    command = [sys.executable, "-P", "-m", module, str(source.absolute()), str(observation_size or 0), *map(str, made)]
    ended = subprocess.run(command, capture_output=True, text=True, errors="replace", stdin=subprocess.DEVNULL)
    if ended.returncode < 0:
        name = signal.Signals(-ended.returncode).name
        raise OldFileError(f"{source}: the process that read it was stopped by {name}: too much work for its size.")
    if ended.returncode:
        complaint = ended.stderr.strip().splitlines() or ["the process that read it failed"]
        raise OldFileError(f"{source}: {complaint[-1].rstrip('.')}.")
    return [line for line in ended.stdout.splitlines() if line]


def _check_dataset(path: Path) -> None:
    from lifelong_rl.data.datasets.files import DatasetFile
    from lifelong_rl.data.datasets.report import report_episodes

    with DatasetFile(path) as file:
        report_episodes(file, {})
