"""Writes the policy of a snapshot as a folder of its own: weights, description, card, film and ONNX; all or nothing."""

import json
import os
import platform
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save
from torch import nn

from experiment_configs.acting import Acting
from experiment_configs.loading import LoadedAgent
from experiment_configs.model_card import model_card
from experiment_configs.policy_environment import environment_of
from experiment_configs.policy_evaluation import Rows, evaluate_policy
from experiment_configs.policy_onnx import MOST_APART, Compared, compare_onnx, why_no_onnx, write_onnx
from experiment_configs.policy_replay import write_replay
from lifelong_rl.config import ConfigError, to_dict
from lifelong_rl.exported_policy.description import (
    CARD,
    CONFIG,
    FORMAT,
    ONNX,
    REPLAY,
    WEIGHTS,
    Description,
    FileEntry,
    read_description,
)
from lifelong_rl.exported_policy.load import load_policy
from lifelong_rl.exported_policy.spaces import taken
from lifelong_rl.exported_policy.task_shape import TaskShape
from lifelong_rl.recording.files import fingerprint, flush_to_disk

PACKAGES = ("lifelong_rl", "torch", "numpy", "gymnasium", "gymnasium-robotics", "mujoco", "onnx", "onnxruntime")
FILES = (CONFIG, WEIGHTS, ONNX, CARD, REPLAY)


@dataclass(frozen=True, kw_only=True)
class Exported:
    """Where an export lies, and what there is to say of it. `failure`: what did not come out as it should."""

    folder: Path
    description: Description
    notes: list[str]
    failure: str | None = None


def export_policy(loaded: LoadedAgent, acting: Acting, folder: Path, *, num_episodes: int, overwrite: bool) -> Exported:
    """Plays `num_episodes` episodes for each kind of goals, and writes what is described in docs/export.md."""
    check_target(folder, overwrite)
    evaluation, rows = evaluate_policy(loaded, num_episodes)
    notes, failure = [], None
    with new_folder(folder, overwrite) as here:
        not_filmed = write_replay(here / REPLAY, loaded)
        if not_filmed is not None:
            notes.append(f"{REPLAY} left out: {not_filmed}")
        description = write_policy(here, loaded, acting, evaluation)
        _check_copy(here, description, loaded, rows)
        onnx = try_onnx(here, description, acting, loaded, rows)
        if "left_out" in onnx:
            notes.append(f"{ONNX} left out: {onnx['left_out']}")
        if "removed" in onnx:
            failure = f"{folder / ONNX}: {onnx['removed']}"
        description = _with_files(replace(description, onnx=onnx), here)
        (here / CARD).write_text(model_card(description, not_filmed), encoding="utf-8")
    return Exported(folder=folder, description=description, notes=notes, failure=failure)


def write_policy(folder: Path, loaded: LoadedAgent, acting: Acting, evaluation: dict[str, Any]) -> Description:
    """The two files that acting needs, into a folder that is there."""
    tensors = nn.ModuleDict(acting.networks).state_dict()
    (folder / WEIGHTS).write_bytes(save({name: tensor.contiguous() for name, tensor in tensors.items()}))
    return _with_files(_describe(loaded, acting, evaluation), folder)


def check_target(folder: Path, overwrite: bool) -> None:
    """A ConfigError where something is there already that must not be replaced."""
    if not folder.exists():
        return
    if not overwrite:
        raise ConfigError(f"{folder}: exists already. Name another --output, or add --overwrite to replace it.")
    if not folder.is_dir():
        raise ConfigError(f"{folder}: is a file, and an export is a folder. Name another --output.")
    others = sorted(path.name for path in folder.iterdir() if path.name not in FILES)
    if others or not (folder / CONFIG).exists():
        what = f"holds {others[0]}, which is of no export" if others else f"holds no {CONFIG}, so it is no export"
        raise ConfigError(f"{folder}: {what}: it is not replaced. Name another --output.")


