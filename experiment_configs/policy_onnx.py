"""An exported policy as one ONNX file: observation and goal in, greedy action out; and how far that is from it."""

import contextlib
import importlib.util
import logging
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from lifelong_rl.envs.gymnasium_spaces import Actions
from lifelong_rl.exported_policy.description import Description
from lifelong_rl.exported_policy.plain import plain_copy
from lifelong_rl.exported_policy.spaces import in_unit

PACKAGES = ("onnx", "onnxscript", "onnxruntime")
INSTALL = "pip install 'lifelong_rl[onnx]'"
MOST_APART = 1e-5  # in halves of the action range
INPUTS, OUTPUT = ("observation", "goal"), "action"


@dataclass(frozen=True, kw_only=True)
class Compared:
    """`difference` is the largest of an entry, in halves of the action range; of choices, the share of other ones."""

    difference: float
    num_observations: int

    @property
    def is_close(self) -> bool:
        return self.difference <= MOST_APART


def why_no_onnx(description: Description) -> str | None:
    """None where the policy can be written as ONNX here."""
    missing = [name for name in PACKAGES if importlib.util.find_spec(name) is None]
    if missing:
        return f"{', '.join(missing)} not installed: {INSTALL}"
    return description.policy.why_not_one_pass(description.task.spec())


def write_onnx(path: Path, description: Description, networks: nn.ModuleDict, actions: Actions) -> list[str]:
    """The names of the file's inputs: `goal` is left out where tasks have none."""
    module = OnePassPolicy(description, networks, actions).eval()
    names = INPUTS if 0 not in description.task.goal_shape else INPUTS[:1]
    shapes = (description.task.observation_shape, description.task.goal_shape)
    example = tuple(_zeros(shape) for _, shape in zip(names, shapes, strict=False))
    batch = {0: torch.export.Dim("batch")}
    with _quiet():
        program = torch.onnx.export(
            module, example, dynamo=True, input_names=list(names), output_names=[OUTPUT], verbose=False,
            dynamic_shapes=dict.fromkeys(names, batch), external_data=False,
        )  # fmt: skip
        assert program is not None
        program.save(path)
    return list(names)


def compare_onnx(path: Path, actions: Actions, rows: tuple[NDArray[Any], NDArray[Any]], ours: Any) -> Compared:
    """The file's actions on observations and goals against `ours`, what an environment would take of the policy's."""
    import onnxruntime  # type: ignore[import-untyped]

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(path.read_bytes(), options, providers=["CPUExecutionProvider"])
    inputs = {put.name: row for put, row in zip(session.get_inputs(), rows, strict=False)}
    together = session.run([OUTPUT], inputs)[0]
    one_by_one = session.run([OUTPUT], {name: row[:1] for name, row in inputs.items()})[0]
    theirs, wanted = np.concatenate([together, one_by_one]), np.concatenate([ours, ours[:1]])
    if theirs.shape != wanted.shape:
        raise ValueError(f"{path}: gives actions {list(theirs.shape)}, the policy {list(wanted.shape)}.")
    if actions.discrete:
        apart = float((theirs != wanted).mean())
    else:
        half = (np.float64(actions.space.high) - actions.space.low) / 2
        apart = float(np.max(np.abs(theirs - wanted.astype(np.float64)) / half))
    return Compared(difference=apart, num_observations=len(ours))


class OnePassPolicy(nn.Module):
    """The greedy policy up to what an environment takes: stretched to its bounds, choices as it counts them."""

    low: Tensor
    high: Tensor

    def __init__(self, description: Description, networks: nn.ModuleDict, actions: Actions) -> None:
        super().__init__()
        self.networks, self._actions = plain_copy(networks), actions
        self._spec = description.task.spec()
        self._policy = description.policy.policy(self.networks, self._spec, torch.Generator())
        space = actions.space
        bounds = () if actions.discrete else (space.low, space.high)
        for name, bound in zip(("low", "high"), bounds, strict=False):
            self.register_buffer(name, torch.from_numpy(bound.astype(np.float32)))

    def forward(self, observation: Tensor, goal: Tensor | None = None) -> Tensor:
        nothing = observation.new_zeros((observation.shape[0], 0), dtype=torch.float32)
        action: Tensor = self._policy(observation, nothing if goal is None else goal)
        if self._actions.discrete:
            return action + self._actions.first_choice
        action = in_unit(action, self._spec).reshape(-1, *self._actions.space.shape)
        if not self._actions.stretched:
            return action
        stretched = self.low + (action + 1) / 2 * (self.high - self.low)
        return torch.minimum(torch.maximum(stretched, self.low), self.high)


def _zeros(shape: tuple[int, ...]) -> Tensor:
    """Two rows: a batch of one would be taken for a constant."""
    return torch.zeros(2, *shape, dtype=torch.uint8 if len(shape) == 3 else torch.float32)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Without the exporter's notices on other people's operators."""
    logger = logging.getLogger("torch.onnx")
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(before)
