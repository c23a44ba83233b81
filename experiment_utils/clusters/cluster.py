"""The contract of a cluster, and which class is meant by a file's `kind`."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol

from experiment_utils.clusters.config import SshCluster, read_cluster
from experiment_utils.clusters.nodes import Nodes


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One line of `check`; `problem` says what to do."""

    about: str
    facts: str
    problem: str = ""


class Cluster(Protocol):
    """Machines that can become a Ray cluster. Whatever `up` made, `down` ends and looks for afterwards."""

    name: str

    def check(self) -> list[Finding]:
        """Whether `up` would work; writes nothing."""
        ...

    def plan(self) -> list[str]:
        """What `up` would do, and what an hour costs."""
        ...

    def is_up(self) -> bool: ...

    def up(self) -> None:
        """Starts what is missing; what runs already goes on."""
        ...

    def down(self) -> list[str]:
        """Ends everything; what is still there afterwards, as lines."""
        ...

    def status(self) -> list[str]: ...

    def nodes(self) -> Nodes:
        """Its hosts; ConfigError where it is not up."""
        ...


def cluster_of(
    path: Path, kind: Literal["ssh", "ec2"] | None = None, changes: Mapping[str, Any] | None = None
) -> Cluster:
    """What the file at `path` describes, but for `changes` of single fields."""
    config = dataclasses.replace(read_cluster(path, kind), **changes or {})
    if isinstance(config, SshCluster):
        from experiment_utils.clusters.ssh_cluster import SshHosts

        return SshHosts(config)
    from experiment_utils.clusters.ec2_cluster import Ec2Instances  # boto3, where it is needed

    return Ec2Instances(config)
