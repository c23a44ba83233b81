"""The one file that says what a cluster is, `kind: ssh` with hosts or `kind: ec2` with instances: data, checked."""

import ipaddress
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, cast

import yaml

from lifelong_rl.config import ConfigError, from_dict, unknown

MAX_FILE_BYTES = 64 * 1024
MAX_DEPTH = 2
NAME = r"[a-z][a-z0-9-]{0,29}"
HOST = r"([A-Za-z_][A-Za-z0-9_.-]*@)?[A-Za-z0-9][A-Za-z0-9.-]*"  # a name, an alias of ~/.ssh/config or an IPv4 address
PATH = r"[A-Za-z0-9._~/][A-Za-z0-9._/+-]*"  # no space, no quote, nothing that a shell would take for its own
FOLDER = r"(~/)?[A-Za-z0-9._/][A-Za-z0-9._/+-]*"
INSTANCE_TYPE = r"[a-z][a-z0-9-]*\.[a-z0-9-]+"
IMAGE = r"ami-[0-9a-f]{8,17}"
PACKAGE = r"[A-Za-z0-9][A-Za-z0-9._=<>~!\[\],-]*"
REGION = r"[a-z]{2}(-[a-z]+)+-\d"
STORE = r"s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/[A-Za-z0-9._/-]+)?"
PORTS = range(1024, 60_000)  # where Ray's block of ports may begin


@dataclass(frozen=True, kw_only=True)
class SshCluster:
    """Hosts that are reached by ssh without a password; the first of them is Ray's head."""

    name: str
    hosts: tuple[str, ...]
    port: int | None = None  # None: as ~/.ssh/config says, or 22
    identity: str | None = None  # a private key's file here; None: as ~/.ssh/config says, or the agent's
    known_hosts: str | None = None  # None: ~/.ssh/known_hosts
    python: str = "python3"  # of each host: the one of a virtual environment that has the packages
    folder: str = "lifelong_rl"  # for code and logs, on each host, from the home directory
    first_port: int = 26379  # Ray takes this and the 399 after it
    min_disk_gb: float = 10.0

    def __post_init__(self) -> None:
        _check_name(self.name)
        if not self.hosts:
            raise ConfigError("hosts must name at least one host, got none.")
        for host in self.hosts:
            _check("hosts", host, HOST, "a host as in user@machine.example.org")
        if len(set(self.hosts)) < len(self.hosts):
            raise ConfigError(f"hosts must differ, got {', '.join(self.hosts)}.")
        if self.port is not None and not 0 < self.port < 65_536:
            raise ConfigError(f"port must lie in 1 to 65535, got {self.port}.")
        _check("python", self.python, PATH, "an absolute path as in /home/me/.venv/bin/python")
        _check("folder", self.folder, FOLDER, "a path of letters, digits and . _ - + /")
        _check_ports(self.first_port)


@dataclass(frozen=True, kw_only=True)
class Ec2Cluster:
    """An on-demand head that also works, and workers that may be spot instances. Every instance ends itself."""

    name: str
    region: str = "us-east-1"
    instance_type: str = "c6i.2xlarge"  # of the workers
    head_instance_type: str = "m6i.large"
    num_instances: int = 2  # workers
    spot: bool = True  # workers only
    max_price: float | None = None  # dollars an hour for one spot instance; None: at most the on-demand price
    max_hours: float = 12.0  # after which each instance ends itself, whatever happens here
    image: str | None = None  # None: the newest Ubuntu 24.04; with GPUs name one that has a driver
    user: str = "ubuntu"  # who may log in to that image
    disk_gb: int = 60
    python: str = "3.11"  # the same as here: Ray wants it so
    packages: tuple[str, ...] = ()  # for pip, beside those of lifelong_rl
    store: str | None = None  # s3://bucket/prefix: instances may read and write there, and nothing else
    instance_profile: str | None = None  # yours, in place of one made for `store`
    subnet: str | None = None  # None: the default one
    ssh_from: str | None = None  # who may log in, as 203.0.113.7/32; None: the address that this machine is seen by
    first_port: int = 26379

    def __post_init__(self) -> None:
        _check_name(self.name)
        _check("region", self.region, REGION, "a region as in us-east-1")
        _check("instance_type", self.instance_type, INSTANCE_TYPE, "a type as in c6i.2xlarge")
        _check("head_instance_type", self.head_instance_type, INSTANCE_TYPE, "a type as in m6i.large")
        _check("user", self.user, r"[a-z_][a-z0-9_-]*", "a user's name as in ubuntu")
        _check("python", self.python, r"3\.\d{1,2}", "a version as in 3.11")
        for value, field, pattern, what in (
            (self.image, "image", IMAGE, "an image as in ami-0123456789abcdef0"),
            (self.store, "store", STORE, "s3://bucket/prefix"),
            (self.instance_profile, "instance_profile", r"[\w+=,.@-]{1,128}", "an instance profile's name"),
            (self.subnet, "subnet", r"subnet-[0-9a-f]{8,17}", "a subnet as in subnet-0123456789abcdef0"),
            *((package, "packages", PACKAGE, "a requirement as in scipy==1.14") for package in self.packages),
        ):
            if value is not None:
                _check(field, value, pattern, what)
        if self.ssh_from is not None:
            _check_network(self.ssh_from)
        if self.num_instances < 0:
            raise ConfigError(f"num_instances must be 0 (the head alone) or more, got {self.num_instances}.")
        if not 0 < self.max_hours <= 24 * 14:
            raise ConfigError(f"max_hours must lie in 0 to 336 (two weeks), got {self.max_hours}.")
        if self.max_price is not None and self.max_price <= 0:
            raise ConfigError(f"max_price must be above 0 dollars an hour, got {self.max_price}.")
        if self.disk_gb < 20:
            raise ConfigError(f"disk_gb must be at least 20, got {self.disk_gb}.")
        _check_ports(self.first_port)


