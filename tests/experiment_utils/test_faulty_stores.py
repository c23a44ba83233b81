"""A store behind a line on which 30 % of the requests fail: what arrives is whole, and at no moment is a part seen."""

import hashlib
import json
import shutil
import threading

import pytest

from experiment_utils.run_directory import RunDirectory
from experiment_utils.stores.run_files import kept_aside, snapshot_of
from experiment_utils.stores.s3 import S3Store
from tests.experiment_utils.faulty_proxy import FaultyProxy
from tests.experiment_utils.s3_server import s3, s3_url  # noqa: F401
from tests.experiment_utils.stored_runs import add_rows, add_snapshot, make_run, tree


class Watcher:
    """Reads the bucket again and again, by a line without faults; collects what it should not have seen."""

    def __init__(self, client, bucket):
        self._client, self._bucket = client, bucket
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self.problems, self.num_polls, self.num_snapshots = [], 0, 0

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._is_over.set()
        self._thread.join()

    def _watch(self):
        while not self._is_over.is_set():
            names = self._names()
            for name in names:
                content = self._read(name)
                if content is not None and hashlib.sha256(content[0]).hexdigest() != content[1]:
                    self.problems.append(f"{name} is not what its metadata says")
            standing = [name for name in names if name.endswith("/manifest.json") and self._is_snapshot(name)]
            self.problems += [problem for name in standing if (problem := self._half(name))]
            if self.num_snapshots and not standing:
                self.problems.append("no snapshot is seen")
            self.num_snapshots = max(self.num_snapshots, len(standing))
            self.num_polls += 1

    def _names(self):
        pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=self._bucket)
        return [item["Key"] for page in pages for item in page.get("Contents", [])]

    def _is_snapshot(self, name):
        path = name.split("/run-s0/")[-1]
        return snapshot_of(path) or kept_aside(path)

    def _half(self, name):
        """What is missing, if the manifest is still the same after its files were read."""
        manifest = self._read(name)
        if manifest is None:
            return None
        problems = []
        for file, entry in json.loads(manifest[0])["files"].items():
            content = self._read(name.replace("manifest.json", file))
            if content is None or hashlib.sha256(content[0]).hexdigest() != entry["sha256"]:
                problems.append(f"{name}: {file} is not there")
        return problems[0] if problems and self._read(name) == manifest else None

    def _read(self, name):
        try:
            found = self._client.get_object(Bucket=self._bucket, Key=name)
        except self._client.exceptions.NoSuchKey:
            return None
        return found["Body"].read(), found["Metadata"]["sha256"]


@pytest.mark.engines
@pytest.mark.timeout(600)
@pytest.mark.parametrize("seed", [0, 1])
def test_with_30_percent_errors_trees_are_equal_and_nothing_is_ever_seen_in_part(s3, tmp_path, seed):  # noqa: F811
    client, bucket = s3
    run = make_run(tmp_path / "a" / "run-s0", num_files=50, num_bytes=20_000)
    (run / "replay.mp4").write_bytes(bytes(range(256)) * (20 << 12))  # 20 MB: three parts
    assert len(tree(run)) > 55
    port = int(client.meta.endpoint_url.rpartition(":")[2])
    with FaultyProxy(port, 0.3, seed) as proxy, Watcher(client, bucket) as watcher:
        store = S3Store(f"s3://{bucket}/x", endpoint_url=proxy.url)
        add_snapshot(run, 1, "interrupted")
        store.push(run)
        for number in (2, 3):
            add_rows(run, 1000)
            add_snapshot(run, number, "interrupted", num_rows=50_000)
            add_snapshot(run, number, num_rows=50_000)
            shutil.rmtree(run / f"itr_{number - 2 if number == 2 else 2}")
            store.push(run)
        RunDirectory(run).write_status("finished")
        store.push(run)
        S3Store(f"s3://{bucket}/x", endpoint_url=proxy.url).pull(tmp_path / "b" / "run-s0")

    assert tree(tmp_path / "b" / "run-s0") == tree(run)
    assert {name.removeprefix("x/run-s0/") for name in watcher._names()} == set(tree(run))
    assert watcher.problems == []
    assert watcher.num_polls > 3
    assert watcher.num_snapshots >= 2
    assert min(proxy.num_faults.values()) > 5
    assert 0.25 < sum(proxy.num_faults.values()) / proxy.num_requests < 0.35
    print(f"{proxy.num_requests} requests, {proxy.num_faults}, {watcher.num_polls} polls")
