"""What is written is there whole, under its name, or not at all."""

import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lifelong_rl.data.datasets.errors import DatasetError, one_line


@contextmanager
def whole(path: Path) -> Iterator[Path]:
    """A temporary name beside `path` for a file or a folder, which is renamed at the end and takes the old one's place.

    After an error nothing is left of it, and what was there before is still there.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary, aside = (path.with_name(f".{path.name}.{uuid.uuid4().hex}.{kind}") for kind in ("tmp", "old"))
    try:
        yield temporary
        if path.is_dir() or temporary.is_dir():  # a folder takes no other's place by itself
            if path.exists():
                path.rename(aside)
            temporary.rename(path)
            _remove(aside)
        else:
            os.replace(temporary, path)  # noqa: PTH105
    except RuntimeError as error:  # of HDF5, say where the disk is full
        raise DatasetError(f"{path}: cannot be written: {one_line(error)}") from error
    finally:
        _remove(temporary)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
