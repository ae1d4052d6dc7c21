"""Write the vectors of sam/README.md, section 15: `python tests/vectors/make_vectors.py [FOLDER]`.

Nothing here is random: octets that have to look so are SHAKE-256 of what they are for. Nothing
here imports the package: all was written from the specification, so that two readings of it meet.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from answer_lines import answers
from ask_lines import asks
from code_lines import confirmations, tickets
from log_lines import logs
from money_lines import payments, small
from primitive_lines import keys, primitives
from stories import stories
from sync_lines import syncs
from typed_lines import typed_answers, typed_asks

FILES = {
    "primitives": primitives,
    "keys": keys,
    "asks": asks,
    "answers": answers,
    "syncs": syncs,
    "typed_asks": typed_asks,
    "typed_answers": typed_answers,
    "tickets": tickets,
    "confirmations": confirmations,
    "payments": payments,
    "small": small,
    "logs": logs,
    "phones": stories,
}


def main(folder: Path) -> None:
    """Write all files."""
    for name, lines in FILES.items():
        told = "".join(json.dumps(line) + "\n" for line in lines())
        (folder / f"{name}.jsonl").write_text(told, encoding="ascii")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent)
