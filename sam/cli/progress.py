"""A progress bar on the terminal, for what takes long."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def progress_bar(title: str) -> Iterator[Callable[[int, int], None]]:
    """Yield what to call with how much is done, and of how much; silent where no terminal is."""
    if not sys.stderr.isatty():
        yield lambda _done, _all: None
        return
    from rich.console import Console  # noqa: PLC0415 (slow to import, and rarely wanted)
    from rich.progress import Progress  # noqa: PLC0415 (the same)

    with Progress(console=Console(stderr=True)) as progress:
        task = progress.add_task(title)
        yield lambda done, everything: progress.update(task, completed=done, total=everything)
