"""A part's state as files: JSON for its shape and numbers, safetensors for tensors, npy for numpy arrays.

In the JSON a dict with the one key "$tensor", "$array", "$scalar", "$tuple" or "$items" stands for what JSON cannot
hold: a tensor, an array, a numpy scalar, a tuple, or a dict whose keys are not all plain strings.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import safetensors
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor


class SnapshotError(ValueError):
    """A snapshot cannot be written, read or used; the text is one line that names the place."""


def write_part(directory: Path, name: str, state: Any) -> None:
    """Writes `name.json` and, where the state holds them, `name.safetensors` and `name.<i>.npy`."""
    writer = _Writer()
    tree = writer.encode(state, name)
    (directory / f"{name}.json").write_text(json.dumps(tree), encoding="utf-8")
    if writer.tensors:
        try:
            save_file(writer.tensors, directory / f"{name}.safetensors")
        except safetensors.SafetensorError as error:
            raise OSError(f"{name}.safetensors: {error}") from error
    for index, array in enumerate(writer.arrays):
        np.save(directory / f"{name}.{index}.npy", array, allow_pickle=False)


def read_part(directory: Path, name: str, files: set[str]) -> Any:
    """The state that `write_part` wrote; only the named `files` are opened."""
    path = directory / f"{name}.json"
    try:
        tensors = load_file(directory / f"{name}.safetensors") if f"{name}.safetensors" in files else {}
        arrays = {
            file: np.load(directory / file, allow_pickle=False)
            for file in files
            if file.startswith(f"{name}.") and file.endswith(".npy")
        }
        return _decode(json.loads(path.read_bytes()), tensors, arrays)
    except (ValueError, KeyError, TypeError, OSError, safetensors.SafetensorError) as error:
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
    tensors: dict[str, Tensor] = field(default_factory=dict)
    arrays: list[np.ndarray] = field(default_factory=list)
    _storages: set[int] = field(default_factory=set)

    def encode(self, value: Any, path: str) -> Any:
        if isinstance(value, Tensor):
            return self._tensor(value, path)
        if isinstance(value, np.ndarray) and not value.dtype.hasobject:
            self.arrays.append(value)
            return {"$array": f"{path.split('.', 1)[0]}.{len(self.arrays) - 1}.npy"}
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


def _decode(tree: Any, tensors: dict[str, Tensor], arrays: dict[str, np.ndarray]) -> Any:
    if isinstance(tree, list):
        return [_decode(item, tensors, arrays) for item in tree]
    if not isinstance(tree, dict):
        return tree
    match tree:
        case {"$tensor": name}:
            return tensors[name]
        case {"$array": name}:
            return arrays[name]
        case {"$scalar": [name, value]}:
            return np.dtype(name).type(value)
        case {"$tuple": items}:
            return tuple(_decode(items, tensors, arrays))
        case {"$items": items}:
            return {_decode(key, tensors, arrays): _decode(value, tensors, arrays) for key, value in items}
    return {key: _decode(value, tensors, arrays) for key, value in tree.items()}


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
