"""Keys issued a second, and CPU time for each: Sam beside krb5kdc; one JSON line.

    python tests/bench/issue_rate.py --rounds 9

One core for the server that is measured, the other for its load. In each round Sam and krb5kdc, as
Debian ships it, without log and PAC, and without them on LMDB, answer so many requests in turn. Sam
makes every key durable with its place in the audit chain before it answers; krb5kdc writes nothing
down that would survive a crash. Needs the peer's packages: see kdc.py, and klmdb.py for LMDB.
"""

from __future__ import annotations

import argparse
import tempfile
from contextlib import ExitStack
from pathlib import Path

from figures import conclude, cores, ratios, spread, tell
from kdc import Kdc, Round, Strength, strengths
from stand import FRAMINGS, WINDOW, Stand

PARTIES = 1000


def main() -> None:
    """Run the command line above."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--asks", type=int, default=10_000, help="for Sam in a round")
    parser.add_argument("--requests", type=int, default=3000, help="for krb5kdc in a round")
    parser.add_argument("--framing", choices=FRAMINGS, default="smpp")
    options = parser.parse_args()
    sam: list[Round] = []
    peers: dict[Strength, list[Round]] = {strength: [] for strength in strengths()}
    with tempfile.TemporaryDirectory(prefix="dtns-rate-") as name, ExitStack() as stack:
        folder, both = Path(name), cores()
        kdcs = {
            strength: stack.enter_context(Kdc(folder / strength.value, strength, *both))
            for strength in peers
        }
        stand = stack.enter_context(Stand(folder / "sam", PARTIES, both, framing=options.framing))
        for warm in range(-1, options.rounds):
            ours = stand.round(options.asks)
            theirs = {strength: kdc.round(options.requests) for strength, kdc in kdcs.items()}
            rounds = (ours, *theirs.values())
            tell("  ".join(f"{each.rate:7.0f}/s {each.cpu_us:6.1f} us" for each in rounds))
            if warm >= 0:
                sam.append(ours)
                for strength, round_ in theirs.items():
                    peers[strength].append(round_)
    figures = {
        "framing": stand.framing.name,
        "window": WINDOW,
        "sam": _summary(sam),
    }
    for strength, theirs in peers.items():
        figures[strength.value] = _summary(theirs) | {
            "rate_ratio": ratios([each.rate for each in sam], [each.rate for each in theirs]),
            "cpu_ratio": ratios([each.cpu_us for each in theirs], [each.cpu_us for each in sam]),
        }
    conclude("issue_rate", figures)


def _summary(rounds: list[Round]) -> dict[str, dict[str, float]]:
    return {
        "per_second": spread([each.rate for each in rounds], 0),
        "cpu_us": spread([each.cpu_us for each in rounds], 1),
    }


if __name__ == "__main__":
    main()
