"""Files of clusters: data that is checked, in which nothing can hide; and what is made of them."""

import json
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from experiment_utils.clusters import on_host
from experiment_utils.clusters.cluster import cluster_of
from experiment_utils.clusters.config import Ec2Cluster, SshCluster, read_cluster
from experiment_utils.clusters.ec2_rights import policy
from experiment_utils.clusters.ec2_start import start_script
from experiment_utils.clusters.hosts import Login
from experiment_utils.clusters.state import state_folder, token_file
from experiment_utils.launchers.options import Options
from experiment_utils.launchers.sky import SkyLauncher, task_of
from experiment_utils.launchers.ssh import SshLauncher
from lifelong_rl.config import ConfigError, from_dict
from scripts.cluster import main

HOSTILE_HOSTS = [
    "-oProxyCommand=touch canary", "a;touch canary", "a b", "$(touch canary)", "`id`", "a\nb", "", "a|b", "a'b", "a\\b",
    "user@-oProxyCommand=x", "@host", "a/b", "a&b", "ho*st", "host\n",
]  # fmt: skip
HOSTILE_PATHS = ["python;id", "py thon", "-c", "$(id)", "`id`", "a|b", "'", '"', "a>b", "a&b", "a\nb", "", "a*"]


@pytest.fixture(autouse=True)
def own_state(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "lab.yaml"
    path.write_text(text)
    return path


@pytest.mark.parametrize("host", HOSTILE_HOSTS)
def test_a_host_is_a_name_and_nothing_else(host):
    with pytest.raises(ConfigError, match="hosts"):
        SshCluster(name="lab", hosts=(host,))


@pytest.mark.parametrize("path", HOSTILE_PATHS)
def test_paths_hold_nothing_that_a_shell_would_take_for_its_own(path):
    with pytest.raises(ConfigError, match="python"):
        SshCluster(name="lab", hosts=("a",), python=path)
    with pytest.raises(ConfigError, match="folder"):
        SshCluster(name="lab", hosts=("a",), folder=path)


def test_ordinary_hosts_and_paths_are_taken():
    hosts = ("localhost", "me@gpu-3.cs.example.org", "10.0.0.7", "lab2")
    cluster = SshCluster(name="lab", hosts=hosts, python="~/repo/.venv/bin/python3.11", folder="/scratch/me/rl")
    assert cluster.hosts == hosts


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("kind: shh\nname: lab", "unknown kind 'shh'. Did you mean 'ssh'? Valid: ec2, ssh."),
        ("kind: ssh\nname: lab\nhost: [a]", "unknown key 'host'. Did you mean 'hosts'?"),
        ("kind: ssh\nname: lab", "lacks 'hosts'"),
        ("kind: ssh\nname: lab\nhosts: a", "hosts must be a list"),
        ("kind: ssh\nname: lab\nhosts: []", "at least one host"),
        ("kind: ssh\nname: lab\nhosts: [a, a]", "must differ"),
        ("kind: ssh\nname: Lab 1\nhosts: [a]", "name: expected a lower-case letter"),
        ("kind: ssh\nname: lab\nhosts: [a]\nport: 70000", "port must lie in 1 to 65535, got 70000"),
        ("kind: ssh\nname: lab\nhosts: [a]\nfirst_port: 16379", "first_port must lie in"),
        ("kind: ssh\nname: !!python/object/apply:os.system ['id']\nhosts: [a]", "tags (!), anchors"),
        ("kind: ssh\nname: &a lab\nhosts: [*a]", "tags (!), anchors"),
        ("kind: ssh\nname: lab\nname: [", "is not YAML"),
        ("- ssh", "must hold `key: value` lines, got list"),
        ("", "must hold `key: value` lines, got NoneType"),
        ("x: '" + "a" * 70_000 + "'", "has at most 65536"),
        ("kind: ec2\nname: sweep\nmax_hours: 0", "max_hours must lie in 0 to 336"),
        ("kind: ec2\nname: sweep\nssh_from: 0.0.0.0/0", "at most a /16 may"),
        ("kind: ec2\nname: sweep\nssh_from: here", "ssh_from: expected a network"),
        ("kind: ec2\nname: sweep\nstore: http://x", "store: expected s3://bucket/prefix"),
        ("kind: ec2\nname: sweep\npackages: ['x; id']", "packages: expected a requirement"),
        ("kind: ec2\nname: sweep\ninstance_type: big", "instance_type: expected a type as in c6i.2xlarge"),
        ("kind: ec2\nname: sweep\nmax_price: -1", "max_price must be above 0"),
    ],
)
def test_a_wrong_file_is_refused_in_one_line(tmp_path, capsys, text, said):
    assert main(["status", str(written(tmp_path, text))]) == 2
    error = capsys.readouterr().err
    assert said in error and error.count("\n") == 1


