"""What a run says of itself while it trains."""

import io
import re

from lifelong_rl.recording.progress import Progress

ROW = {
    "epoch": 1, "env_steps": 0, "updates": 1500, "phase": "offline", "trainer/push_loss": 0.12345,
    "trainer/entropy": 1.0, "evaluation/multi/return_mean": 61.0, "evaluation/multi/success_rate": 0.98,
    "exploration/success_rate": 0.1,
}  # fmt: skip


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_off_a_terminal_each_epoch_is_one_plain_line():
    stream = io.StringIO()
    with Progress(4, epochs_before=1, updates_before=500, stream=stream) as progress:
        progress.tick(0.5)
        progress.show(ROW)
        progress.show(ROW | {"updates": 2500})

    first, second = stream.getvalue().splitlines()
    metrics = "multi/success_rate 0.98  multi/return_mean 61  push_loss 0.1235"
    assert re.fullmatch(rf"epoch 2/4  offline  {metrics}  \S+ updates/s  ETA 0:00:0\d", first)
    assert second.startswith("epoch 3/4  offline  ")
    assert "\x1b" not in stream.getvalue()


def test_on_a_terminal_it_is_a_bar_that_leaves_the_cursor_visible_even_after_an_error(monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "150")
    stream = Terminal()
    try:
        with Progress(4, stream=stream) as progress:
            progress.show(ROW)
            raise KeyboardInterrupt
    except KeyboardInterrupt:
        pass
    assert "1/4" in stream.getvalue()
    assert "multi/success_rate 0.98" in stream.getvalue()
    assert stream.getvalue().rindex("\x1b[?25h") > stream.getvalue().rindex("\x1b[?25l")
