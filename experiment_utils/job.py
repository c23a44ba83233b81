"""One run in one process: `python -m experiment_utils.job RUN_DIR`, the only thing that a launcher may execute.

Goes on from the newest snapshot in RUN_DIR, if there is one. Exit status: 0 finished, 75 stopped by SIGTERM or SIGUSR1
and to be started again, 130 stopped by Ctrl-C, 3 held by another process, 2 bad input, 1 any other failure.
"""

import argparse
import signal
import sys
import traceback
from pathlib import Path

from experiment_utils.allocator import keep_freed_memory
from experiment_utils.heartbeat import beating
from experiment_utils.parents import stop_with_parent
from experiment_utils.run_directory import HeldError, RunDirectory
from experiment_utils.tee import logged_to
from experiment_utils.threads import set_threads
from lifelong_rl.config import ConfigError, from_dict, resolve
from lifelong_rl.data.datasets.errors import DatasetError
from lifelong_rl.recording.errors import DiskError, SnapshotError
from lifelong_rl.secrets import mask_secrets
from lifelong_rl.training.interrupts import REQUEUE, STOPS, Interrupts

FAILED, BAD_INPUT, HELD = 1, 2, 3
OUR_PACKAGES = ("lifelong_rl", "experiment_configs", "experiment_utils")


def main() -> None:
    """Reads the command line and runs the job."""
    parser = argparse.ArgumentParser(prog="python -m experiment_utils.job", description="Runs one prepared run.")
    parser.add_argument("run_dir", type=Path, metavar="RUN_DIR", help="holds variant.json and run.json")
    stop_with_parent()
    status = run_job(parser.parse_args().run_dir)
    for number in STOPS:  # what the run came to is written down: a signal now must not give it another exit status
        signal.signal(number, signal.SIG_IGN)
    sys.exit(status)


def run_job(path: Path) -> int:
    """Runs what `path`/variant.json says and keeps `status.json` true; returns the exit status."""
    run = RunDirectory(path)

    def say_stopped(exit_status: int) -> None:
        run.write_status("queued" if exit_status == REQUEUE else "interrupted")

    # A signal breaks off building a run, and stops training at its next safe moment; all else is finished.
    with Interrupts(last_words=say_stopped) as interrupts, interrupts.deferred():
        try:
            return _run_alone(run, interrupts)
        except KeyboardInterrupt:
            say_stopped(interrupts.exit_status)
            print(f"stopped: {run.path} (start it again to go on)")
            return interrupts.exit_status
        except (ConfigError, HeldError) as error:
            print(f"error: {error}", file=sys.stderr)
            return HELD if isinstance(error, HeldError) else BAD_INPUT


def _run_alone(run: RunDirectory, interrupts: Interrupts) -> int:
    run.read("variant.json")
    with run.held():
        status = run.status
        if status is not None and status.state == "finished":
            print(f"already finished: {run.path}")
            return 0
        run.write_status("running")
        with beating(run.path), logged_to(run.path / "stdout.log"):
            return _run(run, interrupts)


def _run(run: RunDirectory, interrupts: Interrupts) -> int:
    try:
        _train(run, interrupts)
    # Whatever a run dies of, its status must say so, and the sweep goes on.
    except (Exception, SystemExit) as error:  # noqa: BLE001
        return _fail(run, error)
    run.write_status("finished")
    print(f"finished: {run.path}")
    return 0


def _train(run: RunDirectory, interrupts: Interrupts) -> None:
    variant, module = run.read("variant.json"), run.read("run.json").get("config_module", "experiment_configs")
    num_threads = variant.get("num_threads")
    print(set_threads(num_threads if isinstance(num_threads, int) else 1))
    keep_freed_memory()

    build, config_class = resolve(f"{module}:build"), resolve(f"{module}:ExperimentConfig")
    with interrupts.deferred(False):  # the loop itself defers to its safe moments
        build(from_dict(config_class, variant), run.path).train(interrupts)


def _fail(run: RunDirectory, error: BaseException) -> int:
    trace = mask_secrets("".join(traceback.format_exception(error)))
    (run.path / "error.txt").write_text(trace, encoding="utf-8")
    line = mask_secrets(error_line(error))
    exit_status = BAD_INPUT if is_bad_input(error) else FAILED
    run.write_status("failed", line, exit_status)
    if not is_meant_for_the_user(error):
        traceback.print_exception(error)
    print(f"failed: {run.path}: {line}", file=sys.stderr)
    return exit_status


def is_bad_input(error: BaseException) -> bool:
    """Whether the variant, or a file that it names, is at fault. A full disk is not."""
    return isinstance(error, (ConfigError, DatasetError, SnapshotError)) and not isinstance(error, DiskError)


def error_line(error: BaseException) -> str:
    """The first line of what went wrong, with the kind of error where the words alone would be riddles."""
    text = (str(error).strip() or type(error).__name__).splitlines()[0]
    return text if is_meant_for_the_user(error) or text == type(error).__name__ else f"{type(error).__name__}: {text}"


def is_meant_for_the_user(error: BaseException) -> bool:
    """Our own errors are lines that say what to change; all others come with a traceback."""
    return type(error).__module__.partition(".")[0] in OUR_PACKAGES


if __name__ == "__main__":
    main()
