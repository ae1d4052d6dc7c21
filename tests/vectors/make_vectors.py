"""Write the vectors of section 15 of sam/README.md: `python tests/vectors/make_vectors.py`.

Nothing here is random: octets that have to look so are SHAKE-256 of what they are for. Nothing
here imports the package: all was written from the specification, so that two readings of it meet.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from answer_lines import answers
from ask_lines import asks
from code_lines import confirmations, tickets
from lines import Line
from primitive_lines import keys, primitives
from stories import stories

HERE = Path(__file__).parent


def write(name: str, lines: Iterable[Line]) -> None:
    """Write one file."""
    told = "".join(json.dumps(line) + "\n" for line in lines)
    (HERE / name).write_text(told, encoding="ascii")


def main() -> None:
    """Write all files."""
    write("primitives.jsonl", primitives())
    write("keys.jsonl", keys())
    write("asks.jsonl", asks())
    write("answers.jsonl", answers())
    write("tickets.jsonl", tickets())
    write("confirmations.jsonl", confirmations())
    write("phones.jsonl", stories())


if __name__ == "__main__":
    main()
