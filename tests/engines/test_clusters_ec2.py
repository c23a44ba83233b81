"""Instances of EC2 as a real moto server sees them, and their start script, run for real in a folder."""

import json
import os
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest
import yaml

from experiment_utils.clusters.config import Ec2Cluster, read_cluster
from experiment_utils.clusters.ec2 import list_instances
from experiment_utils.clusters.ec2_cluster import Ec2Instances
from experiment_utils.clusters.ec2_start import start_script
from lifelong_rl.config import ConfigError
from scripts.cluster import main

pytestmark = pytest.mark.engines
CALLER = "203.0.113.7/32"
IMAGE = "ami-12c6146b"  # one of moto's


@pytest.fixture(scope="module")
def endpoint():
    pytest.importorskip("boto3")
    server = pytest.importorskip("moto.server").ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture(autouse=True)
def account(endpoint, tmp_path, monkeypatch):
    urllib.request.urlopen(urllib.request.Request(f"{endpoint}/moto-api/reset", method="POST"), timeout=10)
    for name, value in {
        "AWS_ENDPOINT_URL": endpoint, "AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_CONFIG_FILE": str(tmp_path / "none"), "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "none"),
        "XDG_STATE_HOME": str(tmp_path / "state"), "AWS_EC2_METADATA_DISABLED": "true",
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)


@pytest.fixture
def ec2(account):
    import boto3

    return boto3.client("ec2", region_name="us-east-1")


def config_of(**changes: object) -> Ec2Cluster:
    values = {"name": "sweep", "image": IMAGE, "ssh_from": CALLER, "num_instances": 2, "max_hours": 3.0, **changes}
    return Ec2Cluster(**values)


def file_of(config: Ec2Cluster, path: Path) -> Path:
    values = {"kind": "ec2", "name": config.name, "image": config.image, "ssh_from": CALLER, "num_instances": 2}
    path.write_text(yaml.safe_dump(values))
    return path


def test_the_head_is_on_demand_and_workers_are_spot_at_the_highest_price_given(ec2):
    Ec2Instances(config_of(max_price=0.21)).launch()

    head, *workers = list_instances(ec2, "sweep")
    assert head["InstanceType"] == "m6i.large" and "InstanceLifecycle" not in head
    assert [worker["InstanceType"] for worker in workers] == ["c6i.2xlarge"] * 2
    assert {worker["InstanceLifecycle"] for worker in workers} == {"spot"}


def test_every_instance_bears_the_tag_asks_for_session_tokens_and_ends_itself(ec2):
    Ec2Instances(config_of()).launch()

    for instance in list_instances(ec2, "sweep"):
        assert {"Key": "lifelong_rl-cluster", "Value": "sweep"} in instance["Tags"]
        assert instance["MetadataOptions"]["HttpTokens"] == "required"
        identity = instance["InstanceId"]
        behaviour = ec2.describe_instance_attribute(InstanceId=identity, Attribute="instanceInitiatedShutdownBehavior")
        assert behaviour["InstanceInitiatedShutdownBehavior"]["Value"] == "terminate"


def test_nothing_comes_in_but_ssh_from_the_caller_and_ray_from_the_cluster(ec2):
    cluster = Ec2Instances(config_of())
    cluster.launch()
    cluster.launch()  # nothing is added the second time

    group = ec2.describe_security_groups(Filters=[{"Name": "tag:lifelong_rl-cluster", "Values": ["sweep"]}])
    (group,) = group["SecurityGroups"]
    rules = {rule["FromPort"]: rule for rule in group["IpPermissions"]}
    assert sorted(rules) == [22, 26379]
    assert rules[22]["ToPort"] == 22 and [one["CidrIp"] for one in rules[22]["IpRanges"]] == [CALLER]
    assert rules[26379]["IpRanges"] == [] and rules[26379]["ToPort"] == 26778
    assert [pair["GroupId"] for pair in rules[26379]["UserIdGroupPairs"]] == [group["GroupId"]]
    assert all(not rule["Ipv6Ranges"] for rule in group["IpPermissions"])
    assert len(list_instances(ec2, "sweep")) == 3


def test_a_worker_that_was_taken_away_is_replaced(ec2):
    cluster = Ec2Instances(config_of())
    cluster.launch()
    lost = list_instances(ec2, "sweep")[1]["InstanceId"]
    ec2.terminate_instances(InstanceIds=[lost])
    assert len(list_instances(ec2, "sweep", ("running",))) == 2

    cluster.launch()

    running = [instance["InstanceId"] for instance in list_instances(ec2, "sweep", ("running",))]
    assert len(running) == 3 and lost not in running


def test_instances_may_touch_the_store_and_nothing_else(ec2):
    import boto3

    cluster = Ec2Instances(config_of(store="s3://my-bucket/sweeps/one"))
    cluster.launch()

    iam = boto3.client("iam", region_name="us-east-1")
    assert iam.list_attached_role_policies(RoleName="lifelong_rl-sweep")["AttachedPolicies"] == []
    assert iam.list_role_policies(RoleName="lifelong_rl-sweep")["PolicyNames"] == ["store"]
    rights = iam.get_role_policy(RoleName="lifelong_rl-sweep", PolicyName="store")["PolicyDocument"]["Statement"]
    assert {right["Resource"] for right in rights} == {"arn:aws:s3:::my-bucket/sweeps/one/*", "arn:aws:s3:::my-bucket"}
    assert all(action.startswith("s3:") for action in [*rights[0]["Action"], rights[1]["Action"]])
    assert rights[1]["Condition"] == {"StringLike": {"s3:prefix": ["sweeps/one", "sweeps/one/*"]}}

    assert cluster.down() == []
    assert [role for role in iam.list_roles()["Roles"] if role["RoleName"] == "lifelong_rl-sweep"] == []


