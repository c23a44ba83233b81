"""Results come back whole: from folders, from a real S3 server, from a real sshd, whatever dies on the way."""

import shutil

import pytest

from experiment_utils.run_directory import HeldError, RunDirectory
from experiment_utils.stores import store_of
from experiment_utils.stores.store import StoreError
from lifelong_rl.config import ConfigError
from lifelong_rl.recording.newest import load_newest, newest_snapshot
from tests.experiment_utils.s3_server import s3, s3_url  # noqa: F401
from tests.experiment_utils.stored_runs import add_rows, add_snapshot, make_run, tree


@pytest.fixture(params=["folder", pytest.param("s3", marks=pytest.mark.engines)])
def address(request, tmp_path):
    if request.param == "folder":
        return str(tmp_path / "store")
    return f"s3://{request.getfixturevalue('s3')[1]}/studies/maze"


@pytest.fixture
def store(address):
    return store_of(address)


def test_a_run_comes_back_as_it_was(store, tmp_path):
    run = make_run(tmp_path / "a" / "run-s0", num_files=6)
    store.check()
    store.push(run)
    store.pull(tmp_path / "b" / "run-s0")
    assert tree(tmp_path / "b" / "run-s0") == tree(run)
    assert newest_snapshot(tmp_path / "b" / "run-s0").name == "itr_0"
    assert store.list_runs() == ["run-s0"]


def test_a_run_that_the_store_does_not_know_is_nothing(store, tmp_path):
    store.pull(tmp_path / "run-s0")
    assert store.list_runs() == []
    assert not (tmp_path / "run-s0").exists()


def test_locks_and_temporary_files_stay_at_home(store, tmp_path):
    run = make_run(tmp_path / "a" / "run-s0")
    for name in ("LOCK", "LOCK.owner", ".status.json.123", "STOP", "HEARTBEAT"):
        (run / name).write_text("mine")
    (run / ".itr_5.tmp-7").mkdir()
    (run / ".itr_5.tmp-7" / "agent.json").write_text("half")
    (run / "key").symlink_to("/etc/hostname")
    store.push(run)
    store.pull(tmp_path / "b" / "run-s0")
    assert set(tree(tmp_path / "b" / "run-s0", own=".store-")) == set(tree(make_run(tmp_path / "c"))) | {"LOCK"}


def test_a_node_that_takes_over_goes_on_and_what_retention_deletes_goes_from_the_store(store, tmp_path):
    first, second, home = (tmp_path / place / "run-s0" for place in ("first", "second", "home"))
    make_run(first)
    store.push(first)
    store.pull(home)

    store.pull(second)
    add_rows(second, 5)
    add_snapshot(second, 1)
    shutil.rmtree(second / "itr_0")
    RunDirectory(second).write_status("finished")
    store.push(second)
    store.pull(home)

    assert tree(home) == tree(second)
    assert not (home / "itr_0").exists()


def test_an_empty_folder_deletes_nothing_in_the_store(store, tmp_path):
    run = make_run(tmp_path / "a" / "run-s0")
    store.push(run)
    (tmp_path / "b" / "run-s0").mkdir(parents=True)
    store.push(tmp_path / "b" / "run-s0")
    store.pull(tmp_path / "c" / "run-s0")
    assert tree(tmp_path / "c" / "run-s0") == tree(run)


def test_what_only_went_on_here_is_not_overwritten_by_a_pull(store, tmp_path):
    """The machine was killed after its snapshot, before its push, and the run comes back to it."""
    run = make_run(tmp_path / "run-s0")
    store.push(run)
    add_rows(run, 3)
    add_snapshot(run, 1)
    before = tree(run)
    store.pull(run)
    assert tree(run) == before


def test_a_branch_that_went_on_here_gives_way_to_the_machine_that_took_over(store, tmp_path, capsys):
    here, other = tmp_path / "a" / "run-s0", tmp_path / "b" / "run-s0"
    make_run(here)
    store.push(here)
    store.pull(other)
    add_rows(here, 90)
    add_snapshot(here, 2)
    add_rows(other, 3)
    add_snapshot(other, 1)
    store.push(other)

    store.pull(here)
    assert newest_snapshot(here).name == "itr_1"
    assert (here / "metrics.jsonl").read_text() == (other / "metrics.jsonl").read_text()
    assert "itr_2: set aside" in capsys.readouterr().out


