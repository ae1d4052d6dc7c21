"""CSV files of numbers to enrol, and of the rows that were rejected."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, Self, TextIO

import click
from attrs import frozen

from dtns.sam.cells import safe_cell

COLUMN: Final = "number"
_DELIMITERS: Final = ",;\t"


@frozen
class Row:
    """A row's line in the file (from 1) and what stands in its number column."""

    line: int
    text: str


def read_rows(path: Path) -> Iterator[Row]:
    """Yield the rows of a CSV file, empty ones left out.

    UTF-8 with or without a byte order mark; commas, semicolons or tabs; a header with a column
    `number`, or no header and the numbers in the first column. Raises click.UsageError where it
    is none of these.
    """
    with path.open(newline="", encoding="utf-8-sig", errors="replace") as file:
        first = file.readline()
        file.seek(0)
        delimiter = max(_DELIMITERS, key=first.count)
        reader = csv.reader(file, delimiter=delimiter)
        column = _column(path, first.rstrip("\r\n").split(delimiter))
        try:
            if column is not None:
                next(reader)
            for cells in reader:
                if any(cell.strip() for cell in cells):
                    yield Row(reader.line_num, "".join(cells[column or 0 :][:1]))
        except csv.Error as fault:
            raise click.UsageError(f"{path}, line {reader.line_num}: {fault}") from None


def _column(path: Path, header: list[str]) -> int | None:
    """Return the place of the number column, or None if there is no header."""
    names = [cell.strip().strip('"').lower() for cell in header]
    if COLUMN in names:
        return names.index(COLUMN)
    if any(letter.isalpha() for letter in names[0]):
        raise click.UsageError(f"{path} has no column named `{COLUMN}`")
    return None


class Rejects:
    """The file beside a CSV file that holds its rejected rows, made when there is one."""

    def __init__(self, source: Path) -> None:
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
            self._writer.writerow(["line", COLUMN, "reason"])
        self._writer.writerow([row.line, safe_cell(row.text), reason])
        self.count += 1
