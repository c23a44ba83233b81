"""Credentials of many kinds, planted wherever a run could pick them up: none may be found in its directory."""

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from experiment_utils.provenance import git_state
from experiment_utils.run_directory import RunDirectory

ROOT = Path(__file__).parents[2]


def planted(number, prefix="", length=24):
    """Letters and digits that stand nowhere else, made here so that no scanner takes them for a leak of ours."""
    return prefix + hashlib.sha256(str(number).encode()).hexdigest()[:length]


ENVIRONMENT = {
    "WANDB_API_KEY": planted(1, length=40),
    "AWS_SECRET_ACCESS_KEY": planted(2, "a+b/", 36),
    "HUGGING_FACE_HUB_TOKEN": planted(3, "hf_"),
    "DB_PASSWORD": planted(4, "correct horse "),
}
VARIANT = {
    "api_key": planted(5, length=10),
    "user": {"password": planted(6, length=8), "access_token": planted(7, length=12), "num_tokens": 128},
    "login": {"credentials": {"name": "me", "pin": planted(8, length=6)}},
    "dataset": planted(9, "https://me:") + "@example.org/data.hdf5",
    "mirror": planted(10, "https://example.org/x?a=1&access_token=") + "&b=2",
    "remote": planted(11, "https://") + "@example.org/x.git",
    "signed": planted(12, "https://example.org/x?X-Amz-Signature=", 64),
    "notes": planted(13, "read it with ghp_"),
}
SWEPT = planted(14, "glpat-")
ARGUMENT = planted(15, length=9)
DIFF = {
    "access_key": planted(16, "AKIA", 16).upper(),
    "password": planted(17, length=7),
    "private_key": "-----BEGIN PRIVATE KEY-----\n" + planted(18, length=60) + "\n-----END PRIVATE KEY-----",
    "header": planted(19, "Authorization: Bearer ", 14),
}
ERROR = planted(20, "Incorrect API key: sk-proj-")
LINES = {
    "slack": planted(21, "token xoxb-"),
    "jwt": planted(22, "eyJhbGciOiJIUzI1NiJ9.eyJ") + ".abcdef",
    "wandb": planted(23, "wandb: logging in with ", 40),
    "netrc": planted(24, "machine api.wandb.ai login user password ", 12),
}
LONG_KEY = ["-----BEGIN RSA PRIVATE KEY-----", planted(25, length=64), "-----END RSA PRIVATE KEY-----"]
NUM_PLANTED = 25

EXPERIMENT = '''"""Prints, logs and raises what it was told to."""
import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from lifelong_rl.recording.trackers.mirror import Mirror
from lifelong_rl.recording.trackers.tensorboard import TensorBoard
from lifelong_rl.recording.trackers.wandb import Wandb

TOLD = json.loads(Path(__file__).with_name("told.json").read_text())

@dataclass(frozen=True, kw_only=True)
class ExperimentConfig:
    settings: str = ""
    api_key: str = ""
    seed: int = 0

@dataclass(frozen=True)
class Run:
    run_dir: Path

    def train(self, interrupts=None):
        bare = Path(__file__).parent / "bare" / self.run_dir.name  # its files hold everything: what is sent must not
        bare.mkdir(parents=True)
        (bare / "variant.json").write_text(json.dumps(TOLD["variant"]))
        row = {"updates": 200, "phase": TOLD["variant"]["notes"], TOLD["swept"]: 0.5}
        (bare / "metrics.jsonl").write_text(json.dumps(row) + chr(10))
        for tool in (Wandb(bare, "planted"), TensorBoard(bare)):
            mirror = Mirror(bare, tool)
            mirror.send()
            mirror.close()
            assert mirror.num_rows == 1
            (bare / tool.name).rename(self.run_dir / tool.name)
        for line in TOLD["lines"]:
            print(line)
            sys.stdout.write(line[:30])
            sys.stdout.flush()
            sys.stderr.write("in between" + os.environ["DB_PASSWORD"] + chr(10))
            sys.stdout.write(line[30:] + chr(10))
        raise ValueError(TOLD["error"] + os.environ["AWS_SECRET_ACCESS_KEY"] + " " + TOLD["variant"]["dataset"])

def build(config, run_dir):
    return Run(run_dir)
'''
SCRIPT = '''"""Leaks, if it can."""
from planted_experiment import TOLD
from experiment_utils.launch import launch

if __name__ == "__main__":
    launch(
        variant=dict(settings=TOLD["settings"]), sweep_values={"api_key": [TOLD["swept"], "x"]}, exp_name="leak",
        config_module="planted_experiment",
    )
'''


