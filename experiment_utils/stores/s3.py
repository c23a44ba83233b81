"""Amazon S3, and what speaks like it (MinIO, Ceph; name it by AWS_ENDPOINT_URL)."""

import base64
import contextlib
import hashlib
import re
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from experiment_utils.stores.mirror import Mirror
from experiment_utils.stores.record import PART, Content, Reading
from experiment_utils.stores.retries import retried
from experiment_utils.stores.run_files import RUN_NAME
from experiment_utils.stores.s3_errors import in_one_line, may_pass
from experiment_utils.stores.shelf import NUM_THREADS, Entry
from lifelong_rl.config import ConfigError

URL = re.compile(r"s3://(?P<bucket>[a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?P<prefix>(?:/[A-Za-z0-9._=,+-]+)*)/?")
ATTEMPTS = 6  # of ours, each of them botocore's own
SHA256 = "sha256"  # key of the metadata

Result = TypeVar("Result")


class S3Store(Mirror):
    """`s3://bucket/prefix`. Credentials and region come from where boto3 looks for them."""

    def __init__(self, url: str, endpoint_url: str | None = None) -> None:
        super().__init__(S3Shelf(url, endpoint_url))


class S3Shelf:
    """An object is seen when it is whole, multipart uploads included; its sha256 stands in its metadata."""

    def __init__(self, url: str, endpoint_url: str | None = None) -> None:
        match = URL.fullmatch(url)
        if match is None or ".." in url:
            raise ConfigError(f"store {url!r}: expected s3://BUCKET/PREFIX of letters, digits and ._=,+-")
        self.url = url.rstrip("/")
        self._bucket, self._prefix = match["bucket"], match["prefix"].strip("/")
        self._client = _client(endpoint_url, botocore_attempts=4)
        self._patient = True

    def check(self) -> None:
        """Writes and removes an object, without much patience."""
        self._patient = False
        key = self._key(f".probe-{uuid.uuid4().hex}")
        try:
            self._call(lambda: self._client.put_object(Bucket=self._bucket, Key=key, Body=b""))
            self._call(lambda: self._client.delete_object(Bucket=self._bucket, Key=key))
        finally:
            self._patient = True

    def run_names(self) -> list[str]:
        pages = self._pages(Prefix=self._key(""), Delimiter="/")
        names = [found["Prefix"][:-1].rpartition("/")[2] for page in pages for found in page.get("CommonPrefixes", [])]
        return [name for name in names if RUN_NAME.fullmatch(name)]

    def entries(self, run: str) -> dict[str, Entry]:
        prefix = self._key(f"{run}/")
        found = [item for page in self._pages(Prefix=prefix) for item in page.get("Contents", [])]
        return {item["Key"].removeprefix(prefix): Entry(item["Size"], item["ETag"]) for item in found}

    def sha256_of(self, name: str) -> str | None:
        with contextlib.suppress(FileNotFoundError):
            digest: str | None = self._head(name)["Metadata"].get(SHA256)
            return digest
        return None

    def put(self, name: str, reading: Reading, content: Content) -> str:
        target = {"Bucket": self._bucket, "Key": self._key(name)}
        options = {"Metadata": {SHA256: content.sha256}, "ChecksumAlgorithm": "SHA256"}

        def send() -> str:
            reading.seek(0)
            if content.size <= PART:
                self._client.put_object(**target, Body=reading.read(), **options)
            else:
                self._client.upload_fileobj(reading, **target, ExtraArgs=options, Config=_parts())
            return self._verified(name, content)

        return self._call(send)

    def get(self, name: str, target: Path) -> str:
        def fetch() -> str:
            target.unlink(missing_ok=True)
            with target.open("xb") as file:
                found = self._client.get_object(Bucket=self._bucket, Key=self._key(name))
                if found["ContentLength"] <= PART:
                    file.write(found["Body"].read())
                else:
                    found["Body"].close()
                    self._client.download_fileobj(self._bucket, self._key(name), file, Config=_parts())
            with Reading(target) as reading:
                digest = reading.content().sha256
            if digest != found["Metadata"].get(SHA256, digest):
                raise OSError(f"{self.url}/{name}: what came is not what was sent")  # or it was replaced meanwhile
            return digest

        return self._call(fetch)

    def copy(self, source: str, target: str) -> str:
        origin = {"Bucket": self._bucket, "Key": self._key(source)}
        self._call(lambda: self._client.copy(origin, self._bucket, self._key(target), Config=_parts()))
        tag: str = self._head(target)["ETag"]
        return tag

    def delete(self, name: str) -> None:
        self._call(lambda: self._client.delete_object(Bucket=self._bucket, Key=self._key(name)))

    def _verified(self, name: str, content: Content) -> str:
        """By the checksum that S3 computed of what it holds; read back where it did not."""
        head = self._client.head_object(Bucket=self._bucket, Key=self._key(name), ChecksumMode="ENABLED")
        checksum = head.get("ChecksumSHA256")
        is_right = checksum in _checksums(content) if checksum else self._read_back(name) == content.sha256
        if not is_right or head["ContentLength"] != content.size:
            raise OSError(f"{self.url}/{name}: what is stored is not what was sent")
        tag: str = head["ETag"]
        return tag

    def _read_back(self, name: str) -> str:
        digest = hashlib.sha256()
        body = self._client.get_object(Bucket=self._bucket, Key=self._key(name))["Body"]
        for piece in body.iter_chunks(1 << 20):
            digest.update(piece)
        return digest.hexdigest()

    def _head(self, name: str) -> dict[str, Any]:
        return self._call(lambda: dict(self._client.head_object(Bucket=self._bucket, Key=self._key(name))))

    def _pages(self, **options: str) -> list[dict[str, Any]]:
        pages = self._client.get_paginator("list_objects_v2")
        return self._call(lambda: list(pages.paginate(Bucket=self._bucket, **options)))

    def _key(self, name: str) -> str:
        return f"{self._prefix}/{name}" if self._prefix else name

    def _call(self, action: Callable[[], Result]) -> Result:
        try:
            return retried(action, may_pass, ATTEMPTS if self._patient else 1)
        except FileNotFoundError:
            raise
        except Exception as error:
            raise in_one_line(error, self.url) from error


def _client(endpoint_url: str | None, botocore_attempts: int) -> Any:
    try:
        import boto3
        from botocore.config import Config
        from botocore.exceptions import BotoCoreError
    except ImportError:
        raise ConfigError('S3 needs boto3: pip install "lifelong_rl[aws]".') from None
    config = Config(
        retries={"mode": "standard", "total_max_attempts": botocore_attempts}, connect_timeout=10, read_timeout=60,
        max_pool_connections=4 * NUM_THREADS, tcp_keepalive=True,
    )  # fmt: skip
    try:
        return boto3.session.Session().client("s3", endpoint_url=endpoint_url, config=config)
    except (BotoCoreError, ValueError) as error:
        raise ConfigError(f"S3: {error}") from None


def _parts() -> Any:
    from boto3.s3.transfer import TransferConfig

    return TransferConfig(multipart_threshold=PART, multipart_chunksize=PART, max_concurrency=NUM_THREADS)


def _checksums(content: Content) -> list[str]:
    """As S3 gives them: of an object sent in one piece, and of the parts' checksums."""
    whole = base64.b64encode(bytes.fromhex(content.sha256)).decode()
    parts = base64.b64encode(hashlib.sha256(b"".join(content.parts)).digest()).decode()
    return [whole, parts, f"{parts}-{len(content.parts)}"]
