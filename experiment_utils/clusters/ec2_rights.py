"""What instances may do: read and write below the store's address. Without a store they have no rights at all."""

import contextlib
import json
from typing import Any

from experiment_utils.clusters.ec2 import TAG, key_name


def policy(store: str) -> dict[str, Any]:
    """The whole of an instance's rights, for a store s3://bucket/prefix."""
    bucket, _, prefix = store.removeprefix("s3://").partition("/")
    prefix = prefix.strip("/")
    objects = f"arn:aws:s3:::{bucket}/{prefix}/*" if prefix else f"arn:aws:s3:::{bucket}/*"
    listing: dict[str, Any] = {"Effect": "Allow", "Action": "s3:ListBucket", "Resource": f"arn:aws:s3:::{bucket}"}
    if prefix:
        listing["Condition"] = {"StringLike": {"s3:prefix": [prefix, f"{prefix}/*"]}}
    actions = ["s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload"]
    files = {"Effect": "Allow", "Action": actions, "Resource": objects}
    return {"Version": "2012-10-17", "Statement": [files, listing]}


def make_profile(iam: Any, name: str, store: str) -> str:
    """The instance profile's name, with a role that has these rights."""
    own, tags = key_name(name), [{"Key": TAG, "Value": name}]
    of_ec2 = {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}
    trust = {"Version": "2012-10-17", "Statement": [of_ec2]}
    exists = iam.exceptions.EntityAlreadyExistsException
    with contextlib.suppress(exists):
        iam.create_role(RoleName=own, AssumeRolePolicyDocument=json.dumps(trust), Tags=tags)
    iam.put_role_policy(RoleName=own, PolicyName="store", PolicyDocument=json.dumps(policy(store)))
    with contextlib.suppress(exists):
        iam.create_instance_profile(InstanceProfileName=own, Tags=tags)
        iam.add_role_to_instance_profile(InstanceProfileName=own, RoleName=own)
        iam.get_waiter("instance_profile_exists").wait(InstanceProfileName=own)
    return own


def delete_profile(iam: Any, name: str) -> None:
    """Role and profile, if they are there."""
    own, missing = key_name(name), iam.exceptions.NoSuchEntityException
    for step in (
        lambda: iam.remove_role_from_instance_profile(InstanceProfileName=own, RoleName=own),
        lambda: iam.delete_instance_profile(InstanceProfileName=own),
        lambda: iam.delete_role_policy(RoleName=own, PolicyName="store"),
        lambda: iam.delete_role(RoleName=own),
    ):
        with contextlib.suppress(missing):
            step()
