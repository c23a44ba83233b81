"""What leaves this machine as code, and what never does."""

import gzip
import hashlib
import io
import os
import subprocess
import sys
import tarfile
import threading
from pathlib import Path

import pytest

from experiment_utils.code_archive import MAX_UNPACKED_BYTES, pack, unpack
from experiment_utils.code_files import code_files
from lifelong_rl.config import ConfigError
from tests.experiment_utils.test_planted_secrets import DIFF, ENVIRONMENT, LINES, LONG_KEY, found_in, planted

FILES = {
    "run.py": "print('hello')\n", "library/data/ring.py": "# a package that is called data\n", "library/id_map.py": "",
    ".gitignore": "/data/*\n/scratch/\n*.log\n", "data/README.md": "results\n", "start.sh": "#!/bin/sh\n",
}  # fmt: skip
SECRET_NAMES = [
    ".env", "configs/.env.local", ".netrc", "deploy/server.pem", "deploy/SERVER.KEY", "keys/id_rsa",
    "keys/id_ed25519.pub", ".aws/credentials", "home/.ssh/known_hosts", "wandb/run.wandb", "agent_data/old.hdf5",
    "data/x/metrics.jsonl",
]  # fmt: skip


@pytest.fixture
def checkout(tmp_path):
    """A repository with one commit, and changes since."""
    root = tmp_path / "checkout"
    write(root, FILES)
    (root / "start.sh").chmod(0o755)
    git(root, "init")
    git(root, "add", "-A")
    git(root, "commit", "-m", "first", "--no-verify")
    (root / "run.py").write_text("print('changed')\n")
    write(root, {"new.py": "# not added yet\n", "scratch/big.bin": "ignored", "out.log": "ignored"})
    return root


def write(root, files):
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)


def git(root, *words):
    who = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
    return subprocess.run(["git", *who, *words], cwd=root, check=True, capture_output=True, text=True).stdout


def names_in(archive):
    with tarfile.open(archive) as tar:
        return set(tar.getnames())


def test_tracked_changed_and_new_files_are_shipped_with_commit_and_patch(checkout, tmp_path):
    folder = unpack(pack(tmp_path / "out", checkout), tmp_path / "node")
    found = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert found == (set(FILES) - {"data/README.md"}) | {"new.py", "commit.txt", "code.patch"}
    assert (folder / "run.py").read_text() == "print('changed')\n"
    assert os.access(folder / "start.sh", os.X_OK)
    assert (folder / "commit.txt").read_text() == git(checkout, "rev-parse", "HEAD")
    assert "+print('changed')" in (folder / "code.patch").read_text()


def test_the_same_tree_gives_the_same_file_whoever_packs_it(checkout, tmp_path):
    first = pack(tmp_path / "first", checkout)
    os.utime(checkout / "new.py", (1, 1))
    worktree = tmp_path / "elsewhere"
    git(checkout, "worktree", "add", str(worktree))
    for name in ("run.py", "new.py"):
        (worktree / name).write_bytes((checkout / name).read_bytes())
    second = pack(tmp_path / "second", worktree)
    assert (second.name, second.read_bytes()) == (first.name, first.read_bytes())

    (worktree / "new.py").write_text("# another\n")
    assert pack(tmp_path / "second", worktree).name != first.name


def test_files_that_are_deleted_but_tracked_are_no_trouble(checkout, tmp_path):
    (checkout / "library/id_map.py").unlink()
    assert "library/id_map.py" not in names_in(pack(tmp_path, checkout))


def test_credentials_and_results_never_leave_even_if_git_tracks_them(checkout, tmp_path):
    write(checkout, dict.fromkeys(SECRET_NAMES, "secret = 1\n"))
    git(checkout, "add", "-f", "-A")
    git(checkout, "commit", "-m", "oh no", "--no-verify")
    write(checkout, {".env": "changed\n", "run.py": "again\n"})
    archive = pack(tmp_path / "out", checkout)
    assert names_in(archive).isdisjoint(SECRET_NAMES)
    patch = (unpack(archive, tmp_path / "node") / "code.patch").read_text()
    assert "run.py" in patch
    assert ".env" not in patch


