"""The project's code, to every host of a cluster, under a name made of its content."""

import tempfile
from pathlib import Path

from experiment_utils.clusters.nodes import Nodes
from experiment_utils.code_archive import pack


def ship_code(nodes: Nodes) -> str:
    """The key under which it lies there."""
    with tempfile.TemporaryDirectory() as folder:
        archive = pack(Path(folder))
        key = archive.name.removesuffix(".tar.gz")
        nodes.ship(archive, key)
    return key
