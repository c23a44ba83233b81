"""What an instance does when it starts: it sets its own end, then installs Python and the packages."""

import shlex
import tomllib

from experiment_utils.checkout import ROOT
from experiment_utils.clusters.config import Ec2Cluster
from experiment_utils.clusters.versions import version_of

PYTHON = "/opt/lifelong_rl/venv/bin/python"
STATE = "/var/lib/lifelong_rl"
SCRIPT = """\
#!/bin/bash
# {name}: made by lifelong_rl. $PREFIX is for trying this script elsewhere.
set -euo pipefail
shutdown -h +{minutes} "the cluster's max_hours are over"

base="${{PREFIX:-}}/opt/lifelong_rl" state="${{PREFIX:-}}{state}"
mkdir -p "$base" "$state"
exec >"$state/start.log" 2>&1
trap 'echo failed >"$state/state"' ERR

export DEBIAN_FRONTEND=noninteractive UV_PYTHON_INSTALL_DIR="$base/python" UV_CACHE_DIR="$base/cache"
apt-get update
apt-get install -y --no-install-recommends python3-venv rsync
python3 -m venv "$base/uv"
export PATH="$base/uv/bin:$PATH"
pip install uv
uv venv --python {python} "$base/venv"
uv pip install --python "$base/venv/bin/python" --torch-backend=auto {packages}
rm -rf "$base/cache"
echo ready >"$state/state"
"""


def start_script(config: Ec2Cluster) -> str:
    """As user data, which anyone on the instance can read: it holds no secret."""
    return SCRIPT.format(
        name=config.name, minutes=max(1, round(config.max_hours * 60)), state=STATE, python=config.python,
        packages=" ".join(map(shlex.quote, [*packages(), *config.packages])),
    )  # fmt: skip


def packages() -> list[str]:
    """The project's own dependencies; torch and Ray in the versions that are installed here."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    exact = {name: (version_of(name) or "").partition("+")[0] for name in ("torch", "ray")}
    others = [line for line in project["dependencies"] if not line.startswith("torch")]
    return [f"torch=={exact['torch']}", f"ray[client]=={exact['ray']}", "boto3", *others]
