"""Tensors of a `.pt` file in torch's zip format, rebuilt from its raw storages; torch's own reader is not used.

name/data.pkl        a pickle in which each storage is a persistent id ("storage", type, key, device, elements)
name/data/<key>      the bytes of a storage, uncompressed
name/byteorder       "little", where it is there
"""

import math
import zipfile
from typing import IO, Any

import torch
from torch import Tensor

from experiment_utils.conversion.numpy_calls import NUMPY_CALLS
from experiment_utils.conversion.pickled import OldFileError, read_pickled

STORAGES = {
    "torch.DoubleStorage": torch.float64, "torch.FloatStorage": torch.float32, "torch.HalfStorage": torch.float16,
    "torch.BFloat16Storage": torch.bfloat16, "torch.LongStorage": torch.int64, "torch.IntStorage": torch.int32,
    "torch.ShortStorage": torch.int16, "torch.CharStorage": torch.int8, "torch.ByteStorage": torch.uint8,
    "torch.BoolStorage": torch.bool,
}  # fmt: skip


def read_torch_zip(file: IO[bytes]) -> Any:
    """The tree of a `.pt` file: plain values, arrays and tensors on the CPU."""
    if not zipfile.is_zipfile(file):
        raise OldFileError("is no zip: torch before 1.6 wrote a format that is not read; save it again by a newer")
    with zipfile.ZipFile(file) as archive:
        names = [name for name in archive.namelist() if name.count("/") == 1 and name.endswith("/data.pkl")]
        if len(names) != 1:
            raise OldFileError(f"holds {len(names)} members NAME/data.pkl; expected one")
        storages = _Storages(archive, names[0].removesuffix("data.pkl"))
        calls = NUMPY_CALLS | dict.fromkeys(STORAGES, storages.not_called) | TENSOR_CALLS
        with archive.open(names[0]) as stream:
            return read_pickled(stream, calls, storages.load)


class _Storages:
    """Each storage is read once, however many tensors share it."""

    def __init__(self, archive: zipfile.ZipFile, root: str) -> None:
        self._archive, self._root = archive, root
        self._members = {info.filename: info for info in archive.infolist()}
        self._read: dict[str, Tensor] = {}
        if any(info.compress_type != zipfile.ZIP_STORED for info in archive.infolist()):
            raise OldFileError("is compressed, which torch's files never are")
        if f"{root}byteorder" in self._members and archive.read(f"{root}byteorder") != b"little":
            raise OldFileError("was written on a big-endian machine, which is not read")

    def load(self, identity: Any) -> Tensor:
        """The flat tensor of a persistent id."""
        kind, name, key, *_ = identity
        dtype, member = STORAGES.get(name.text), f"{self._root}data/{key}"
        if kind != "storage" or dtype is None or member not in self._members:
            raise OldFileError(f"refers to {member!r} as {kind!r}; expected a storage that is a member of the file")
        if member not in self._read:
            content = bytearray(self._archive.read(member))
            self._read[member] = torch.frombuffer(content, dtype=dtype) if content else torch.empty(0, dtype=dtype)
        return self._read[member]

    def not_called(self, *_: Any) -> Any:
        raise OldFileError("makes an empty storage; expected one with its content")


def _tensor(storage: Any, offset: Any, size: Any, stride: Any, *_: Any) -> Tensor:
    """A view of its storage; a tensor that declares more than is stored is refused."""
    if not isinstance(storage, Tensor) or math.prod(size) > len(storage):
        raise OldFileError(f"declares a tensor of shape {tuple(size)}; its storage does not hold as much")
    return storage.as_strided(size, stride, offset)


def _parameter(tensor: Any, *_: Any) -> Any:
    return tensor


TENSOR_CALLS = {
    "torch._utils._rebuild_tensor": _tensor,
    "torch._utils._rebuild_tensor_v2": _tensor,
    "torch._utils._rebuild_parameter": _parameter,
    "torch.Size": tuple,
}
