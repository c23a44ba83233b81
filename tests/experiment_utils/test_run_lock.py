"""One process at a time works in a run directory; the others are told which, and a dead one keeps nobody out."""

import contextlib
import errno
import fcntl
import multiprocessing
import os
import socket
import time

import pytest

from experiment_utils.run_directory import HeldError, RunDirectory

CONTEXT = multiprocessing.get_context("fork")  # so that a lock that was taken away stays so in the other process
HOST = socket.gethostname()


def hold(path, line, seconds):
    with RunDirectory(path).held():
        line.send("held")
        line.poll(seconds)


@contextlib.contextmanager
def held_by_another_process(path, seconds=30):
    ours, theirs = CONTEXT.Pipe()
    other = CONTEXT.Process(target=hold, args=(path, theirs, seconds))
    other.start()
    try:
        assert ours.poll(30)
        yield other
    finally:
        if other.is_alive():
            ours.send("let go")
        other.join()


def killed_while_holding(path):
    with held_by_another_process(path) as other:
        other.kill()
        other.join()
    return other.pid


@pytest.fixture(params=["flock", "ENOLCK", "EOPNOTSUPP", "ENOSYS"])
def run(tmp_path, monkeypatch, request):
    """A run directory on a file system with locks, and on such as have none."""
    if request.param != "flock":

        def refused(descriptor, operation):
            raise OSError(getattr(errno, request.param), "no locks here")

        monkeypatch.setattr(fcntl, "flock", refused)
    return RunDirectory(tmp_path)


def test_of_two_processes_one_wins_and_the_other_says_who(run):
    with held_by_another_process(run.path) as other:
        assert run.is_held()
        with pytest.raises(HeldError, match=f"{run.path} is held by process {other.pid} on {HOST}"), run.held():
            pass
    assert not run.is_held()
    with run.held():
        assert run.is_held()


def test_a_stale_status_does_not_hide_who_holds_it(run):
    run.write("status.json", {"state": "running", "pid": 1, "host": "elsewhere"})
    with held_by_another_process(run.path) as other, pytest.raises(HeldError, match=f"process {other.pid} on {HOST}"):
        run.held().__enter__()


def test_a_process_that_was_killed_holds_nothing(run):
    pid = killed_while_holding(run.path)
    assert (run.path / "LOCK.owner").read_text() == f"{pid}@{HOST}\n"
    assert not run.is_held()
    with run.held():
        assert (run.path / "LOCK.owner").read_text() == f"{os.getpid()}@{HOST}\n"
    assert not (run.path / "LOCK.owner").exists()


def test_a_job_waits_a_moment_for_one_that_is_about_to_let_go(run):
    with held_by_another_process(run.path, seconds=0.2), run.held():
        pass


@pytest.fixture
def without_flock(tmp_path, monkeypatch):
    """On such a file system, with the lock file of a release or mount that names no process."""

    def refused(descriptor, operation):
        raise OSError(errno.ENOLCK, "no locks here")

    monkeypatch.setattr(fcntl, "flock", refused)
    (tmp_path / "LOCK.soft").touch()
    return RunDirectory(tmp_path)


def name_owner(run, owner):
    (run.path / "LOCK.owner").write_text(owner + "\n")


def dead_pid():
    process = CONTEXT.Process(target=time.time)
    process.start()
    process.join()
    return process.pid


def test_without_flock_the_owners_name_tells_that_it_is_dead(without_flock):
    name_owner(without_flock, f"{dead_pid()}@{HOST}")
    with without_flock.held():
        assert without_flock.is_held()


@pytest.mark.parametrize("owner", [f"{os.getppid()}@{HOST}", "1@elsewhere"])
def test_without_flock_a_living_process_or_one_of_another_host_keeps_its_lock(without_flock, owner):
    name_owner(without_flock, owner)
    expected = rf"is held by process {owner.replace('@', ' on ')}; if it is gone, remove .*LOCK\.soft\."
    with pytest.raises(HeldError, match=expected), without_flock.held():
        pass
    assert (without_flock.path / "LOCK.soft").exists()


def compete(path, start, winners):
    start.wait(30)
    with contextlib.suppress(HeldError), RunDirectory(path).held():
        winners.put(os.getpid())
        time.sleep(1.5)


def test_without_flock_only_one_of_many_takes_over_from_the_dead(without_flock):
    name_owner(without_flock, f"{dead_pid()}@{HOST}")
    start, winners = CONTEXT.Event(), CONTEXT.SimpleQueue()
    many = [CONTEXT.Process(target=compete, args=(without_flock.path, start, winners)) for _ in range(8)]
    for process in many:
        process.start()
    start.set()
    for process in many:
        process.join()
    assert winners.get() in [process.pid for process in many]
    assert winners.empty()
