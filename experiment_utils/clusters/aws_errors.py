"""What AWS refuses, in one line that says what to do."""

import contextlib
from collections.abc import Iterator

from lifelong_rl.config import ConfigError

ADVICE = {
    "UnauthorizedOperation": "your AWS user lacks a right; ask for the ones listed in docs/launching_ec2.md",
    "AccessDenied": "your AWS user lacks a right; ask for the ones listed in docs/launching_ec2.md",
    "AuthFailure": "your AWS credentials are not valid: aws configure",
    "InvalidClientTokenId": "your AWS credentials are not valid: aws configure",
    "ExpiredToken": "your AWS credentials have expired: log in again (aws sso login)",
    "RequestExpired": "your AWS credentials have expired, or this machine's clock is wrong",
    "VcpuLimitExceeded": "too little quota: ask for more in the Service Quotas console, or take fewer instances",
    "MaxSpotInstanceCountExceeded": "too little spot quota: ask for more in the Service Quotas console, or spot: false",
    "InsufficientInstanceCapacity": "AWS has none left there: another instance_type, another region, or spot: false",
    "SpotMaxPriceTooLow": "raise max_price",
    "InvalidAMIID.NotFound": "`image` is not one of this region",
}


@contextlib.contextmanager
def spoken_errors(region: str) -> Iterator[None]:
    """ConfigError in place of botocore's own."""
    from botocore import exceptions

    try:
        yield
    except (exceptions.NoCredentialsError, exceptions.PartialCredentialsError, exceptions.ProfileNotFound):
        raise ConfigError("no AWS credentials: aws configure, or set AWS_PROFILE.") from None
    except exceptions.ClientError as error:
        code, message = error.response["Error"]["Code"], error.response["Error"].get("Message", "")
        advice = f"; {ADVICE[code]}" if code in ADVICE else ""
        raise ConfigError(f"AWS in {region} refused {error.operation_name}: {code} {message[:200]}{advice}.") from None
    except exceptions.BotoCoreError as error:
        raise ConfigError(f"AWS in {region} does not answer: {str(error)[:200]}.") from None