KINDS: dict[str, type[SshCluster] | type[Ec2Cluster]] = {"ssh": SshCluster, "ec2": Ec2Cluster}


def read_cluster(path: Path, kind: Literal["ssh", "ec2"] | None = None) -> SshCluster | Ec2Cluster:
    """What stands in `path`; with `kind`, only a cluster of that kind."""
    values = _plain_yaml(path)
    given = values.pop("kind", None)
    if given not in KINDS:
        raise ConfigError(unknown(str(path), "kind", given, KINDS))
    if kind is not None and given != kind:
        raise ConfigError(f"{path} is of kind {given}; --mode {kind} needs a file of `scripts/cluster.py init {kind}`.")
    return from_dict(KINDS[str(given)], values, str(path))


def read_ec2(path: Path) -> Ec2Cluster:
    """The same, of kind ec2."""
    return cast(Ec2Cluster, read_cluster(path, "ec2"))


def _plain_yaml(path: Path) -> dict[str, object]:
    """Scalars, lists and dicts: no tags, no anchors, no long files."""
    if not path.is_file():
        raise ConfigError(
            f"{path} does not exist. Make it with: python scripts/cluster.py init ssh --output {path} (or: init ec2)"
        )
    if path.stat().st_size > MAX_FILE_BYTES:
        raise ConfigError(f"{path} has {path.stat().st_size} bytes; a cluster's file has at most {MAX_FILE_BYTES}.")
    try:
        text, depth = path.read_text(encoding="utf-8"), 0
        for event in yaml.parse(text, Loader=yaml.SafeLoader):
            depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            if getattr(event, "tag", None) or getattr(event, "anchor", None) or depth > MAX_DEPTH:
                raise ConfigError(f"{path}: tags (!), anchors (&, *) and lists in lists are not for this file.")
        values = yaml.safe_load(text)
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} is not YAML: {' '.join(str(error).split())[:200]}.") from None
    if not isinstance(values, dict):
        raise ConfigError(f"{path} must hold `key: value` lines, got {type(values).__name__}.")
    return values


def _check_name(name: str) -> None:
    _check("name", name, NAME, "a lower-case letter, then up to 29 letters, digits and '-'")


def _check(field: str, value: str, pattern: str, what: str) -> None:
    if not re.fullmatch(pattern, value, re.ASCII):
        raise ConfigError(f"{field}: expected {what}, got {value!r}.")


def _check_network(text: str) -> None:
    try:
        network = ipaddress.IPv4Network(text)
    except ValueError:
        raise ConfigError(f"ssh_from: expected a network as in 203.0.113.7/32, got {text!r}.") from None
    if network.prefixlen < 16:
        raise ConfigError(f"ssh_from: {text} lets {network.num_addresses} addresses in; at most a /16 may.")


def _check_ports(first_port: int) -> None:
    if first_port not in PORTS or first_port in range(9_600, 20_000):  # Ray's own default range of workers
        raise ConfigError(f"first_port must lie in 1024 to 59999, outside 9600 to 19999 (Ray's), got {first_port}.")
