"""The generators that belong to nobody: nothing here draws from them, but what users bring may (dropout does)."""

import random
from typing import Any

import numpy as np
import torch


def seed_globals(seed: int) -> None:
    """Python's, NumPy's old one, and torch's on every device."""
    random.seed(seed)
    np.random.seed(seed % 2**32)
    torch.manual_seed(seed)


def global_states() -> dict[str, Any]:
    """For a snapshot. Those of GPUs only where torch uses GPUs."""
    name, keys, *rest = np.random.get_state()
    cuda = torch.cuda.get_rng_state_all() if torch.cuda.is_initialized() else []
    numpy = (name, np.asarray(keys), *rest)
    return {"python": random.getstate(), "numpy": numpy, "torch": torch.get_rng_state(), "cuda": cuda}


def set_global_states(states: dict[str, Any]) -> None:
    """What `global_states` gave. GPUs that are not there now are left out."""
    random.setstate(states["python"])
    np.random.set_state(states["numpy"])
    torch.set_rng_state(states["torch"])
    for index, state in enumerate(states["cuda"][: torch.cuda.device_count()]):
        torch.cuda.set_rng_state(state, index)
