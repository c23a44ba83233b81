"""Results come back by rsync, over a real sshd on loopback."""

import getpass
import shutil
import socket
import subprocess
import time
from pathlib import Path

import pytest

from experiment_utils.run_directory import RunDirectory
from experiment_utils.stores.rsync import RsyncStore
from experiment_utils.stores.store import StoreError
from lifelong_rl.config import ConfigError
from lifelong_rl.recording.newest import load_newest
from tests.experiment_utils.stored_runs import add_rows, add_snapshot, make_run, tree

SSHD = shutil.which("sshd", path="/usr/sbin:/usr/local/sbin:/usr/bin")
pytestmark = [
    pytest.mark.engines,
    pytest.mark.skipif(
        SSHD is None or shutil.which("rsync") is None or shutil.which("ssh") is None,
        reason="needs sshd, ssh and rsync (apt install openssh-server openssh-client rsync)",
    ),
]


@pytest.fixture(scope="module")
def ssh(tmp_path_factory):
    """(port, options) of an sshd of this user that only listens on loopback."""
    folder = tmp_path_factory.mktemp("sshd")
    for name in ("host", "user"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name)], check=True)
    shutil.copy(folder / "user.pub", folder / "authorized_keys")
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    Path("/run/sshd").mkdir(exist_ok=True) if getpass.getuser() == "root" else None
    settings = [
        f"HostKey {folder}/host", f"AuthorizedKeysFile {folder}/authorized_keys", "StrictModes no", "UsePAM no",
        "ListenAddress 127.0.0.1", f"Port {port}", "PidFile none", "PermitRootLogin prohibit-password",
        "MaxStartups 100",
    ]  # fmt: skip
    (folder / "sshd_config").write_text("\n".join(settings) + "\n")
    process = subprocess.Popen([SSHD, "-D", "-e", "-f", str(folder / "sshd_config")], stderr=(folder / "log").open("w"))
    wait_for_port(port)
    yield port, ["-i", str(folder / "user"), "-oStrictHostKeyChecking=no", f"-oUserKnownHostsFile={folder}/known"]
    process.terminate()
    process.wait()


def wait_for_port(port):
    end = time.monotonic() + 10
    while True:
        try:
            return socket.create_connection(("127.0.0.1", port)).close()
        except OSError:
            assert time.monotonic() < end, "sshd does not answer"
            time.sleep(0.05)


@pytest.fixture
def store(ssh, tmp_path):
    port, options = ssh
    found = RsyncStore(f"ssh://{getpass.getuser()}@127.0.0.1:{port}{tmp_path}/store", options)
    found.check()
    return found


def test_a_run_goes_out_is_continued_elsewhere_and_comes_back(store, tmp_path):
    home, node = tmp_path / "a" / "run-s0", tmp_path / "b" / "run-s0"
    make_run(home, num_files=6)
    (home / "videos" / "it's $(touch out) & more.mp4").write_text("an odd name")
    store.pull(home)
    store.push(home)
    store.pull(node)
    assert tree(node) == tree(home)

    add_rows(node, 5)
    add_snapshot(node, 1)
    add_snapshot(node, 1, "interrupted")
    shutil.rmtree(node / "itr_0")
    RunDirectory(node).write_status("finished")
    store.push(node)
    add_snapshot(node, 2, "interrupted")
    store.push(node)
    store.pull(home)

    assert tree(home) == tree(node) == tree(tmp_path / "store" / "run-s0")
    assert load_newest(home)[1].parts["agent"]["weight"][0] == 2
    assert store.list_runs() == ["run-s0"]
    assert not list(Path().glob("out"))


def test_an_unchanged_run_is_not_sent_again(store, tmp_path):
    run = make_run(tmp_path / "a" / "run-s0")
    store.push(run)
    before = {path: path.stat().st_ino for path in (tmp_path / "store").rglob("*")}
    store.push(run)
    assert {path: path.stat().st_ino for path in (tmp_path / "store").rglob("*")} == before


def test_a_host_that_is_away_is_named_in_one_line(ssh, tmp_path):
    store = RsyncStore(f"ssh://127.0.0.1:1{tmp_path}", ssh[1])
    with pytest.raises(StoreError, match=r"store ssh://127.0.0.1:1/\S+: ssh: .*Connection refused") as error:
        store.check()
    assert "\n" not in str(error.value)
    with pytest.raises(ConfigError, match="rsync takes no ssh options with spaces"):
        RsyncStore("ssh://host/folder", ["-oProxyCommand=nc x"])


def test_a_folder_that_cannot_be_made_is_named_in_one_line(ssh, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match="Not a directory|File exists"):
        RsyncStore(f"ssh://127.0.0.1:{ssh[0]}{tmp_path}/file/store", ssh[1]).check()
