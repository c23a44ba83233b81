"""Where results are kept when machines share no folder: scheme of the address -> "module:Class"."""

import re
from pathlib import Path

from experiment_utils.stores.store import Store as Store
from lifelong_rl.config import ConfigError, resolve

STORES = {
    "file": "experiment_utils.stores.local:LocalStore",
    "s3": "experiment_utils.stores.s3:S3Store",
    "ssh": "experiment_utils.stores.rsync:RsyncStore",
}


def store_of(url: str) -> Store:
    """The store at `s3://bucket/prefix`, `ssh://user@host/folder`, or in a folder; one address is one experiment's."""
    scheme = match[1] if (match := re.match(r"([a-z0-9]+)://", url)) else "file"
    if scheme not in STORES:
        raise ConfigError(f"store {url!r}: unknown kind {scheme!r}. Valid: {', '.join(sorted(STORES))}, or a folder.")
    store: Store = resolve(STORES[scheme])(url)
    return store


def store_address(url: str, experiment_dir: Path) -> str:
    """Of an experiment within what `--store` names: its own folder there."""
    return f"{url.rstrip('/')}/{experiment_dir.name}"
