"""Which of boto3's errors may pass by themselves, and what to do about the others, in one line."""

from experiment_utils.stores.store import StoreError
from lifelong_rl.secrets import mask_secrets

PASSING_STATUS = {408, 425, 429}
PASSING_CODES = {
    "BadDigest", "IncompleteBody", "InternalError", "RequestTimeout", "ServiceUnavailable", "SlowDown", "Throttling",
    "ThrottlingException", "TooManyRequestsException", "XAmzContentSHA256Mismatch",
}  # fmt: skip
ADVICE = {
    "AccessDenied": "these credentials may not use it (s3:ListBucket, GetObject, PutObject, DeleteObject are needed)",
    "403": "these credentials may not use it (s3:ListBucket, GetObject, PutObject, DeleteObject are needed)",
    "ExpiredToken": "the credentials have expired: log in again",
    "InvalidAccessKeyId": "S3 does not know the access key: look at AWS_ACCESS_KEY_ID or ~/.aws/credentials",
    "NoSuchBucket": "there is no such bucket: make it first",
    "RequestTimeTooSkewed": "this machine's clock is wrong: set it (chrony, ntpd)",
    "SignatureDoesNotMatch": "the secret key is wrong: look at AWS_SECRET_ACCESS_KEY or ~/.aws/credentials",
    "PermanentRedirect": "the bucket lies in another region: set AWS_DEFAULT_REGION",
    "IllegalLocationConstraintException": "the bucket lies in another region: set AWS_DEFAULT_REGION",
}
UNREACHABLE = "EndpointConnectionError", "ConnectTimeoutError", "ConnectionError", "ProxyConnectionError"
NO_CREDENTIALS = "NoCredentialsError", "PartialCredentialsError", "TokenRetrievalError", "UnauthorizedSSOTokenError"
SETTINGS = "ProfileNotFound", "ParamValidationError", "NoRegionError", "InvalidRegionError", "ConfigParseError"


def may_pass(error: Exception) -> bool:
    """Throttling, errors of the server and of the connection do; a full disk of ours and a missing object do not."""
    from boto3.exceptions import Boto3Error
    from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError
    from urllib3.exceptions import HTTPError

    if isinstance(error, ClientError):
        return _status(error) >= 500 or _status(error) in PASSING_STATUS or _code(error) in PASSING_CODES
    if isinstance(error, Boto3Error):  # wraps what an upload failed of, as text
        return not any(code in str(error) for code in ADVICE if not code.isdigit())
    if isinstance(error, BotoCoreError):
        return type(error).__name__ not in (*NO_CREDENTIALS, *SETTINGS)
    is_of_disk = isinstance(error, OSError) and error.errno is not None and not isinstance(error, ConnectionError)
    return isinstance(error, HTTPClientError | HTTPError | OSError) and not is_of_disk


def in_one_line(error: Exception, url: str) -> Exception:
    """A StoreError; FileNotFoundError where there is no such object."""
    from botocore.exceptions import ClientError

    name = type(error).__name__
    if isinstance(error, ClientError):
        if _code(error) in ("404", "NoSuchKey"):
            return FileNotFoundError(f"{url}: {error}")
        reason = ADVICE.get(_code(error)) or str(error)
    elif name in NO_CREDENTIALS:
        reason = "no credentials found: `aws configure`, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
    elif name in UNREACHABLE:
        reason = f"cannot be reached ({error})"
    else:
        reason = next((advice for code, advice in ADVICE.items() if f"({code})" in str(error)), str(error) or name)
    return StoreError(mask_secrets(f"store {url}: {' '.join(reason.split())}."))


def _code(error: Exception) -> str:
    return str(getattr(error, "response", {}).get("Error", {}).get("Code", ""))


def _status(error: Exception) -> int:
    return int(getattr(error, "response", {}).get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
