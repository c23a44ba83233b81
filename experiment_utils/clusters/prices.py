"""What instances cost an hour, in US dollars: spot by its price history, on demand by Amazon's price list."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

# List prices on demand in us-east-1, for those who may not ask the price list (the right pricing:GetProducts).
ON_DEMAND = {
    "c6i.large": 0.085, "c6i.xlarge": 0.17, "c6i.2xlarge": 0.34, "c6i.4xlarge": 0.68, "c6i.8xlarge": 1.36,
    "c6i.16xlarge": 2.72, "m6i.large": 0.096, "m6i.xlarge": 0.192, "m6i.2xlarge": 0.384, "m6i.4xlarge": 0.768,
    "g4dn.xlarge": 0.526, "g4dn.2xlarge": 0.752, "g5.xlarge": 1.006, "g5.2xlarge": 1.212, "g6.xlarge": 0.8048,
    "g6.2xlarge": 0.9776,
}  # fmt: skip


def on_demand_price(session: Any, region: str, instance_type: str) -> float | None:
    """None where nobody says."""
    from botocore.exceptions import BotoCoreError, ClientError

    wanted = {
        "instanceType": instance_type, "regionCode": region, "operatingSystem": "Linux", "tenancy": "Shared",
        "preInstalledSw": "NA", "capacitystatus": "Used",
    }  # fmt: skip
    filters = [{"Type": "TERM_MATCH", "Field": name, "Value": value} for name, value in wanted.items()]
    try:
        pricing = session.client("pricing", region_name="us-east-1")
        listed = pricing.get_products(ServiceCode="AmazonEC2", Filters=filters, MaxResults=1)["PriceList"]
        term = next(iter(json.loads(listed[0])["terms"]["OnDemand"].values()))
        return float(next(iter(term["priceDimensions"].values()))["pricePerUnit"]["USD"])
    except (BotoCoreError, ClientError, LookupError, StopIteration, ValueError):
        return ON_DEMAND.get(instance_type)


def spot_price(ec2: Any, instance_type: str) -> float | None:
    """The highest of the last hour's in any zone; None where nobody says."""
    history = ec2.describe_spot_price_history(
        InstanceTypes=[instance_type], ProductDescriptions=["Linux/UNIX"],
        StartTime=datetime.now(UTC) - timedelta(hours=1), MaxResults=50,
    )  # fmt: skip
    return max((float(row["SpotPrice"]) for row in history["SpotPriceHistory"]), default=None)