def test_a_deep_file_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="lists in lists"):
        read_cluster(written(tmp_path, "kind: " + "[" * 30_000))


def test_init_writes_a_whole_file_once(tmp_path, capsys):
    path = tmp_path / "clusters" / "lab.yaml"
    assert main(["init", "ssh", "--output", str(path)]) == 0
    cluster = read_cluster(path)
    assert cluster == SshCluster(name="lab", hosts=("localhost",), python=sys.executable)
    assert "{" not in path.read_text()

    assert main(["init", "ssh", "--output", str(path)]) == 2
    assert "exists already" in capsys.readouterr().err
    assert main(["init", "shh", "--output", str(tmp_path / "other.yaml")]) == 2
    assert "Did you mean 'ssh'?" in capsys.readouterr().err


def test_a_file_of_the_other_kind_is_refused_by_mode(tmp_path):
    with pytest.raises(ConfigError, match="is of kind ssh; --mode ec2 needs a file of `scripts/cluster.py init ec2`"):
        cluster_of(written(tmp_path, "kind: ssh\nname: lab\nhosts: [a]"), "ec2")


def test_mode_ssh_without_hosts_says_how_to_make_the_file():
    with pytest.raises(ConfigError, match="needs --hosts FILE; make one with: python scripts/cluster.py init ssh"):
        SshLauncher(Options()).check()


def test_the_token_is_for_this_user_alone_and_stays_the_same():
    token = token_file("lab")
    assert token.stat().st_mode & 0o777 == 0o600
    assert state_folder("lab").stat().st_mode & 0o777 == 0o700
    assert len(token.read_text()) == 64
    assert token_file("lab").read_text() == token.read_text()


def test_ssh_never_asks_and_ends_its_options_before_the_host():
    options = Login(port=2222, identity="/keys/a b", known_hosts="/keys/known hosts").options()
    assert "BatchMode=yes" in options
    assert options[options.index("-i") + 1] == "/keys/a b"
    assert 'UserKnownHostsFile="/keys/known hosts"' in options
    assert "StrictHostKeyChecking=accept-new" not in options


def test_a_request_to_a_host_is_data_whatever_it_holds(tmp_path):
    folder = tmp_path / "a'b\"; touch canary $(touch canary) \\"
    request = {"action": "make_folder", "folder": str(folder)}
    program = f"{Path(on_host.__file__).read_text()}\nmain({json.dumps(request)!r})\n"
    ended = subprocess.run([sys.executable, "-"], input=program, cwd=tmp_path, capture_output=True, text=True)
    assert json.loads(ended.stdout.splitlines()[-1]) == {"folder": str(folder)}
    assert [path.name for path in tmp_path.iterdir()] == [folder.name]


def test_the_rights_of_a_store_end_at_its_prefix():
    files, listing = policy("s3://bucket/a/b")["Statement"]
    assert files["Resource"] == "arn:aws:s3:::bucket/a/b/*"
    assert listing["Condition"]["StringLike"]["s3:prefix"] == ["a/b", "a/b/*"]
    assert not any("*" in action for action in files["Action"])


def test_packages_stand_in_the_start_script_as_single_words():
    config = from_dict(Ec2Cluster, {"name": "sweep", "packages": ["jax[cuda12]>=0.4,<1"]})
    (line,) = [line for line in start_script(config).splitlines() if line.startswith("uv pip install")]
    assert "jax[cuda12]>=0.4,<1" in shlex.split(line)


def test_a_task_of_sky_is_one_yaml_whose_command_is_quoted():
    options = Options(store="s3://bucket/a b", spot=True, gpus=1, max_hours=2.0, num_cpu=4)
    task = yaml.safe_load(yaml.safe_dump(task_of("sweep", options, [Path("data/exp/run-s0"), Path("data/exp/run-s1")])))
    assert task["resources"] == {"use_spot": True, "cpus": "4+", "accelerators": ["T4:1", "L4:1", "A10G:1"]}
    words = shlex.split(task["run"])
    assert words[:4] == ["timeout", "--signal=TERM", "--kill-after=120", "7200"]
    assert words[words.index("--store") + 1] == "s3://bucket/a b/exp"
    assert words[-2:] == ["runs/exp/run-s0", "runs/exp/run-s1"]


def test_sky_that_is_not_installed_is_one_line(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ConfigError, match="pipx install"):
        SkyLauncher(Options(store="s3://bucket/x")).check()