def found_in(folder, numbers=range(1, NUM_PLANTED + 1)):
    """Which planted values stand in a file's name or bytes, in either case, by the six digits that each begins with."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    contents = {path: str(path.relative_to(folder)).lower().encode() + path.read_bytes().lower() for path in files}
    digits = {number: planted(number, length=6).encode() for number in numbers}
    return sorted((number, path.name) for path, text in contents.items() for number in digits if digits[number] in text)


def repository_with(text, folder):
    for words in (["init"], ["commit", "--allow-empty", "-m", "first", "--no-verify"], ["add", "-N", "a.py"]):
        folder.mkdir(exist_ok=True)
        (folder / "a.py").write_text(text)
        who = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
        subprocess.run(["git", *who, *words], cwd=folder, check=True, capture_output=True)
    return folder


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """Two runs, started as people start them, that printed and raised everything."""
    folder = tmp_path_factory.mktemp("leak")
    told = {
        "variant": VARIANT, "settings": json.dumps(VARIANT), "swept": SWEPT, "error": ERROR,
        "lines": [*LINES.values(), *LONG_KEY],
    }  # fmt: skip
    (folder / "told.json").write_text(json.dumps(told))
    (folder / "planted_experiment.py").write_text(EXPERIMENT)
    (folder / "leak.py").write_text(SCRIPT)
    path = os.pathsep.join([str(ROOT), str(folder)])
    environment = os.environ | ENVIRONMENT | {"WANDB_MODE": "offline", "PYTHONPATH": path, "HOME": str(folder)}
    process = subprocess.run(
        [sys.executable, "leak.py", "-s", f"settings=--token {ARGUMENT} {json.dumps(VARIANT)}", "--yes"], cwd=folder,
        env=environment, capture_output=True, text=True, timeout=110,
    )  # fmt: skip
    return folder, process


@pytest.mark.slow
def test_no_planted_credential_is_found_under_the_data_directory(finished):
    pytest.importorskip("wandb")
    folder, process = finished
    runs = sorted(path.parent for path in folder.glob("data/*/*/status.json"))
    assert len(runs) == 2, process.stderr
    assert {json.loads((run / "status.json").read_text())["state"] for run in runs} == {"failed"}
    for run in runs:
        assert list(run.glob("wandb/offline-run-*/run-*.wandb"))
        assert list(run.glob("tensorboard/*"))
        assert "Incorrect API key: ***" in (run / "error.txt").read_text()
        assert len((run / "stdout.log").read_text().splitlines()) > 10

    assert found_in(folder / "data") == []


def test_no_planted_credential_is_found_in_what_a_run_directory_writes(tmp_path, monkeypatch):
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    source = "".join(f"{name} = {value!r}\n" if "\n" not in value else value + "\n" for name, value in DIFF.items())
    told = [VARIANT, ENVIRONMENT, DIFF, SWEPT, ERROR, LINES, LONG_KEY, ARGUMENT]
    (tmp_path / "told").mkdir()
    (tmp_path / "told" / "all.txt").write_text(json.dumps(told))
    assert {number for number, _ in found_in(tmp_path / "told")} == set(range(1, NUM_PLANTED + 1))

    run = RunDirectory(tmp_path / "run")
    run.write("variant.json", VARIANT)
    run.write("run.json", {"git": git_state(repository_with(source, tmp_path / "source")), "swept": {"x": SWEPT}})
    run.write_status("failed", f"ValueError: {ERROR} {ENVIRONMENT['DB_PASSWORD']} {VARIANT['dataset']}")

    assert found_in(run.path) == []
    assert run.read("variant.json")["user"]["num_tokens"] == 128
    assert len(run.read("run.json")["git"]["commit"]) == 40
    assert run.read("run.json")["git"]["diff"].count("\n+") >= len(DIFF)
