"""What the pickle of numpy values may call: arrays, dtypes and scalars of numbers, rebuilt from their bytes."""

from typing import Any

import numpy as np

from experiment_utils.conversion.pickled import Call, OldFileError, Unfinished


def _begin_dtype(text: Any, *_: Any) -> Unfinished:
    """`("f8", False, True)`; the state that follows holds the byte order."""
    return Unfinished(lambda state: _dtype(text, state[1]))


def _dtype(text: Any, order: Any) -> np.dtype:
    dtype = np.dtype(_text(text)).newbyteorder(_text(order)) if isinstance(text, str | bytes) else None
    if dtype is None or dtype.kind not in "biufcSU":
        raise OldFileError(f"holds an array of type {text!r}; expected numbers")
    return dtype


def _begin_array(*_: Any) -> Unfinished:
    return Unfinished(lambda state: _array(_bytes(state[4]), state[2], state[1], "F" if state[3] else "C"))


def _array(content: Any, dtype: Any, shape: Any, order: Any = "C") -> np.ndarray:
    """A copy, since later writes must not reach the file's bytes; numpy checks the sizes."""
    if not isinstance(dtype, np.dtype):
        raise OldFileError(f"holds an array of type {dtype!r}; expected numbers")
    flat = np.frombuffer(content, dtype) if len(content) else np.empty(0, dtype)
    return flat.reshape(shape, order=_text(order)).copy()


def _scalar(dtype: Any, content: Any) -> Any:
    return _array(_bytes(content), dtype, ()).item()


def _encode(text: str, encoding: Any = "latin1") -> bytes:
    """How protocols below 3 hold bytes."""
    return text.encode("latin-1")


def _no_bytes() -> bytes:
    """How they hold b""."""
    return b""


def _bytes(content: Any) -> bytes:
    """Python 2 wrote them as text; an array that is not of numbers holds a list here."""
    if isinstance(content, str):
        return content.encode("latin-1")
    if not isinstance(content, bytes | bytearray):
        raise OldFileError("holds an array of Python objects; expected numbers")
    return bytes(content)


def _text(value: Any) -> Any:
    return value.decode("latin-1") if isinstance(value, bytes) else value


def _not_called(*_: Any) -> Any:
    raise OldFileError("makes an empty array; expected one with its content")


NUMPY_CALLS: dict[str, Call] = {
    "numpy.dtype": _begin_dtype,
    "numpy.ndarray": _not_called,  # an argument of _reconstruct
    "_codecs.encode": _encode,
    "builtins.bytes": _no_bytes,
    "__builtin__.bytes": _no_bytes,
    "collections.OrderedDict": dict,
}
for _package in ("numpy.core", "numpy._core"):
    NUMPY_CALLS[f"{_package}.multiarray._reconstruct"] = _begin_array
    NUMPY_CALLS[f"{_package}.multiarray.scalar"] = _scalar
    NUMPY_CALLS[f"{_package}.numeric._frombuffer"] = _array
