"""How many weights the networks of an agent have, read from its state."""

from collections.abc import Mapping
from typing import Any

from torch import Tensor

NOT_LEARNED = ("target", "optimizer", "normalizer")  # how names of other parts begin or end


def networks_line(state: Mapping[str, Any]) -> str:
    """ "networks: critic 140.7k, actor 139.0k weights", of an agent's `state_dict()`; targets do not count."""
    counts = {name: count_weights(part) for name, part in state.items() if _is_learned(name)}
    parts = [f"{name} {_short(count)}" for name, count in counts.items() if count]
    return f"networks: {', '.join(parts)} weights"


def count_weights(state: Any) -> int:
    """Numbers in all networks in it. A network's state is a mapping of tensors and of nothing else."""
    if isinstance(state, list | tuple):
        return sum(map(count_weights, state))
    if not isinstance(state, Mapping):
        return 0
    if all(isinstance(value, Tensor) for value in state.values()):
        return sum(tensor.numel() for tensor in state.values())
    return sum(count_weights(part) for name, part in state.items() if _is_learned(name))


def _is_learned(name: str) -> bool:
    return not name.startswith(NOT_LEARNED) and not name.endswith(NOT_LEARNED)


def _short(count: int) -> str:
    return f"{count / 1e6:.1f}M" if count >= 1e6 else f"{count / 1e3:.1f}k" if count >= 1000 else str(count)
