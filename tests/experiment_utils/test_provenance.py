"""run.json says where a run came from, and gives no credential away."""

import subprocess

from experiment_utils.provenance import git_state, provenance


def test_names_versions_host_and_command(monkeypatch):
    monkeypatch.setattr("sys.argv", ["run_scripts/qrl_maze.py", "-s", "task.layout=a b"])
    about = provenance()
    assert {"python", "torch", "numpy"} <= set(about["versions"])
    assert about["host"]
    assert about["command"].endswith(" run_scripts/qrl_maze.py -s 'task.layout=a b'")


def test_a_commands_credentials_go_with_their_whole_word(monkeypatch):
    monkeypatch.setattr("sys.argv", ["x.py", "--password", "two words", "-s", "a.api_key=two words", "-s", "b=3"])
    assert provenance()["command"].endswith(" x.py --password '***' -s 'a.api_key=***' -s b=3")


def git(folder, *words):
    who = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
    subprocess.run(["git", *who, *words], cwd=folder, check=True, capture_output=True)


def test_holds_the_commit_and_the_changes_since(tmp_path):
    assert git_state(tmp_path) is None
    git(tmp_path, "init")
    (tmp_path / "a.py").write_text("rate = 1\n")
    git(tmp_path, "add", "a.py")
    git(tmp_path, "commit", "-m", "first", "--no-verify")
    (tmp_path / "a.py").write_text("rate = 2\npassword = 'hunter2'\n")
    (tmp_path / "b.py").touch()

    state = git_state(tmp_path)
    assert len(state["commit"]) == 40
    assert "+rate = 2" in state["diff"]
    assert "hunter2" not in state["diff"]
    assert state["new_files"] == ["b.py"]