@contextmanager
def new_folder(folder: Path, overwrite: bool) -> Iterator[Path]:
    """A folder beside it to write into, which takes its name when all is written; nothing is left where that fails."""
    temporary, old = (folder.with_name(f".{folder.name}.{what}-{os.getpid()}") for what in ("tmp", "old"))
    temporary.mkdir(parents=True)
    try:
        yield temporary
        for path in (*temporary.iterdir(), temporary):
            flush_to_disk(path)
        check_target(folder, overwrite)
        if folder.exists():
            folder.rename(old)
        temporary.rename(folder)
    except BaseException:
        if old.exists() and not folder.exists():
            old.rename(folder)
        raise
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
        shutil.rmtree(old, ignore_errors=True)


def _describe(loaded: LoadedAgent, acting: Acting, evaluation: dict[str, Any]) -> Description:
    spaces, environment = environment_of(loaded)
    training = {
        "snapshot": loaded.path.name, "run": loaded.path.absolute().parent.name, "seed": loaded.config.seed,
        "counters": loaded.snapshot.meta.get("counters", {}),
    }  # fmt: skip
    return Description(
        format=FORMAT, versions=_versions(), policy=acting.architecture, task=TaskShape.of(loaded.task.spec),
        spaces=spaces, environment=environment, agent=to_dict(loaded.config)["agent"], training=training,
        evaluation=evaluation, onnx={}, files={},
    )  # fmt: skip


def _with_files(description: Description, folder: Path) -> Description:
    """The same with the checksums of what is there; `config.json` is written."""
    names = [name for name in (WEIGHTS, ONNX, REPLAY) if (folder / name).exists()]
    description = replace(description, files={name: FileEntry(**fingerprint(folder / name)) for name in names})
    text = json.dumps(to_dict(description), indent=1, allow_nan=False)
    (folder / CONFIG).write_text(f"{text}\n", encoding="utf-8")
    return read_description(folder)


def _check_copy(folder: Path, description: Description, loaded: LoadedAgent, rows: Rows) -> None:
    """What was written acts as the agent does, bit by bit; where chance has a say, there is nothing to compare."""
    copy = load_policy(folder)
    if description.policy.why_not_one_pass(copy.spec) is not None:
        return
    if not torch.equal(copy.act(*rows), loaded.agent.policy(explore=False)(*rows)):
        raise ConfigError(f"{loaded.path}: the written policy does not act as the agent does: nothing is exported.")


def try_onnx(
    folder: Path, description: Description, acting: Acting, loaded: LoadedAgent, rows: Rows
) -> dict[str, Any]:
    """Writes the file and keeps it where it is close enough to the agent; returns what config.json says of it."""
    reason = why_no_onnx(description)
    if reason is not None:
        return {"left_out": reason}
    actions, path = description.spaces.actions("action"), folder / ONNX
    try:
        inputs = write_onnx(path, description, nn.ModuleDict(acting.networks), actions)
        ours = taken(actions, loaded.agent.policy(explore=False)(*rows), loaded.task.spec)
        compared: Compared = compare_onnx(path, actions, (rows[0].numpy(), rows[1].numpy()), ours)
    except Exception as error:  # whatever the exporter and the runtime raise about operators that they do not know
        path.unlink(missing_ok=True)
        text = " ".join(re.sub(r"\x1b\[\d+m", "", str(error)).split())
        return {"left_out": f"it cannot be written as ONNX ({type(error).__name__}: {text:.200})"}
    numbers = {"largest_difference": compared.difference, "num_observations": compared.num_observations}
    if compared.is_close:
        return {"inputs": inputs, "output": "action"} | numbers
    path.unlink()
    line = f"differs by up to {compared.difference:.3g} from the policy on {compared.num_observations} observations"
    line += f", at most {MOST_APART:g} is allowed: not kept. The rest of the export is whole."
    return {"removed": line} | numbers


def _versions() -> dict[str, Any]:
    versions = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            continue
    return versions
