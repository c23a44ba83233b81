"""What a run prints is logged, but for progress bars and credentials, and a log that cannot be written stops nobody."""

import subprocess
import sys
import time
from pathlib import Path

import pytest

from experiment_utils.tee import LONGEST_LINE, logged_to

FULL = Path("/dev/full")  # every write to it fails as on a full disk
# A file may grow to 100 bytes only; that is lifted after four lines.
OUTGROWN = """
import resource, signal, sys
from pathlib import Path
from experiment_utils.tee import logged_to

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
with logged_to(Path(sys.argv[1])):
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, resource.RLIM_INFINITY))
    for number in range(4):
        print(f"line {number} " + 40 * "x")
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    print("space again")
"""


@pytest.fixture
def log(tmp_path):
    return tmp_path / "stdout.log"


def test_the_log_holds_lines_without_colours_and_no_redrawn_line(log, capsys):
    with logged_to(log):
        print("\x1b[1;31mloss\x1b[0m 3")
        sys.stdout.write("\r 10% ####")
        sys.stdout.write("\x1b[2K\x1b[1A 20% ####\n")
        print("careful", file=sys.stderr)
        print("from another system", end="\r\n")
    print("afterwards")

    assert log.read_text() == "loss 3\ncareful\nfrom another system\n"
    shown = capsys.readouterr()
    assert "10% ####" in shown.out
    assert "afterwards" in shown.out
    assert shown.err == "careful\n"


def test_a_second_run_in_the_same_directory_appends(log):
    for word in ("first", "second"):
        with logged_to(log):
            print(word)
    assert log.read_text() == "first\nsecond\n"


def test_a_line_is_logged_when_it_ends_and_the_last_one_at_the_end(log):
    with logged_to(log):
        print("loss", end=" ", flush=True)
        print("careful", file=sys.stderr)
        assert log.read_text() == "careful\n"
        print(3)
        print("bye", end="")
        assert log.read_text() == "careful\nloss 3\n"
    assert log.read_text() == "careful\nloss 3\nbye"


def test_a_line_that_never_ends_is_logged_in_pieces(log):
    with logged_to(log):
        for _ in range(3):
            print("x" * LONGEST_LINE, end="y")
        assert log.stat().st_size >= 2 * LONGEST_LINE


def test_a_credential_is_shown_but_not_logged_even_if_it_comes_in_two_pieces(log, capsys):
    with logged_to(log):
        print("api_key = hunter2hunter2")
        sys.stdout.write("token ghp_abcdefghij")
        sys.stdout.flush()
        sys.stdout.write("klmnopqrstuvwxyz0123456789 is yours\n")
        print("see https://user:hunter2@", end="")
        print("example.org", end="")
    assert log.read_text() == "api_key = ***\ntoken *** is yours\nsee https://***@example.org"
    assert "ghp_abcdefghijklmnopqrstuvwxyz0123456789" in capsys.readouterr().out


def test_a_variable_that_is_set_during_the_run_is_masked_a_second_later(log, monkeypatch):
    with logged_to(log):
        print("quite ordinary words")
        monkeypatch.setenv("DB_PASSWORD", "quite ordinary")
        time.sleep(1.1)
        print("quite ordinary words")
    assert log.read_text() == "quite ordinary words\n*** words\n"


@pytest.mark.skipif(not FULL.exists(), reason="needs /dev/full")
def test_a_full_disk_is_said_once_and_the_terminal_still_shows_all(capsys):
    with logged_to(FULL):
        print("first")
        print("second")
    shown = capsys.readouterr()
    assert shown.out == "first\nsecond\n"
    assert shown.err == "warning: cannot write /dev/full: No space left on device. The run goes on without it.\n"


def test_a_log_in_a_folder_that_is_gone_comes_back_with_the_folder(tmp_path, capsys):
    log = tmp_path / "run" / "stdout.log"
    with logged_to(log):
        print("lost")
        log.parent.mkdir()
        print("kept")
    assert log.read_text() == "\n[1 lines could not be written]\nkept\n"
    assert capsys.readouterr().out == "lost\nkept\n"


def test_a_log_that_could_not_grow_says_how_many_lines_are_missing(log):
    root = Path(__file__).parents[2]
    finished = subprocess.run(
        [sys.executable, "-c", OUTGROWN, str(log)], cwd=root, capture_output=True, text=True, check=True, timeout=60
    )
    assert [line[:6] for line in finished.stdout.splitlines()] == ["line 0", "line 1", "line 2", "line 3", "space "]
    assert "cannot write" in finished.stderr
    lines = log.read_text().splitlines()
    assert lines[0].startswith("line 0")
    assert lines[-2:] == ["[2 lines could not be written]", "space again"]


def test_ten_thousand_lines_take_less_than_a_second(log):
    start = time.process_time()
    with logged_to(log):
        for epoch in range(10_000):
            print(f"epoch {epoch}/10000  trainer/push_loss 0.123456  evaluation/multi/success_rate 0.98  12.3 s")
    assert len(log.read_text().splitlines()) == 10_000
    assert time.process_time() - start < 1
