"""A tree of values as JSON beside its tensors, in the manner of lifelong_rl/recording/state_tree.py."""

from typing import Any

import numpy as np
import torch
from torch import Tensor

from experiment_utils.conversion.pickled import OldFileError

MAX_VALUES = 1_000_000  # a pickle may mention one list many times, and that list another


class TreeWriter:
    """`encode` returns what JSON can hold; `tensors` has the rest, by the name that stands there as {"$tensor": name}.

    {"$tuple": [...]} and {"$items": [[key, value], ...]} stand for a tuple, and a dict with keys that are no strings.
    """

    def __init__(self) -> None:
        self.tensors: dict[str, Tensor] = {}
        self._num_values = 0

    def encode(self, value: Any, path: str) -> Any:
        """`path` names the place, in complaints and as the tensor's name."""
        self._num_values += 1
        if self._num_values > MAX_VALUES:
            raise OldFileError(f"holds more than {MAX_VALUES:,} values outside of arrays")
        if isinstance(value, Tensor):
            return self._keep(value, path)
        if isinstance(value, np.ndarray) and value.dtype.kind in "biuf":
            return self._keep(torch.from_numpy(value.astype(value.dtype.newbyteorder("="))), path)
        if isinstance(value, dict) and all(isinstance(key, str) and not key.startswith("$") for key in value):
            return {key: self.encode(item, _join(path, key)) for key, item in value.items()}
        if isinstance(value, dict):
            items = [[self.encode(k, path), self.encode(v, _join(path, k))] for k, v in value.items()]
            return {"$items": items}
        if isinstance(value, list | tuple):
            plain = [self.encode(item, _join(path, place)) for place, item in enumerate(value)]
            return {"$tuple": plain} if isinstance(value, tuple) else plain
        if value is None or isinstance(value, bool | int | float | str):
            return value
        raise OldFileError(f"holds a {type(value).__name__} at {path!r}; expected tensors, arrays and plain values")

    def _keep(self, value: Tensor, path: str) -> dict[str, str]:
        while path in self.tensors:  # {"a.b": x, "a": {"b": y}}
            path += "'"
        self.tensors[path] = value.clone(memory_format=torch.contiguous_format)
        return {"$tensor": path}


def _join(path: str, key: Any) -> str:
    return f"{path}.{key}" if path else str(key)
