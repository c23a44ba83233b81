"""Whether the account may have that many instances at a time."""

from typing import Any

# Quotas count virtual CPUs by family and market: https://docs.aws.amazon.com/ec2/latest/instancetypes/ec2-instance-quotas.html
QUOTAS = {
    ("standard", False): "L-1216C47A", ("standard", True): "L-34B43A08",
    ("g", False): "L-DB2E81BA", ("g", True): "L-3819A6DF",
    ("p", False): "L-417A185B", ("p", True): "L-7212CCBC",
}  # fmt: skip


def family_of(instance_type: str) -> str:
    """`g` and `p` have GPUs."""
    return "g" if instance_type.startswith(("g", "vt")) else "p" if instance_type.startswith("p") else "standard"


def quota_problem(session: Any, ec2: Any, instance_type: str, count: int, of_spot: bool) -> str:
    """What to do, or nothing where there is enough or nobody says how much there is."""
    from botocore.exceptions import BotoCoreError, ClientError

    kind = ec2.describe_instance_types(InstanceTypes=[instance_type])["InstanceTypes"][0]
    needed = count * int(kind["VCpuInfo"]["DefaultVCpus"])
    code = QUOTAS[family_of(instance_type), of_spot]
    try:
        answer = session.client("service-quotas").get_service_quota(ServiceCode="ec2", QuotaCode=code)
    except (BotoCoreError, ClientError):
        return ""
    allowed = answer["Quota"]["Value"]
    if needed <= allowed:
        return ""
    return f"{needed} vCPUs needed, {allowed:g} allowed: ask for more of quota {code} in the Service Quotas console"
