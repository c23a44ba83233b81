"""What would be submitted to Slurm is worked out from what the cluster says; its answers here are recorded ones."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from experiment_utils.launchers import slurm_site
from experiment_utils.launchers.options import Options
from experiment_utils.launchers.slurm import SlurmLauncher
from lifelong_rl.config import ConfigError

pytest.importorskip("submitit")
ANSWERS = Path(__file__).parent / "slurm_answers"
ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def recorded_cluster(tmp_path, monkeypatch):
    """Programs that print what Slurm 22.05's printed, so that none need be installed."""
    programs = {
        "scontrol": f"cat {ANSWERS}/scontrol_$2.txt",
        "sinfo": f"cat {ANSWERS}/sinfo.txt", "sbatch": "exit 1", "srun": "exit 1",
    }  # fmt: skip
    for name, line in programs.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{line}\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    return tmp_path


def plan(num_runs, **options):
    return SlurmLauncher(Options(**options)).plan([Path(f"/data/an exp/run-s{seed}") for seed in range(num_runs)])


def refusal(**options):
    with pytest.raises(ConfigError) as error:
        SlurmLauncher(Options(**options)).check()
    return str(error.value)


def test_the_plan_shows_the_very_lines_that_sbatch_gets():
    lines = plan(3, num_cpu=2, time="4:00:00", mem="4G", max_concurrent=2, partition="main")
    for said in ("array=0-2%2", "cpus-per-task=2", "time=4:00:00", "mem=4G", "partition=main", "requeue",
                 "signal=USR1@90"):  # fmt: skip
        assert f"#SBATCH --{said}" in lines
    command = lines[-1]
    assert command.startswith("srun") and "--cpus-per-task 2" in command and f"{sys.executable} -u -m" in command
    assert "'/data/an exp/submissions/SUBMISSION'" in command
    assert f"export PYTHONPATH={ROOT}" in "\n".join(lines)
    assert "24.0 CPU hours at most, if none is requeued" in lines


def test_what_was_not_said_is_left_to_the_cluster():
    text = "\n".join(plan(2))
    assert "0:10:00 each" in text and "partition main" in text  # the default partition, and its default time
    for word in ("--time", "--mem", "gpus", "wckey"):
        assert word not in text


def test_a_plan_writes_nothing(tmp_path):
    SlurmLauncher(Options()).plan([tmp_path / "exp" / "run-s0"])
    assert not (tmp_path / "exp").exists()


def test_gpus_are_asked_for_on_the_one_node_of_a_job():
    lines = plan(2, gpus=2)
    assert "#SBATCH --gpus-per-node=2" in lines and "#SBATCH --nodes=1" in lines


def test_a_sweep_that_is_longer_than_an_array_may_be_is_split():
    lines = plan(2500)
    assert [line for line in lines if line.startswith("sbatch for")] == [f"sbatch for {n} runs:" for n in (1001, 498)]
    assert "2500 runs on partition main of Slurm, in 3 arrays" in lines


def test_arrays_wait_for_each_other_where_the_runs_at_a_time_are_limited():
    assert "one after the other" in plan(2500, max_concurrent=5)[0]


def test_the_warning_comes_late_enough_that_a_short_job_gets_to_work():
    assert "#SBATCH --signal=USR1@15" in plan(1, time="1")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"partition": "shrt"}, "--partition 'shrt' is not one of this cluster. Did you mean 'short'? Valid: main"),
        ({"partition": "short", "time": "60"}, "--time 60: partition short allows 0:30:00 at most."),
        ({"time": "4h"}, "--time '4h' is no time: give minutes (240), 4:00:00 or 2-12:00:00."),
        ({"gpus": 1}, "--gpus 1: the largest node of partition main has 0 gpus."),
        ({"num_cpu": 9}, "--num_cpu 9: the largest node of partition main has 8 cpus."),
        ({"mem": "8G"}, "--mem 8G: the largest node of partition main has 6000 megabytes."),
        ({"mem": "8X"}, "--mem '8X' is no amount of memory: write 4G or 4096M."),
    ],
)
def test_what_the_cluster_cannot_do_is_said_in_one_line(options, words):
    assert refusal(**options).startswith(words)


def test_no_slurm_and_no_submitit_are_said_in_one_line(monkeypatch):
    code = """
import sys
class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "submitit":
            raise ModuleNotFoundError(name)
sys.meta_path.insert(0, Blocker())
from experiment_utils.launchers.options import Options
from experiment_utils.launchers.slurm import SlurmLauncher
try:
    SlurmLauncher(Options()).check()
except Exception as error:
    print(error)
"""
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert answer.stdout == "--mode slurm needs submitit: pip install -e '.[slurm]'.\n", answer.stderr
    monkeypatch.setenv("PATH", "/nowhere")
    assert refusal() == "--mode slurm: there is no sbatch here: start this on a login node of the cluster."


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90", 5400), ("1:30", 90), ("4:00:00", 14400), ("2-12", 216000), ("2-12:30", 217800), ("1-00:00:00", 86400),
     ("UNLIMITED", None)],
)  # fmt: skip
def test_times_are_read_as_slurm_reads_them(text, seconds):
    assert slurm_site.seconds_of(text) == seconds


def test_gpus_of_a_node_are_counted_whatever_their_kind(recorded_cluster):
    (recorded_cluster / "sinfo").write_text(
        "#!/bin/sh\necho '64|515000|gpu:a100:4(S:0-1),shard:16'\necho '32+|90000+|gpu:2,gpu:v100:1'\n"
    )
    assert [(node.cpus, node.gpus) for node in slurm_site.nodes("main")] == [(64, 4), (32, 3)]


def test_the_cluster_own_words_are_passed_on_where_it_refuses(recorded_cluster):
    (recorded_cluster / "scontrol").write_text("#!/bin/sh\necho 'Unable to contact slurm controller' >&2\nexit 1\n")
    assert refusal() == "Slurm refused scontrol show: Unable to contact slurm controller."
