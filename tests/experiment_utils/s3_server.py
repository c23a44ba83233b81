"""A real S3 server on loopback (moto), for the tests of stores."""

import logging

import pytest


@pytest.fixture(scope="module")
def s3_url():
    """Of a real server on loopback."""
    pytest.importorskip("boto3", reason='S3 needs boto3: pip install "lifelong_rl[aws]"')
    server = pytest.importorskip("moto.server", reason="moto is not installed").ThreadedMotoServer("127.0.0.1", 0)
    server.start()
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    yield "http://{}:{}".format(*server.get_host_and_port())
    server.stop()


@pytest.fixture
def s3(s3_url, monkeypatch, tmp_path):
    """An empty bucket; boto3 finds server and credentials in the environment."""
    import boto3

    for name, value in {"ENDPOINT_URL": s3_url, "ACCESS_KEY_ID": "me", "SECRET_ACCESS_KEY": "me too"}.items():
        monkeypatch.setenv(f"AWS_{name}", value)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "no config"))
    client = boto3.client("s3")
    bucket = f"bucket-{abs(hash(str(tmp_path))):x}"
    client.create_bucket(Bucket=bucket)
    return client, bucket