CREDENTIALS = [
    DIFF["access_key"], DIFF["private_key"], LINES["slack"], LINES["jwt"], LINES["wandb"], "\n".join(LONG_KEY),
    planted(30, length=16), "Authorization: Bearer " + planted(31), planted(32, "https://me:") + "@example.org",
]  # fmt: skip


@pytest.mark.parametrize("text", CREDENTIALS)
def test_a_file_with_a_credential_stops_it_by_name_and_line(checkout, tmp_path, text):
    write(checkout, {"library/config.py": f"# settings\npassword = {text!r}\n" if "\n" not in text else f"#\n{text}\n"})
    with pytest.raises(ConfigError, match=r"library/config.py, line 2: holds a credential. Take it out") as error:
        pack(tmp_path / "out", checkout)
    assert "\n" not in str(error.value)
    assert not list(tmp_path.glob("out/*"))


def test_a_value_of_the_environment_stops_it_whatever_it_is_called(checkout, tmp_path, monkeypatch):
    monkeypatch.setenv("DB_PASSWORD", ENVIRONMENT["DB_PASSWORD"])
    write(checkout, {"notes.txt": f"\n\nlog in with {ENVIRONMENT['DB_PASSWORD']}\n"})
    with pytest.raises(ConfigError, match=r"notes.txt, line 3"):
        pack(tmp_path, checkout)


def test_what_was_taken_out_since_the_commit_is_masked_in_the_patch(checkout, tmp_path):
    git(checkout, "add", "-A")
    write(checkout, {"run.py": f"token = '{planted(5, 'ghp_')}'\n{DIFF['private_key']}\n"})
    git(checkout, "commit", "-am", "oh no", "--no-verify")
    write(checkout, {"run.py": "print('clean')\n"})
    folder = unpack(pack(tmp_path / "out", checkout), tmp_path / "node")
    assert "-token = '***'" in (folder / "code.patch").read_text()
    assert found_in(folder) == []


def test_lines_of_codeignore_are_left_out(checkout, tmp_path):
    write(checkout, {".codeignore": "# not needed\nlibrary/\n*.sh\n"})
    assert names_in(pack(tmp_path, checkout)).isdisjoint({"library/data/ring.py", "library/id_map.py", "start.sh"})


def test_links_within_the_tree_are_shipped_and_those_that_lead_out_are_refused(checkout, tmp_path):
    (checkout / "library" / "again.py").symlink_to("../run.py")
    folder = unpack(pack(tmp_path / "out", checkout), tmp_path / "node")
    assert (folder / "library" / "again.py").read_text() == "print('changed')\n"
    assert (folder / "library" / "again.py").is_symlink()

    (checkout / "outside.py").symlink_to("/etc/hostname")
    with pytest.raises(ConfigError, match=r"outside.py: a link that leads out of"):
        pack(tmp_path, checkout)


def test_too_much_is_refused_with_the_largest_files(checkout, tmp_path):
    (checkout / "weights.bin").write_bytes(bytes(3_000_000))
    (checkout / "video.mp4").write_bytes(bytes(1_000_000))
    with pytest.raises(ConfigError) as error:
        pack(tmp_path, checkout, limit_mb=2)
    assert "is 4.0 MB, more than 2 MB. Largest: weights.bin (3.0 MB), video.mp4 (1.0 MB), " in str(error.value)
    assert str(error.value).endswith("Leave files out by .gitignore or .codeignore.")


def test_an_installed_package_ships_its_sources_and_an_empty_folder_says_what_to_do(tmp_path):
    write(tmp_path / "site", {"lifelong_rl/envs/maze.xml": "<x/>", "experiment_utils/job.py": "", "other/x.py": ""})
    assert code_files(tmp_path / "site")[0] == ["experiment_utils/job.py", "lifelong_rl/envs/maze.xml"]
    (tmp_path / "empty").mkdir()
    with pytest.raises(ConfigError, match="no code to ship. Start from a checkout: git clone"):
        pack(tmp_path, tmp_path / "empty")


