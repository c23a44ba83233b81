"""A bar for work of known length; off a terminal, one line before and one after."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn


@contextmanager
def counting_bar(title: str, total: int) -> Iterator[Callable[[int], None]]:
    """`with counting_bar("generating", 1000) as advance_to: advance_to(10)`."""
    console = Console(highlight=False)
    start = time.perf_counter()
    if console.is_terminal:
        text = TextColumn("{task.description}", markup=False)
        columns = (text, BarColumn(30), MofNCompleteColumn(), TimeRemainingColumn())
        with Progress(*columns, console=console) as bar:
            task = bar.add_task(title, total=total)
            yield lambda count: bar.update(task, completed=count)
        return
    console.print(f"{title}: {total:,} to do", markup=False, soft_wrap=True)
    yield lambda count: None
    console.print(f"{title}: ready after {time.perf_counter() - start:.1f} s", markup=False, soft_wrap=True)
