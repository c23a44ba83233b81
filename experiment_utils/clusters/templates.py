"""The files that `scripts/cluster.py init` writes: the one that its user edits, complete and explained."""

import re
import sys
from pathlib import Path

from lifelong_rl.config import ConfigError, unknown

SSH = """\
# Hosts that `ssh HOST` reaches from here without a password. This file is all there is to edit.
# Then: python scripts/cluster.py check {path}
kind: ssh
name: {name}

# The first is the head of Ray; all of them work. user@machine.example.org, or a name of your ~/.ssh/config.
hosts:
  - localhost

# Path of a Python {python} of every host that has lifelong_rl's packages: in a checkout there, after `make install`.
python: {executable}

# On each host, from the home directory: code, logs and results go there, data sets are read from FOLDER/agent_data.
folder: lifelong_rl

# Where ssh's own settings (~/.ssh/config) do not say it already:
port: null          # null: as in ~/.ssh/config, or 22
identity: null      # a private key's file here
known_hosts: null   # null: ~/.ssh/known_hosts

first_port: 26379   # Ray takes this and the 399 after it; they must be open between the hosts, and to nobody else
min_disk_gb: 10     # `check` complains below
"""

EC2 = """\
# Instances of Amazon EC2. This file is all there is to edit; it holds no credentials (boto3 finds yours).
# Then: python scripts/cluster.py check {path}
kind: ec2
name: {name}
region: us-east-1

head_instance_type: m6i.large   # on demand; it works too
instance_type: c6i.2xlarge      # of the workers; g6.xlarge has a GPU, and then name an image with its driver
num_instances: 2                # workers
spot: true                      # workers only. One that is taken away: its runs go on elsewhere
max_price: null                 # dollars an hour for a spot worker; null: up to the price on demand
max_hours: 12                   # each instance ends itself after that, whatever happens here
disk_gb: 60

# Instances may read and write below this address, and do nothing else in your account. null: no rights at all.
store: null                     # s3://my-bucket/lifelong_rl

image: null                     # null: the newest Ubuntu 24.04
user: ubuntu                    # who logs in to that image
python: "{python}"                  # installed there; the same as here
packages: []                    # for pip, beside those of lifelong_rl
instance_profile: null          # the name of your own, in place of one made for `store`
subnet: null                    # null: the default one; a subnet must give public addresses
ssh_from: null                  # who may log in, as 203.0.113.7/32; null: the address that this machine is seen by
first_port: 26379
"""

TEMPLATES = {"ssh": SSH, "ec2": EC2}


def write_template(kind: str, path: Path) -> None:
    """A file of `kind` at `path`, which must not exist."""
    if kind not in TEMPLATES:
        raise ConfigError(unknown("init", "kind", kind, TEMPLATES))
    if path.exists():
        raise ConfigError(f"{path} exists already; edit it, or name another with --output.")
    name = re.sub(r"[^a-z0-9]+", "-", path.stem.lower()).strip("-")[:30] or kind
    python = ".".join(map(str, sys.version_info[:2]))
    text = TEMPLATES[kind].format(
        path=path, name=name if name[0].isalpha() else f"c-{name}"[:30], python=python, executable=sys.executable
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