def test_many_that_unpack_at_once_get_one_whole_folder(checkout, tmp_path):
    archive, folders = pack(tmp_path / "out", checkout), []
    threads = [threading.Thread(target=lambda: folders.append(unpack(archive, tmp_path / "node"))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert folders == [tmp_path / "node" / archive.name.removesuffix(".tar.gz")] * 8
    assert list((tmp_path / "node").iterdir()) == folders[:1]
    assert (folders[0] / "run.py").exists()


def test_a_damaged_archive_is_refused(checkout, tmp_path):
    archive = pack(tmp_path / "out", checkout)
    content = bytearray(archive.read_bytes())
    content[len(content) // 2] ^= 1
    archive.write_bytes(content)
    with pytest.raises(ConfigError, match="damaged, its sha256 begins with"):
        unpack(archive, tmp_path / "node")
    with pytest.raises(ConfigError, match="expected a name like code-<16 digits>.tar.gz"):
        unpack(tmp_path / "code-latest.tar.gz", tmp_path / "node")


def entry(name, kind=tarfile.REGTYPE, target="", size=0):
    found = tarfile.TarInfo(name)
    found.type, found.linkname, found.size = kind, target, size
    return found


HOSTILE = {
    "a way up": [entry("../out.py")],
    "an absolute name": [entry("/tmp/out.py")],
    "a way up in the middle": [entry("a/../../out.py")],
    "a link out": [entry("a", tarfile.SYMTYPE, "../..")],
    "an absolute link": [entry("a", tarfile.SYMTYPE, "/etc")],
    "links that lead out together": [
        entry("p/q/r", tarfile.SYMTYPE, "../.."), entry("z", tarfile.SYMTYPE, "p/q/r/../../x"),
    ],
    "a file through a link": [entry("a", tarfile.SYMTYPE, "b"), entry("b/c"), entry("a/d")],
    "a link behind a link": [entry("a", tarfile.SYMTYPE, ".."), entry("a/x", tarfile.SYMTYPE, "b")],
    "a hard link": [entry("a", tarfile.LNKTYPE, "/etc/passwd")],
    "a device": [entry("a", tarfile.CHRTYPE)],
    "the same name twice": [entry("a"), entry("a")],
    "a file as a folder": [entry("a"), entry("a/b")],
}  # fmt: skip


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_hostile_archive_writes_nothing_outside_and_leaves_nothing_behind(kind, tmp_path):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for each in HOSTILE[kind]:
            tar.addfile(each)
    with pytest.raises(ConfigError):
        unpack(named(buffer.getvalue(), tmp_path), tmp_path / "node")
    assert sorted(path.name for path in tmp_path.iterdir())[1:] == ["node"]
    assert list((tmp_path / "node").iterdir()) == []


def test_an_archive_that_unpacks_to_too_much_is_refused(tmp_path, monkeypatch):
    assert MAX_UNPACKED_BYTES == 2 << 30
    monkeypatch.setattr("experiment_utils.code_archive.MAX_UNPACKED_BYTES", 4 << 20)
    with pytest.raises(ConfigError, match="unpacks to more than 4 MiB"):
        unpack(named(gzip.compress(bytes(10 << 20)), tmp_path), tmp_path / "node")


def named(content, folder):
    path = folder / f"code-{hashlib.sha256(content).hexdigest()[:16]}.tar.gz"
    path.write_bytes(content)
    return path


def test_the_list_of_this_checkout_is_printed_largest_first_and_can_be_shipped():
    root = Path(__file__).parents[2]
    command = [sys.executable, "-m", "experiment_utils.code_archive", "--list"]
    ended = subprocess.run(command, cwd=root, capture_output=True, text=True, timeout=60)
    assert (ended.returncode, ended.stderr) == (0, "")
    *rows, total = [line for line in ended.stdout.splitlines() if not line.startswith("left out")]
    sizes = [int(row.split()[0].replace(",", "")) for row in rows]
    assert sizes == sorted(sizes, reverse=True)
    assert total.startswith(f"{len(rows)} files, ")
    assert any(row.endswith(" lifelong_rl/data/ring.py") for row in rows)
