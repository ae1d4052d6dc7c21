"""A progress bar on the terminal, for what takes longer than a second."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Final

PATIENCE_SECONDS: Final = 1.0


@contextmanager
def progress_bar(
    title: str, clock: Callable[[], float] = time.monotonic
) -> Iterator[Callable[[int, int], None]]:
    """Yield what to call with how much is done, and of how much; silent where no terminal is.

    The bar appears once a second has gone by.
    """
    if not sys.stderr.isatty():
        yield lambda _done, _all: None
        return
    began = clock()
    draw: Callable[[int, int], None] | None = None
    with ExitStack() as stack:

        def advance(done: int, everything: int) -> None:
            nonlocal draw
            if draw is None and clock() - began > PATIENCE_SECONDS:
                draw = stack.enter_context(_bar(title))
            if draw is not None:
                draw(done, everything)

        yield advance


@contextmanager
def _bar(title: str) -> Iterator[Callable[[int, int], None]]:
    from rich.console import Console  # noqa: PLC0415 (slow to import, and rarely wanted)
    from rich.progress import Progress  # noqa: PLC0415 (the same)

    with Progress(console=Console(stderr=True)) as progress:
        task = progress.add_task(title)
        yield lambda done, everything: progress.update(task, completed=done, total=everything)
