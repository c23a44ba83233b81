"""Columns of an HDF5 file that lie in the file itself, in formats that h5py reads without help from elsewhere."""

import math
from collections.abc import Iterator
from pathlib import Path

import h5py

from lifelong_rl.data.datasets.errors import DatasetError, check_key, naming
from lifelong_rl.data.datasets.limits import MAX_COLUMNS, Extent, check_extents

LZF = 32000
BUILT_IN_FILTERS = {
    h5py.h5z.FILTER_DEFLATE, h5py.h5z.FILTER_SHUFFLE, h5py.h5z.FILTER_FLETCHER32, h5py.h5z.FILTER_SZIP,
    h5py.h5z.FILTER_NBIT, h5py.h5z.FILTER_SCALEOFFSET, LZF,
}  # fmt: skip
MAX_SOFT_LINKS = 8  # one after another


def hdf5_columns(path: Path, file: h5py.File) -> dict[str, h5py.Dataset]:
    """All columns, none of them read yet; `metadata`, which public files have, is not even opened."""
    columns = dict(_columns(path, file, ""))
    check_extents(path, {key: extent_of(column) for key, column in columns.items()})
    return columns


def _columns(path: Path, group: h5py.Group, prefix: str) -> Iterator[tuple[str, h5py.Dataset]]:
    if len(group) > MAX_COLUMNS:
        raise DatasetError(f"{path}: holds {len(group)} columns; expected at most {MAX_COLUMNS}.")
    for name in group:
        key = check_key(path, prefix + name)
        if key == "metadata":
            continue
        with naming(path, key):
            item = follow(path, key, group, name)
            if isinstance(item, h5py.Group) and key == "infos":
                yield from _columns(path, item, "infos/")
            else:
                check_column(path, key, item)
                yield key, item


def follow(path: Path, key: str, group: h5py.Group, name: str) -> h5py.HLObject:
    """What a name stands for. Soft links are walked one name at a time, since any of these may lead out of the file."""
    here, names, num_links = group, [name], 0
    while names:
        step = names.pop(0)
        kind = here.id.links.get_info(step.encode("utf-8", "surrogateescape")).type
        if kind == h5py.h5l.TYPE_SOFT:
            target, num_links = here.get(step, getlink=True).path, num_links + 1
            if num_links > MAX_SOFT_LINKS:
                raise DatasetError(f"{path}: {key!r} is a link to links without end; expected the data themselves.")
            here = group.file if target.startswith("/") else here
            names = [part for part in target.split("/") if part not in ("", ".")] + names
        elif kind == h5py.h5l.TYPE_HARD:
            here = here[step]
        else:
            link = "an external link" if kind == h5py.h5l.TYPE_EXTERNAL else f"a user-defined link (type {kind})"
            raise DatasetError(f"{path}: {key!r} is or leads through {link}; expected data in this file.")
    return here


def check_column(path: Path, key: str, item: h5py.HLObject) -> None:
    """Refuses what is no numbers, or lies elsewhere, or needs a plugin to be read."""
    if not isinstance(item, h5py.Dataset) or item.dtype is None or not item.ndim:
        raise DatasetError(f"{path}: {key!r} is no column; expected a dataset of shape (rows, ...) in this file.")
    if item.external or item.is_virtual:
        where = "virtual, made of other files" if item.is_virtual else f"external, in the file {item.external[0][0]!r}"
        raise DatasetError(f"{path}: {key!r} has data that are {where}; expected data in this file.")
    if item.dtype.hasobject:
        text = f"holds {item.dtype} (ragged rows, text or references)"
        raise DatasetError(f"{path}: {key!r} {text}; expected numbers of shape {item.shape}.")

    properties = item.id.get_create_plist()
    for place in range(properties.get_nfilters()):
        number, _, _, name = properties.get_filter(place)
        if number not in BUILT_IN_FILTERS:
            label = f"{number} {name.decode('utf-8', 'replace')!r}" if name else f"{number}"
            wanted = "gzip, lzf, szip, shuffle, fletcher32, scaleoffset or nbit"
            raise DatasetError(f"{path}: {key!r} needs the filter plugin {label}; expected {wanted}.")
    if item.size and not item.id.get_storage_size():
        raise DatasetError(f"{path}: {key!r} of shape {item.shape} was never written; expected data.")


def extent_of(dataset: h5py.Dataset) -> Extent:
    """What it declares is whole chunks, since the library unpacks whole ones."""
    shape = dataset.shape
    if dataset.chunks:
        shape = [-(-size // chunk) * chunk for size, chunk in zip(shape, dataset.chunks, strict=True)]
    return Extent(declared=math.prod(shape) * dataset.dtype.itemsize, stored=dataset.id.get_storage_size())
