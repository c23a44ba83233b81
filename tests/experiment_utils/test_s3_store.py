"""Results over S3: a real server on loopback; names, objects and settings that are wrong."""

import json
import shutil

import pytest

from experiment_utils.stores import store_of
from experiment_utils.stores.s3 import S3Store
from experiment_utils.stores.store import StoreError
from tests.experiment_utils.s3_server import s3, s3_url  # noqa: F401
from tests.experiment_utils.stored_runs import add_rows, make_run, tree


def test_unchanged_files_are_not_sent_again_and_shared_rows_are_copied_in_the_store(s3, tmp_path):  # noqa: F811
    client, bucket = s3
    sent = []
    store = S3Store(f"s3://{bucket}/x")
    store._shelf._client.meta.events.register("before-call.s3.PutObject", lambda params, **_: sent.append(params))
    run = make_run(tmp_path / "run-s0")
    (run / "blocks.npy").write_bytes(bytes(100_000))
    store.push(run)
    num_files = len(tree(run))
    assert len(sent) == num_files
    store.push(run)
    assert len(sent) == num_files

    shutil.copy(run / "blocks.npy", run / "blocks again.npy")
    add_rows(run, 1)
    store.push(run)
    assert len(sent) == num_files + 1  # metrics.jsonl
    head = client.head_object(Bucket=bucket, Key="x/run-s0/blocks again.npy")
    assert head["Metadata"]["sha256"] == tree(run)["blocks again.npy"]


def test_no_stored_name_leads_out_of_the_folder(s3, tmp_path):  # noqa: F811
    client, bucket = s3
    store = S3Store(f"s3://{bucket}/x")
    store.push(make_run(tmp_path / "a" / "run-s0"))
    for name in ("../out.txt", "videos/../../out.txt", "/out.txt", "a//b", ".ssh/config", "LOCK", "a\\b"):
        client.put_object(Bucket=bucket, Key=f"x/run-s0/{name}", Body=b"evil")
    store.pull(tmp_path / "b" / "run-s0")
    assert tree(tmp_path / "b" / "run-s0") == tree(tmp_path / "a" / "run-s0")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "b"]
    assert not list((tmp_path / "b").glob("*.txt"))


@pytest.mark.engines
def test_a_manifest_that_names_a_file_elsewhere_is_passed_over(s3, tmp_path, capsys):  # noqa: F811
    client, bucket = s3
    store = S3Store(f"s3://{bucket}/x")
    store.push(make_run(tmp_path / "a" / "run-s0"))
    files = {"../../out.npy": {"bytes": 4, "sha256": "0" * 64}}
    client.put_object(Bucket=bucket, Key="x/run-s0/itr_9/manifest.json", Body=json.dumps({"files": files}).encode())
    store.pull(tmp_path / "b" / "run-s0")
    assert "'../../out.npy' is not a plain file name" in capsys.readouterr().out
    assert not (tmp_path / "b" / "run-s0" / "itr_9").exists()


@pytest.mark.engines
def test_an_object_that_is_damaged_in_the_store_is_refused(s3, tmp_path, monkeypatch):  # noqa: F811
    client, bucket = s3
    monkeypatch.setattr("experiment_utils.stores.retries.FIRST_SECONDS", 0.01)
    store = S3Store(f"s3://{bucket}/x")
    store.push(make_run(tmp_path / "a" / "run-s0"))
    head = client.head_object(Bucket=bucket, Key="x/run-s0/metrics.jsonl")
    client.put_object(Bucket=bucket, Key="x/run-s0/metrics.jsonl", Body=b"other", Metadata=head["Metadata"])
    with pytest.raises(StoreError, match="metrics.jsonl: what came is not what was sent"):
        store.pull(tmp_path / "b" / "run-s0")
    assert not (tmp_path / "b" / "run-s0" / "metrics.jsonl").exists()


@pytest.mark.engines
def test_what_is_wrong_with_s3_is_said_in_one_line_before_anything_is_sent(s3, tmp_path, monkeypatch):  # noqa: F811
    _, bucket = s3
    with pytest.raises(StoreError, match="there is no such bucket: make it first"):
        store_of(f"s3://{bucket}-not/x").check()
    with pytest.raises(StoreError, match="cannot be reached"):
        S3Store(f"s3://{bucket}/x", endpoint_url="http://127.0.0.1:1").check()
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("HOME", str(tmp_path))
    with pytest.raises(StoreError, match="no credentials found: `aws configure`"):
        store_of(f"s3://{bucket}/x").check()
