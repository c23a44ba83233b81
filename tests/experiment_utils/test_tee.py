"""What a run prints is logged, but for progress bars."""

import sys

from experiment_utils.tee import logged_to


def test_the_log_holds_lines_without_colours_and_no_redrawn_line(tmp_path, capsys):
    with logged_to(tmp_path / "stdout.log"):
        print("\x1b[1;31mloss\x1b[0m 3")
        sys.stdout.write("\r 10% ####")
        sys.stdout.write("\x1b[2K\x1b[1A 20% ####\n")
        print("careful", file=sys.stderr)
    print("afterwards")

    assert (tmp_path / "stdout.log").read_text() == "loss 3\ncareful\n"
    shown = capsys.readouterr()
    assert "10% ####" in shown.out
    assert "afterwards" in shown.out
    assert shown.err == "careful\n"


def test_a_second_run_in_the_same_directory_appends(tmp_path):
    for word in ("first", "second"):
        with logged_to(tmp_path / "stdout.log"):
            print(word)
    assert (tmp_path / "stdout.log").read_text() == "first\nsecond\n"
