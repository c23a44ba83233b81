"""A part's state as files: JSON for its shape and numbers, safetensors for tensors, npy for numpy arrays and rows.

In the JSON a dict with the one key "$tensor", "$array", "$rows", "$scalar", "$tuple" or "$items" stands for what JSON
cannot hold: a tensor, an array, a RowLog, a numpy scalar, a tuple, or a dict whose keys are not all plain strings.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import safetensors
import safetensors.torch
import torch
from torch import Tensor

from lifelong_rl.recording.errors import SnapshotError
from lifelong_rl.recording.row_blocks import UNREADABLE, Content, npy_content, read_rows, row_files
from lifelong_rl.types import RowLog


def part_files(name: str, state: Any) -> dict[str, Content]:
    """`name.json` and, where the state holds them, `name.safetensors`, `name.<i>.npy`, `name.<i>.rows-<a>-<b>.npy`."""
    writer = _Writer(name)
    tree = json.dumps(writer.encode(state, name)).encode()
    files = {f"{name}.json": Content.of(tree)}
    if writer.tensors:
        files[f"{name}.safetensors"] = Content.of(safetensors.torch.save(writer.tensors))
    return files | writer.files


def read_part(directory: Path, name: str, files: set[str]) -> Any:
    """The state that `part_files` gave; only the named `files` are opened. Rows are read when they are asked for."""
    path = directory / f"{name}.json"
    try:
        tensors = {}
        if f"{name}.safetensors" in files:
            tensors = safetensors.torch.load_file(directory / f"{name}.safetensors")
        return _Reader(directory, name, files, tensors).decode(json.loads(path.read_bytes()))
    except (*UNREADABLE, safetensors.SafetensorError) as error:
        raise SnapshotError(f"{path}: damaged, {type(error).__name__}: {error}") from error


def check_shapes(expected: Any, found: Any, where: str) -> None:
    """Refuses a state whose tensors differ from those of `expected`, the state of the part that is to take it.

    A dict that is empty in `expected` (the moments of an optimizer that has not stepped yet) takes anything.
    """
    ours, theirs = dict(_shapes(expected, where)), dict(_shapes(found, where))
    open_places = tuple(_open_places(expected, where))
    for path, shape in ours.items():
        if path not in theirs:
            raise SnapshotError(f"{path}: this run has shape {shape}, the snapshot has no such tensor.")
        if theirs[path] != shape:
            raise SnapshotError(f"{path}: this run has shape {shape}, the snapshot has {theirs[path]}.")
    for path, shape in theirs.items():
        if path not in ours and not path.startswith(open_places):
            raise SnapshotError(f"{path}: the snapshot has shape {shape}, this run has no such tensor.")


@dataclass
class _Writer:
    part: str
    tensors: dict[str, Tensor] = field(default_factory=dict)
    files: dict[str, Content] = field(default_factory=dict)
    _storages: set[int] = field(default_factory=set)
    _count: int = 0

    def encode(self, value: Any, path: str) -> Any:
        if isinstance(value, Tensor):
            return self._tensor(value, path)
        if isinstance(value, np.ndarray) and not value.dtype.hasobject:
            name = f"{self._stem()}.npy"
            self.files[name] = npy_content(value)
            return {"$array": name}
        if isinstance(value, RowLog):
            blocks = row_files(self._stem(), value)
            self.files |= blocks
            return {"$rows": [value.first, value.last, *blocks]}
        if isinstance(value, np.bool_ | np.integer | np.floating) and value.dtype.itemsize <= 8:
            return {"$scalar": [value.dtype.name, value.item()]}
        if isinstance(value, dict):
            return self._dict(value, path)
        if isinstance(value, tuple):
            return {"$tuple": [self.encode(item, f"{path}.{i}") for i, item in enumerate(value)]}
        if isinstance(value, list):
            return [self.encode(item, f"{path}.{i}") for i, item in enumerate(value)]
        if value is None or isinstance(value, bool | int | float | str):
            return value
        raise SnapshotError(f"{path}: a snapshot cannot hold a {type(value).__module__}.{type(value).__qualname__}.")

    def _stem(self) -> str:
        self._count += 1
        return f"{self.part}.{self._count - 1}"

    def _dict(self, value: dict[Any, Any], path: str) -> Any:
        if all(isinstance(key, str) and not key.startswith("$") for key in value):
            return {key: self.encode(item, f"{path}.{key}") for key, item in value.items()}
        return {"$items": [[self.encode(k, f"{path}.key"), self.encode(v, f"{path}.{k}")] for k, v in value.items()]}

    def _tensor(self, value: Tensor, path: str) -> Any:
        if value.layout != torch.strided or value.is_quantized or value.is_meta or value.dtype == torch.complex128:
            raise SnapshotError(f"{path}: a snapshot cannot hold a {value.layout} {value.dtype} {value.device} tensor.")
        plain = value.detach().resolve_conj().resolve_neg().cpu().contiguous()
        storage = plain.untyped_storage().data_ptr()
        if storage in self._storages:  # safetensors refuses two names for one memory
            plain = plain.clone()
        self._storages.add(plain.untyped_storage().data_ptr())

        name = path
        while name in self.tensors:  # {"a.b": x, "a": {"b": y}}
            name += "'"
        self.tensors[name] = plain
        return {"$tensor": name}


@dataclass
class _Reader:
    directory: Path
    part: str
    files: set[str]
    tensors: dict[str, Tensor]

    def decode(self, tree: Any) -> Any:
        if isinstance(tree, list):
            return [self.decode(item) for item in tree]
        if not isinstance(tree, dict):
            return tree
        match tree:
            case {"$tensor": name}:
                return self.tensors[name]
            case {"$array": name}:
                return np.load(self._file(name), allow_pickle=False)
            case {"$rows": [first, last, *names]}:
                return read_rows([self._file(name) for name in names], first, last)
            case {"$scalar": [name, value]}:
                return np.dtype(name).type(value)
            case {"$tuple": items}:
                return tuple(self.decode(items))
            case {"$items": items}:
                return {self.decode(key): self.decode(value) for key, value in items}
        return {key: self.decode(value) for key, value in tree.items()}

    def _file(self, name: str) -> Path:
        if name not in self.files:
            raise KeyError(f"{name} is not in the manifest")
        return self.directory / name


def _children(value: Any) -> Iterator[tuple[Any, Any]]:
    if isinstance(value, dict):
        yield from value.items()
    elif isinstance(value, list | tuple):
        yield from enumerate(value)


def _shapes(value: Any, path: str) -> Iterator[tuple[str, list[int]]]:
    if isinstance(value, Tensor | np.ndarray):
        yield path, list(value.shape)
    for key, child in _children(value):
        yield from _shapes(child, f"{path}.{key}")


def _open_places(value: Any, path: str) -> Iterator[str]:
    if isinstance(value, dict | list | tuple) and not value:
        yield f"{path}."
    for key, child in _children(value):
        yield from _open_places(child, f"{path}.{key}")
