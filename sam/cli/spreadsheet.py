"""CSV files of rows to work through, a batch at a time, and of those that were rejected."""

from __future__ import annotations

import csv
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any, Final, NamedTuple, Self, TextIO

import click

from dtns.sam.cells import safe_cell
from dtns.sam.cli.progress import progress_bar

COLUMN: Final = "number"
_DELIMITERS: Final = ",;\t"


class Row(NamedTuple):
    """A row's line in the file (from 1) and what stands in its column."""

    line: int
    text: str


def read_rows(path: Path, wanted: str = COLUMN) -> Iterator[Row]:
    """Yield the rows of a CSV file, empty ones left out.

    UTF-8 with or without a byte order mark; commas, semicolons or tabs; a header with the
    column *wanted*, or no header and what is wanted in the first column. Raises click.UsageError
    where it is none of these.
    """
    with path.open(newline="", encoding="utf-8-sig", errors="replace") as file:
        first = file.readline()
        file.seek(0)
        delimiter = max(_DELIMITERS, key=first.count)
        reader = csv.reader(file, delimiter=delimiter)
        column = _column(path, first.rstrip("\r\n").split(delimiter), wanted)
        try:
            if column is not None:
                next(reader)
            for cells in reader:
                if "".join(cells).strip():
                    yield Row(reader.line_num, "".join(cells[column or 0 :][:1]))
        except csv.Error as fault:
            raise click.UsageError(f"{path}, line {reader.line_num}: {fault}") from None


def _column(path: Path, header: list[str], wanted: str) -> int | None:
    """Return the place of the column, or None if there is no header."""
    names = [cell.strip().strip('"').lower() for cell in header]
    if wanted in names:
        return names.index(wanted)
    if wanted == COLUMN and any(letter.isalpha() for letter in names[0]):
        raise click.UsageError(f"{path} has no column named `{wanted}`")
    return None


def batches(rows: Iterator[Row], size: int) -> Iterator[list[Row]]:
    """Yield rows *size* at a time, the rest at the end."""
    while batch := list(islice(rows, size)):
        yield batch


@contextmanager
def row_progress(table: Path, title: str) -> Iterator[Callable[[int], None]]:
    """Show progress on a terminal; yields what to call with the number of rows done."""
    if not sys.stderr.isatty():
        yield lambda _rows: None
        return
    with table.open("rb") as file:
        total, done = sum(1 for _ in file), 0

    def advance(rows: int) -> None:
        nonlocal done
        done += rows
        show(done, total)

    with progress_bar(title) as show:
        yield advance


class Rejects:
    """The file beside a CSV file that holds its rejected rows, made when there is one."""

    def __init__(self, source: Path, column: str = COLUMN) -> None:
        self._column = column
        self.path = source.with_name(f"{source.name}.rejected.csv")
        self.count = 0
        self._file: TextIO | None = None
        self._writer: Any = None

    def __enter__(self) -> Self:
        self.path.unlink(missing_ok=True)
        return self

    def __exit__(self, *exception: object) -> None:
        if self._file is not None:
            self._file.close()

    def add(self, row: Row, reason: str) -> None:
        """Write down a rejected row and why."""
        if self._file is None:
            descriptor = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            self._file = os.fdopen(descriptor, "w", newline="", encoding="utf-8")
            self._writer = csv.writer(self._file)
            self._writer.writerow(["line", self._column, "reason"])
        self._writer.writerow([row.line, safe_cell(row.text), reason])
        self.count += 1
