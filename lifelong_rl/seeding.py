"""One seed, many independent generators: each part of a run owns the one that bears its name."""

import zlib
from typing import Any

import numpy as np
import torch

from lifelong_rl.global_randomness import global_states, seed_globals, set_global_states


class Seeds:
    """Makes and remembers named generators. The same seed and name always give the same stream."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self._torch: dict[str, torch.Generator] = {}
        self._numpy: dict[str, np.random.Generator] = {}

    def integer(self, name: str) -> int:
        """A number in [0, 2^63) that belongs to `name`."""
        return int(self._sequence(name).generate_state(1, np.uint64)[0] >> np.uint64(1))

    def torch(self, name: str, device: torch.device | str = "cpu") -> torch.Generator:
        if name not in self._torch:
            self._torch[name] = torch.Generator(device).manual_seed(self.integer(name))
        generator, asked = self._torch[name], torch.device(device)
        if generator.device.type != asked.type or asked.index not in (None, generator.device.index):
            raise ValueError(f"generator {name!r} is on {generator.device}, but was asked for on {asked}.")
        return generator

    def numpy(self, name: str) -> np.random.Generator:
        if name not in self._numpy:
            self._numpy[name] = np.random.default_rng(self._sequence(name))
        return self._numpy[name]

    def seed_globals(self) -> None:
        """The generators that belong to nobody (dropout draws from torch's): everything of ours has its own."""
        seed_globals(self.integer("globals"))

    def state_dict(self) -> dict[str, Any]:
        """Every generator, those that belong to nobody included."""
        return {
            "globals": global_states(),
            "torch": {name: generator.get_state() for name, generator in self._torch.items()},
            "numpy": {name: generator.bit_generator.state for name, generator in self._numpy.items()},
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        set_global_states(state["globals"])
        for name, value in state["torch"].items():
            (self._torch.get(name) or self.torch(name)).set_state(value)
        for name, value in state["numpy"].items():
            self.numpy(name).bit_generator.state = value

    def _sequence(self, name: str) -> np.random.SeedSequence:
        return np.random.SeedSequence([self.seed, zlib.crc32(name.encode())])
