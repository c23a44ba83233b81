"""Spaces as Minari's metadata describe them (JSON), and how values in them become rows of a store."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np

from lifelong_rl.data.datasets.errors import DatasetError

MAX_BYTES = 16 << 20  # of metadata


@dataclass(frozen=True, kw_only=True)
class SavedSpace:
    """A Box (and its bounds, where they are finite and not -1 and 1) or a Discrete space; others count as Boxes."""

    low: np.ndarray | None = None
    high: np.ndarray | None = None
    num_choices: int | None = None  # where it is Discrete
    first_choice: int = 0

    @classmethod
    def of(cls, space: dict[str, Any]) -> Self:
        """Raises ValueError, KeyError or TypeError where no space is described."""
        if space["type"] == "Discrete":
            return cls(num_choices=int(space["n"]), first_choice=int(space.get("start", 0)))
        if space["type"] != "Box":
            return cls()
        low, high = (np.array(space[name], np.dtype(space["dtype"])) for name in ("low", "high"))
        bounded = low.dtype.kind == "f" and np.isfinite([low, high]).all()
        if not bounded or ((low == -1).all() and (high == 1).all()):
            return cls()
        return cls(low=low.reshape(-1), high=high.reshape(-1))

    def to_unit(self, values: np.ndarray) -> np.ndarray:
        """Actions of the space to [-1, 1] per entry [T, A], or to numbers from 0 [T]."""
        if self.num_choices is not None:
            return values.astype(np.int64) - self.first_choice
        flat = flattened(values)
        if self.low is None or self.high is None:
            return flat
        unit: np.ndarray = 2 * (flat.astype(np.float64) - self.low) / (self.high - self.low) - 1
        return unit.astype(np.float32)

    def from_unit(self, values: np.ndarray) -> np.ndarray:
        """The inverse up to rounding, but still flat: what a task hands to its environment."""
        if self.num_choices is not None:
            return values + self.first_choice
        if self.low is None or self.high is None:
            return values
        stretched = self.low + (values.astype(self.low.dtype) + 1) / 2 * (self.high - self.low)
        return np.clip(stretched, self.low, self.high)

    def to_row(self, values: np.ndarray) -> np.ndarray:
        """Observations of the space to what a task shows: pictures as they are, others flat or one-hot."""
        if self.num_choices is None:
            return flattened(values)
        return np.equal.outer(values, self.first_choice + np.arange(self.num_choices)).astype(np.float32)


def flattened(values: np.ndarray) -> np.ndarray:
    """[T, ...] to [T, O], but for pictures [T, H, W, C] of bytes."""
    is_picture = values.dtype == np.uint8 and values.ndim == 4
    return values if is_picture else values.reshape(len(values), -1)


def box(shape: tuple[int, ...], dtype: str, low: float = -np.inf, high: float = np.inf) -> dict[str, Any]:
    """A Box as Minari's metadata describe it."""
    bounds = {"low": np.full(shape, low).tolist(), "high": np.full(shape, high).tolist()}
    return {"type": "Box", "dtype": dtype, "shape": list(shape), **bounds}


def read_spaces(path: Path) -> tuple[SavedSpace, SavedSpace]:
    """Of observations and of actions, from metadata.json; a plain Box where older metadata say nothing."""
    try:
        with path.open("rb") as stream:
            text = stream.read(MAX_BYTES + 1)
        if len(text) > MAX_BYTES:
            raise ValueError(f"more than {MAX_BYTES} bytes")
        metadata = json.loads(text)
        form = metadata.get("data_format", "hdf5")
        shown, taken = (json.loads(metadata.get(f"{name}_space", "{}")) for name in ("observation", "action"))
        if shown.get("type") == "Dict":
            shown = shown["subspaces"].get("observation", {})
        spaces = tuple(SavedSpace.of(space) if space else SavedSpace() for space in (shown, taken))
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError, OverflowError) as error:
        reason = f"{type(error).__name__}: {' '.join(str(error).split())}"
        raise DatasetError(f"{path}: cannot be read as Minari's metadata ({reason}).") from error
    if form != "hdf5":
        raise DatasetError(f"{path}: the data are in the format {str(form)[:40]!r}; expected 'hdf5'.")
    return spaces[0], spaces[1]
