"""Keys issued a second, and CPU time for each: Sam beside krb5kdc; one JSON line.

    python tests/bench/issue_rate.py --rounds 9

One core for the server that is measured, the other for its load. In each round krb5kdc as Debian
ships it, Sam, and krb5kdc without log and PAC, in turn, answer so many requests. Sam makes every
key durable with its place in the audit chain before it answers; krb5kdc writes nothing down that
would survive a crash. Needs the peer's packages: see kdc.py.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from figures import conclude, cores, ratios, spread, tell
from kdc import Kdc, Round, Strength
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
    peers: dict[Strength, list[Round]] = {strength: [] for strength in Strength}
    with tempfile.TemporaryDirectory(prefix="dtns-rate-") as name:
        folder, both = Path(name), cores()
        with (
            Kdc(folder / "default", Strength.DEFAULT, *both) as default,
            Kdc(folder / "strongest", Strength.STRONGEST, *both) as strongest,
            Stand(folder / "sam", PARTIES, both, framing=options.framing) as stand,
        ):
            for warm in range(-1, options.rounds):
                rounds = (
                    default.round(options.requests),
                    stand.round(options.asks),
                    strongest.round(options.requests),
                )
                tell("  ".join(f"{each.rate:7.0f}/s {each.cpu_us:6.1f} us" for each in rounds))
                if warm >= 0:
                    peers[Strength.DEFAULT].append(rounds[0])
                    sam.append(rounds[1])
                    peers[Strength.STRONGEST].append(rounds[2])
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
