"""What a dataset file that cannot be used raises, and what the libraries raise on a damaged one."""

import contextlib
import struct
import tokenize
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

BROKEN: tuple[type[Exception], ...] = (OSError, RuntimeError, KeyError, ValueError, TypeError, EOFError, MemoryError)
BROKEN += (OverflowError, zipfile.BadZipFile, zlib.error, struct.error, tokenize.TokenError)
MAX_KEY_LENGTH = 100


class DatasetError(ValueError):
    """A dataset file that cannot be used; one line."""


def one_line(error: BaseException) -> str:
    """What a library says, or the name of its error where it says nothing."""
    return " ".join(str(error).split()) or type(error).__name__


@contextlib.contextmanager
def naming(path: Path, key: str) -> Iterator[None]:
    """Says of which file and column a library's complaint is."""
    try:
        yield
    except DatasetError:
        raise
    except BROKEN as error:
        raise DatasetError(f"{path}: {key!r} cannot be read: {one_line(error)}") from error


def check_key(path: Path, key: str) -> str:
    """A key is only ever looked up and printed: any name will do that prints on a line."""
    if not key.isprintable() or not 0 < len(key) <= MAX_KEY_LENGTH:
        expected = f"a name of 1 to {MAX_KEY_LENGTH} printable characters"
        raise DatasetError(f"{path}: key {key[:MAX_KEY_LENGTH]!r} is no name of a column; expected {expected}.")
    return key
