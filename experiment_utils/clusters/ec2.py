"""What a cluster is made of in EC2, each thing tagged with its name: found, made if it is missing, taken away."""

import ipaddress
import subprocess
import urllib.error
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from experiment_utils.clusters.config import Ec2Cluster
from experiment_utils.clusters.ec2_start import start_script
from experiment_utils.clusters.nodes import NUM_PORTS
from lifelong_rl.config import ConfigError

TAG = "lifelong_rl-cluster"
ROLE_TAG = "lifelong_rl-role"  # head or worker
ALIVE = ("pending", "running", "stopping", "stopped", "shutting-down")
WHAT_IS_MY_ADDRESS = "https://checkip.amazonaws.com"
UBUNTU = "/aws/service/canonical/ubuntu/server/24.04/stable/current/amd64/hvm/ebs-gp3/ami-id"


def list_instances(ec2: Any, name: str, states: Sequence[str] = ALIVE) -> list[dict[str, Any]]:
    """By tag, the head first, then by identity."""
    filters = [*_tagged(name), {"Name": "instance-state-name", "Values": list(states)}]
    pages = ec2.get_paginator("describe_instances").paginate(Filters=filters)
    found = [instance for page in pages for group in page["Reservations"] for instance in group["Instances"]]
    return sorted(found, key=lambda instance: (role_of(instance) != "head", instance["InstanceId"]))


def role_of(instance: dict[str, Any]) -> str:
    """`head` or `worker`."""
    return next((tag["Value"] for tag in instance.get("Tags", ()) if tag["Key"] == ROLE_TAG), "worker")


def launch(
    ec2: Any, config: Ec2Cluster, role: str, count: int, *, image: dict[str, Any], group: str, profile: str | None
) -> None:
    """All `count` instances, or an error and none."""
    named = {TAG: config.name, ROLE_TAG: role, "Name": key_name(config.name)}
    tags = [{"Key": key, "Value": value} for key, value in named.items()]
    request: dict[str, Any] = {
        "ImageId": image["ImageId"], "MinCount": count, "MaxCount": count, "KeyName": key_name(config.name),
        "InstanceType": config.head_instance_type if role == "head" else config.instance_type,
        "SecurityGroupIds": [group], "UserData": start_script(config),
        "InstanceInitiatedShutdownBehavior": "terminate",  # so that the `shutdown` of the start script ends the bill
        "MetadataOptions": {"HttpTokens": "required", "HttpEndpoint": "enabled", "HttpPutResponseHopLimit": 1},
        "BlockDeviceMappings": [{
            "DeviceName": image["RootDeviceName"],
            "Ebs": {"VolumeSize": config.disk_gb, "VolumeType": "gp3", "DeleteOnTermination": True, "Encrypted": True},
        }],
        "TagSpecifications": [{"ResourceType": kind, "Tags": tags} for kind in ("instance", "volume")],
    }  # fmt: skip
    if config.subnet is not None:
        request["SubnetId"] = config.subnet
    if profile is not None:
        request["IamInstanceProfile"] = {"Name": profile}
    if role == "worker" and config.spot:
        options = {"SpotInstanceType": "one-time", "InstanceInterruptionBehavior": "terminate"}
        request["InstanceMarketOptions"] = {"MarketType": "spot", "SpotOptions": options}
        if config.max_price is not None:
            options["MaxPrice"] = f"{config.max_price:.4f}"
    ec2.run_instances(**request)


def image_of(session: Any, ec2: Any, config: Ec2Cluster) -> dict[str, Any]:
    """The image's identity and what it calls its disk."""
    wanted = config.image or session.client("ssm").get_parameter(Name=UBUNTU)["Parameter"]["Value"]
    found = ec2.describe_images(ImageIds=[wanted])["Images"]
    if not found:
        raise ConfigError(f"image: {wanted} is not one of {config.region}.")
    return {"ImageId": wanted, "RootDeviceName": found[0].get("RootDeviceName") or "/dev/sda1"}


