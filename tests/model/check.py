"""Check the protocol's models, and print what was found.

    python tests/model/check.py                      # the table
    python tests/model/check.py --traces amount      # in words, every attack on models so called
    python tests/model/check.py --charts Schroeder   # the same as message charts
    python tests/model/check.py --json               # the last line is one JSON object

The sound model must hold in every scene, every mutant must be broken, and the classics must fall
to the attacks that are known of them, and to no other. The exit code is 1 if anything is not so.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from importlib.metadata import version
from typing import Any

from chart import chart
from models import Checked, all_names, checked
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

HEADS = ("model", "states", "one key exposed", "seconds", "verdict")
_ALL = ""


def rows(names: Sequence[str]) -> Iterator[Checked]:
    """Explore the models of these names, with a bar on a terminal while it lasts."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[states]} states"),
    )
    console = Console(stderr=True)
    with Progress(
        *columns, console=console, transient=True, disable=not console.is_terminal
    ) as progress:
        task = progress.add_task("", total=len(names), states=0)
        for name in names:
            progress.update(task, description=name, states=0)
            yield checked(name, lambda states: progress.update(task, states=states))
            progress.advance(task)


def cells(row: Checked) -> tuple[str, ...]:
    """Return a row of the table."""
    counts = (f"{found.states:,}" if found else "" for found in (row.plain, row.exposed))
    verdict = row.verdict if row.holds else f"NOT AS IT MUST BE: {row.verdict}"
    return (row.name, *counts, f"{row.seconds:.1f}", verdict)


def table(found: Sequence[Checked]) -> str:
    """Return the table in Markdown."""
    lines = [HEADS, *map(cells, found)]
    widths = [max(len(line[place]) for line in lines) for place in range(len(HEADS) - 1)]
    rule = tuple("-" * width for width in [*widths, len(HEADS[-1])])
    return "\n".join(
        "| "
        + " | ".join(cell.ljust(width) for cell, width in zip(line, [*widths, 0], strict=True))
        + " |"
        for line in (HEADS, rule, *lines[1:])
    )


def as_json(found: Sequence[Checked]) -> dict[str, Any]:
    """Return all that was found, for programs."""
    return {
        "ok": all(row.holds for row in found),
        "maude": version("maude"),
        "seconds": round(sum(row.seconds for row in found), 2),
        "models": [
            {
                "model": row.name,
                "states": row.plain.states if row.plain else None,
                "states_exposed": row.exposed.states if row.exposed else None,
                "seconds": round(row.seconds, 2),
                "verdict": row.verdict,
                "ok": row.holds,
                "trace": [event.text for event in row.events],
            }
            for row in found
        ],
    }


def _traced(row: Checked) -> str:
    sentences = (f"  {number}. {event.text}" for number, event in enumerate(row.events, 1))
    return "\n".join((row.name, *sentences))


def _drawn(row: Checked) -> str:
    return f"{row.name}\n\n{chart(row.events)}\n\n  {row.verdict}"


def main() -> int:
    """Run as a command."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", default=_ALL, metavar="WORDS", help="only models so called")
    for what in ("traces", "charts"):
        parser.add_argument(f"--{what}", nargs="?", const=_ALL, metavar="WORDS")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    words = options.model or options.traces or options.charts or _ALL
    names = [name for name in all_names() if words.lower() in name.lower()]
    if not names:
        parser.error(f"no model has {words!r} in its name; there are: {'; '.join(all_names())}")
    found = list(rows(names))
    parts = [table(found)]
    parts += [_traced(row) for row in found if row.events and options.traces is not None]
    parts += [_drawn(row) for row in found if row.events and options.charts is not None]
    parts += [json.dumps(as_json(found))] if options.json else []
    print("\n\n".join(parts))  # noqa: T201 (its output)
    return 0 if all(row.holds for row in found) else 1


if __name__ == "__main__":
    sys.exit(main())