def test_without_a_store_instances_have_no_rights_at_all(ec2):
    Ec2Instances(config_of()).launch()
    assert all("IamInstanceProfile" not in instance for instance in list_instances(ec2, "sweep"))


def test_down_leaves_nothing_with_the_tag_and_touches_nothing_without_it(ec2, tmp_path, capsys):
    config = config_of()
    Ec2Instances(config).launch()
    other = ec2.run_instances(ImageId=config.image, MinCount=1, MaxCount=1)["Instances"][0]["InstanceId"]

    assert main(["down", str(file_of(config, tmp_path / "ec2.yaml"))]) == 0

    assert "nothing of it is left" in capsys.readouterr().out
    assert list_instances(ec2, "sweep") == []
    assert ec2.describe_instances(InstanceIds=[other])["Reservations"][0]["Instances"][0]["State"]["Name"] == "running"
    assert ec2.describe_key_pairs()["KeyPairs"] == []
    assert not (tmp_path / "state" / "lifelong_rl" / "clusters" / "sweep").exists()


def test_down_lists_what_it_could_not_end(ec2, tmp_path, capsys):
    config = config_of()
    Ec2Instances(config).launch()
    tags = [{"ResourceType": "volume", "Tags": [{"Key": "lifelong_rl-cluster", "Value": "sweep"}]}]
    volume = ec2.create_volume(AvailabilityZone="us-east-1a", Size=1, TagSpecifications=tags)["VolumeId"]

    assert main(["down", str(file_of(config, tmp_path / "ec2.yaml"))]) == 1
    assert volume in capsys.readouterr().out


def test_check_and_plan_say_what_it_costs(ec2, tmp_path, capsys):
    path = file_of(config_of(), tmp_path / "ec2.yaml")
    python = ".".join(map(str, sys.version_info[:2]))
    path.write_text(path.read_text() + f"python: '{python}'\nspot: false\n")

    assert main(["check", str(path)]) == 0
    assert main(["up", str(path)]) == 2  # nobody to ask
    said = capsys.readouterr().out
    assert "worker: 2 x c6i.2xlarge on demand in us-east-1, $0.340 an hour each" in said
    assert "together $0.78 an hour, at most $9.31 in the 12 hours" in said
    assert "nothing was started" in said
    assert list_instances(ec2, "sweep") == []


def test_without_credentials_one_line_says_so(ec2, tmp_path, monkeypatch, capsys):
    path = file_of(config_of(), tmp_path / "ec2.yaml")
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    assert main(["check", str(path)]) == 2
    assert capsys.readouterr().err == "no AWS credentials: aws configure, or set AWS_PROFILE.\n"


def test_an_unknown_image_is_refused_before_anything_is_made(ec2):
    with pytest.raises(ConfigError, match="image"):
        Ec2Instances(config_of(image="ami-00000000")).check()
    assert list_instances(ec2, "sweep") == []


PROGRAMS = ("shutdown", "apt-get", "python3", "pip", "uv")


def run_start_script(tmp_path: Path, script: str, failing: str = "") -> tuple[subprocess.CompletedProcess[str], list]:
    """With programs that write down what they were told; one of them may fail."""
    programs, calls = tmp_path / "programs", tmp_path / "calls"
    programs.mkdir()
    for name in PROGRAMS:
        ends = 1 if name == failing else 0
        record = f'import json, sys; print(json.dumps(["{name}", *sys.argv[1:]]), file=open({str(calls)!r}, "a"))'
        (programs / name).write_text(f"#!{sys.executable}\n{record}\nsys.exit({ends})\n")
        (programs / name).chmod(0o755)
    variables = {"PATH": f"{programs}:{os.environ['PATH']}", "PREFIX": str(tmp_path / "root")}
    ended = subprocess.run(["bash"], input=script, env=variables, capture_output=True, text=True, timeout=60)
    return ended, [json.loads(line) for line in calls.read_text().splitlines()]


def test_the_start_script_sets_the_end_before_all_else_and_installs(tmp_path):
    config = Ec2Cluster(name="sweep", max_hours=2.5, packages=("scipy>=1.11,<2",), python="3.11")
    ended, calls = run_start_script(tmp_path, start_script(config))

    assert ended.returncode == 0, ended.stderr
    assert calls[0][:3] == ["shutdown", "-h", "+150"]
    assert ["apt-get", "install", "-y", "--no-install-recommends", "python3-venv", "rsync"] in calls
    (installed,) = [call for call in calls if call[:3] == ["uv", "pip", "install"]]
    assert "scipy>=1.11,<2" in installed and any(word.startswith("ray[client]==") for word in installed)
    assert any(word.startswith("torch==") and "+" not in word for word in installed)
    assert (tmp_path / "root/var/lib/lifelong_rl/state").read_text() == "ready\n"


def test_a_start_script_that_fails_says_so(tmp_path):
    config = Ec2Cluster(name="sweep")
    ended, calls = run_start_script(tmp_path, start_script(config), failing="uv")
    assert ended.returncode != 0
    assert calls[0][0] == "shutdown"
    assert (tmp_path / "root/var/lib/lifelong_rl/state").read_text() == "failed\n"


def test_the_file_of_init_is_good_as_it_is(tmp_path, capsys):
    path = tmp_path / "my cloud.yaml"
    assert main(["init", "ec2", "--output", str(path)]) == 0
    config = read_cluster(path)
    assert isinstance(config, Ec2Cluster)
    assert config.name == "my-cloud" and config.spot