def test_a_snapshot_that_replaces_another_of_its_name_comes_whole(store, tmp_path):
    run = make_run(tmp_path / "a" / "run-s0")
    for number in (3, 4):
        add_snapshot(run, number, "interrupted", num_rows=3000 - 500 * number)
        store.push(run)
        store.pull(tmp_path / "b" / "run-s0")
    assert tree(tmp_path / "b" / "run-s0") == tree(run)
    assert load_newest(tmp_path / "b" / "run-s0")[1].parts["agent"]["weight"][0] == 4


def test_a_push_that_dies_anywhere_leaves_a_whole_snapshot_to_go_on_from(address, tmp_path, monkeypatch):
    before, after = make_run(tmp_path / "before" / "run-s0"), tmp_path / "after" / "run-s0"
    add_snapshot(before, 3, "interrupted")
    shutil.copytree(before, after)
    add_rows(after, 4)
    add_snapshot(after, 4, "interrupted")
    RunDirectory(after).write_status("finished")

    is_over, number = False, 0
    while not is_over:
        store, here = store_of(f"{address}/{number}"), tmp_path / f"here{number}" / "run-s0"
        shutil.copytree(before, here)
        store.push(here)
        shutil.copytree(after, here, dirs_exist_ok=True)
        is_over = dies_after(number, store, here, monkeypatch)

        store.pull(tmp_path / f"there{number}" / "run-s0")
        path, snapshot = load_newest(tmp_path / f"there{number}" / "run-s0")
        assert path.name == "interrupted"
        assert (path.parent / "metrics.jsonl").stat().st_size >= snapshot.meta["metrics_bytes"]
        is_finished = RunDirectory(path.parent).status.state == "finished"
        assert tree(path.parent) == tree(after) if is_finished else not is_over
        number += 1
    assert number > 15


def dies_after(num_operations, store, run, monkeypatch):
    """Whether the push came to its end before it was cut off at its n-th change of the store."""
    left = num_operations
    shelf = store._shelf

    def counted(operation):
        def counting(*arguments):
            nonlocal left
            left -= 1
            if left < 0:
                raise KeyboardInterrupt
            return operation(*arguments)

        return counting

    with monkeypatch.context() as patch:
        for name in ("put", "copy", "delete"):
            patch.setattr(shelf, name, counted(getattr(shelf, name)))
        try:
            store.push(run)
        except KeyboardInterrupt:
            return False
    return True


def test_a_pull_waits_for_no_job_that_works_in_the_folder(store, tmp_path):
    run = make_run(tmp_path / "run-s0")
    store.push(run)
    with RunDirectory(run).held(), pytest.raises(HeldError, match="run-s0 is held by process"):
        store.pull(run)


def test_a_link_that_lies_in_the_way_is_not_followed(store, tmp_path):
    store.push(make_run(tmp_path / "a" / "run-s0", num_files=3))
    (tmp_path / "b" / "run-s0").mkdir(parents=True)
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "b" / "run-s0" / "videos").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(StoreError, match="which leads out of the run directory"):
        store.pull(tmp_path / "b" / "run-s0")
    assert list((tmp_path / "elsewhere").iterdir()) == []


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("gs://bucket/x", "unknown kind 'gs'. Valid: file, s3, ssh, or a folder."),
        ("s3://Bucket_/x", "expected s3://BUCKET/PREFIX"),
        ("s3://bucket/../x", "expected s3://BUCKET/PREFIX"),
        ("ssh://host; touch x/folder", "expected ssh://USER@HOST/FOLDER"),
        ("ssh://-oProxyCommand=x/folder", "expected ssh://USER@HOST/FOLDER"),
        ("ssh://host/$(touch x)", "expected ssh://USER@HOST/FOLDER"),
    ],
)
def test_an_address_that_cannot_be_is_refused_in_one_line(url, words):
    with pytest.raises(ConfigError) as error:
        store_of(url)
    assert words in str(error.value)
    assert "\n" not in str(error.value)


def test_a_run_with_a_name_for_no_store_is_refused(store, tmp_path):
    with pytest.raises(ConfigError, match=r"letters, digits and ._=,\+- only"):
        store.push(make_run(tmp_path / "run s0"))
