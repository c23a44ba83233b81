"""run.json says where a run came from, and gives no credential away."""

import subprocess

import pytest

from experiment_utils.provenance import git_state, mask_secrets, provenance


@pytest.mark.parametrize(
    "text",
    [
        "+WANDB_API_KEY=0123456789abcdef0123456789abcdef01234567",
        '+api_key = "hunter2hunter2"',
        "+  password: correct-horse",
        "--api-key hunter2hunter2",
        "+Authorization: Bearer abcdef12345",
        "+token = 'a1b2c3d4e5f6a7b8c9'",
        "key AKIAABCDEFGHIJKLMNOP",
        "hf_abcdefghijklmnopqrstuvwx",
        "ghp_abcdefghijklmnopqrstuvwxyz0123456789",
        "https://user:hunter2@example.org/x.git",
        "-----BEGIN RSA PRIVATE KEY-----\nhunter2\n-----END RSA PRIVATE KEY-----",
    ],
)
def test_masks_what_looks_like_a_credential(text):
    masked = mask_secrets(text)
    assert "***" in masked
    for secret in ("hunter2", "0123456789abcdef", "correct-horse", "abcdef12345", "a1b2c3d4", "AKIAABC", "abcdefghij"):
        assert secret not in masked


@pytest.mark.parametrize(
    "text",
    [
        "+num_tokens = 128",
        "+use_cls_token = True",
        "+token: str",
        "+monkey = turkey",
        "index 0123456..89abcde 100644",
        "+sorted(values, key=operator)",
        "+batch.observation[key]: Tensor",
        "https://example.org/a@b",
        "python run_scripts/qrl_maze.py -s agent.learning_rate=1e-4",
    ],
)
def test_leaves_other_text_alone(text):
    assert mask_secrets(text) == text


def test_names_versions_host_and_command(monkeypatch):
    monkeypatch.setattr("sys.argv", ["run_scripts/qrl_maze.py", "-s", "task.layout=a b"])
    about = provenance()
    assert {"python", "torch", "numpy"} <= set(about["versions"])
    assert about["host"]
    assert about["command"].endswith(" run_scripts/qrl_maze.py -s 'task.layout=a b'")


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