def security_group(ec2: Any, config: Ec2Cluster, caller: str) -> str:
    """Nothing comes in but SSH from `caller` (an address as in 203.0.113.7/32), and Ray from the cluster itself."""
    found = ec2.describe_security_groups(Filters=_tagged(config.name))["SecurityGroups"]
    group = found[0] if found else _new_group(ec2, config)
    ray = (config.first_port, config.first_port + NUM_PORTS - 1)
    wanted = [
        {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": caller}]},
        {
            "IpProtocol": "tcp", "FromPort": ray[0], "ToPort": ray[1],
            "UserIdGroupPairs": [{"GroupId": group["GroupId"]}],
        },
    ]  # fmt: skip
    if group.get("IpPermissions"):
        ec2.revoke_security_group_ingress(GroupId=group["GroupId"], IpPermissions=group["IpPermissions"])
    ec2.authorize_security_group_ingress(GroupId=group["GroupId"], IpPermissions=wanted)
    return str(group["GroupId"])


def caller_address() -> str:
    """This machine's public address, as a network of one."""
    try:
        with urllib.request.urlopen(WHAT_IS_MY_ADDRESS, timeout=10) as answer:
            return f"{ipaddress.IPv4Address(answer.read(64).decode().strip())}/32"
    except (urllib.error.URLError, ValueError, TimeoutError) as error:
        raise ConfigError(f"{WHAT_IS_MY_ADDRESS} does not say our address ({error}): set `ssh_from`.") from None


def key_pair(ec2: Any, name: str, state: Path) -> Path:
    """A key of this cluster alone; the private half never leaves this machine."""
    private = state / "key"
    if not private.exists():
        command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", key_name(name), "-f", str(private)]
        subprocess.run(command, check=True, stdin=subprocess.DEVNULL)
    public = private.with_suffix(".pub").read_bytes()
    ec2.delete_key_pair(KeyName=key_name(name))  # one of another machine would not fit
    tags = [{"ResourceType": "key-pair", "Tags": [{"Key": TAG, "Value": name}]}]
    ec2.import_key_pair(KeyName=key_name(name), PublicKeyMaterial=public, TagSpecifications=tags)
    return private


def key_name(name: str) -> str:
    """Of the key pair, the security group, the role and its profile."""
    return f"lifelong_rl-{name}"


def end_all(ec2: Any, name: str) -> None:
    """Instances first, since what they use cannot go before them."""
    found = [instance["InstanceId"] for instance in list_instances(ec2, name)]
    if found:
        ec2.terminate_instances(InstanceIds=found)
        ec2.get_waiter("instance_terminated").wait(InstanceIds=found, WaiterConfig={"Delay": 5, "MaxAttempts": 120})
    ec2.delete_key_pair(KeyName=key_name(name))
    for group in ec2.describe_security_groups(Filters=_tagged(name))["SecurityGroups"]:
        ec2.delete_security_group(GroupId=group["GroupId"])


def what_is_left(ec2: Any, name: str) -> list[str]:
    """Whatever bears the cluster's tag, as lines."""
    filters = _tagged(name)
    left = [f"instance {found['InstanceId']} ({found['State']['Name']})" for found in list_instances(ec2, name)]
    left += [f"volume {found['VolumeId']}" for found in ec2.describe_volumes(Filters=filters)["Volumes"]]
    groups = ec2.describe_security_groups(Filters=filters)["SecurityGroups"]
    left += [f"security group {found['GroupId']}" for found in groups]
    return left + [f"key pair {found['KeyName']}" for found in ec2.describe_key_pairs(Filters=filters)["KeyPairs"]]


def _new_group(ec2: Any, config: Ec2Cluster) -> dict[str, Any]:
    if config.subnet is not None:
        network = ec2.describe_subnets(SubnetIds=[config.subnet])["Subnets"][0]["VpcId"]
    else:
        networks = ec2.describe_vpcs(Filters=[{"Name": "is-default", "Values": ["true"]}])["Vpcs"]
        if not networks:
            raise ConfigError(f"{config.region} has no default network: name a `subnet` that gives public addresses.")
        network = networks[0]["VpcId"]
    tags = [{"ResourceType": "security-group", "Tags": [{"Key": TAG, "Value": config.name}]}]
    made = ec2.create_security_group(
        GroupName=key_name(config.name), Description="SSH from one address, Ray among themselves", VpcId=network,
        TagSpecifications=tags,
    )  # fmt: skip
    return {"GroupId": made["GroupId"]}


def _tagged(name: str) -> list[dict[str, Any]]:
    return [{"Name": f"tag:{TAG}", "Values": [name]}]
