"""Write digits.jsonl: ``python tests/vectors/digits_reference.py > tests/vectors/digits.jsonl``.

A second implementation of the code in codecs/README.md, with its own arithmetic and nothing of
dtns. It only encodes; what an entry must become follows from the slip that was put into it.
"""

from __future__ import annotations

import hashlib
import json
import random
import sys
from typing import Any

P = 9973
M = [3372, 4182, 4298, 1469, 2667, 4341, 4647, 635, 289, 4891, 3038, 2296, 4911, 358, 1926, 4121]
X = [4472, 2135, 1001, 4614, 1699, 2639, 9127, 8212, 5344, 8753, 5069, 9212, 2408, 5036, 24, 1783]
Y = [None, 0, 9972]
KINDS = {
    "ticket": (66, 5, 0, 3),
    "key": (128, 10, 1, 3),
    "sealed": (202, 16, 1, 3),
    "answer": (199, 15, 1, 3),
    "cheque": (53, 4, 0, 3),
    "request": (26, 2, 0, 0),
    "confirm": (26, 2, 0, 0),
    "response": (39, 3, 0, 0),
    "ask": (39, 3, 0, 0),
}

rng = random.Random(20)
lines: list[dict[str, Any]] = []


def constant(kind: str, place: int) -> int:
    """Return what is added to the group at a place."""
    digest = hashlib.sha256(f"dtns digits 1 {kind} {place}".encode("ascii")).hexdigest()
    return int(digest, 16) % 9972 + 1


def radix(number: int, count: int) -> list[int]:
    """Return a number as this many digits in radix 9973."""
    if count == 0:
        return []
    return [*radix(number // P, count - 1), number % P]


def code(kind: str, number: int, parity: int) -> list[int]:
    """Return the shown groups of a payload."""
    k = KINDS[kind][1]
    data = radix(number, k)
    row = list(data)
    for pole in Y[:parity]:
        total = 0
        for m, x, d in zip(M, X, data, strict=False):
            weight = m if pole is None else m * pow((x - pole) % P, P - 2, P)
            total = (total + weight * d) % P
        row.append(total)
    return [(symbol + constant(kind, place)) % P for place, symbol in enumerate(row)]


def boxes(groups: list[int]) -> list[str]:
    """Return groups as four digits each."""
    return [str(group + 10000)[1:] for group in groups]


def add(why: str, kind: str, typed: list[str] | str, **expected: Any) -> None:
    """Add one vector."""
    entry = typed if isinstance(typed, str) else " ".join(typed)
    lines.append({"why": why, "profile": kind, "entry": entry, **expected})


def swap(text: str, i: int, j: int) -> str:
    """Return a text with two letters exchanged."""
    letters = list(text)
    letters[i], letters[j] = letters[j], letters[i]
    return "".join(letters)


def slips(box: str) -> dict[str, str | None]:
    """Return one slip of each kind that fits this box and keeps its length."""

    def twin(gap: int) -> str | None:
        for i in range(4 - gap):
            if box[i] == box[i + gap]:
                other = str((int(box[i]) + 3) % 10)
                return box[:i] + other + box[i + 1 : i + gap] + other + box[i + gap + 1 :]
        return None

    return {
        "substitution": box[:2] + str((int(box[2]) + 4) % 10) + box[3],
        "transposition": swap(box, 1, 2) if box[1] != box[2] else None,
        "jump transposition": swap(box, 0, 2) if box[0] != box[2] else None,
        "twin": twin(1),
        "jump twin": twin(2),
    }


def spoiled(shown: list[str], place: int, text: str) -> list[str]:
    """Return the boxes with one replaced."""
    return [*shown[:place], text, *shown[place + 1 :]]


def fresh(kind: str, parity: int) -> tuple[int, str, list[str]]:
    """Return a payload, its hexadecimal form and its boxes."""
    number = rng.getrandbits(KINDS[kind][0])
    return number, f"{number:x}", boxes(code(kind, number, parity))


def write_clean() -> None:
    """Every profile and number of parity groups, ends of the range included."""
    for kind, (bits, _, least, most) in KINDS.items():
        for number in (0, (1 << bits) - 1, 1, rng.getrandbits(bits)):
            for parity in range(least, most + 1):
                shown = boxes(code(kind, number, parity))
                good = {"payload": f"{number:x}", "status": "accepted", "groups_repaired": []}
                add("clean", kind, shown, parity=parity, **good)
                add("clean, no separators", kind, "".join(shown), parity=parity, **good)
                add("clean, verified", kind, shown, check=f"{number:x}", **good)


def write_guaranteed() -> None:
    """One slip in one group: repaired without a MAC wherever the tables promise it."""
    for kind, parity in (("key", 1), ("ticket", 1), ("key", 2), ("sealed", 2), ("answer", 3)):
        found: dict[str, int] = {}
        while len(found) < 5 or min(found.values()) < 3:
            _, payload, shown = fresh(kind, parity)
            place = rng.randrange(len(shown))
            for what, text in slips(shown[place]).items():
                if text and int(text) < P and found.get(what, 0) < 3:
                    found[what] = found.get(what, 0) + 1
                    add(
                        what,
                        kind,
                        spoiled(shown, place, text),
                        parity=parity,
                        payload=payload,
                        status="repaired",
                        groups_repaired=[place + 1],
                    )


def write_verified() -> None:
    """Every kind of slip with a MAC to settle it."""
    for kind, parity in (("key", 2), ("ticket", 2), ("answer", 2), ("sealed", 2)):
        for _ in range(3):
            _, payload, shown = fresh(kind, parity)
            n, place = len(shown), rng.randrange(len(shown))
            other = (place + 1 + rng.randrange(n - 1)) % n
            box = shown[place]
            good = {"parity": parity, "check": payload, "payload": payload, "status": "repaired"}
            add(
                "omission",
                kind,
                spoiled(shown, place, box[1:]),
                groups_repaired=[place + 1],
                **good,
            )
            add(
                "doubled key",
                kind,
                spoiled(shown, place, box + box[3]),
                groups_repaired=[place + 1],
                **good,
            )
            garbled = str(rng.randrange(P) + 10000)[1:]
            if garbled != box:
                add(
                    "garbled",
                    kind,
                    spoiled(shown, place, garbled),
                    groups_repaired=[place + 1],
                    **good,
                )
            two = spoiled(shown, place, box[:3] + str((int(box[3]) + 1) % 10))
            two = spoiled(two, other, shown[other][:3] + str((int(shown[other][3]) + 5) % 10))
            if max(map(int, two)) < P:
                add(
                    "two substitutions",
                    kind,
                    two,
                    groups_repaired=sorted((place + 1, other + 1)),
                    **good,
                )
            first = rng.randrange(n - 1)
            if shown[first] != shown[first + 1]:
                swapped = [*shown[:first], shown[first + 1], shown[first], *shown[first + 2 :]]
                add("groups swapped", kind, swapped, groups_repaired=[first + 1, first + 2], **good)
            left_out = shown[:place] + shown[place + 1 :]
            add("group omitted", kind, left_out, groups_repaired=[place + 1], **good)
            stream = "".join(shown)
            cut = rng.randrange(len(stream))
            add("omission in a stream", kind, stream[:cut] + stream[cut + 1 :], flat=True, **good)
            add("doubled key in a stream", kind, stream[:cut] + stream[cut] + stream[cut:],
                flat=True, **good)  # fmt: skip
    for _ in range(6):
        _, payload, shown = fresh("cheque", 0)
        place = rng.randrange(4)
        for what, text in slips(shown[place]).items():
            if text and int(text) < P:
                add(
                    f"cheque, {what}",
                    "cheque",
                    spoiled(shown, place, text),
                    check=payload,
                    payload=payload,
                    status="repaired",
                    groups_repaired=[place + 1],
                )


def write_refusals() -> None:
    """Hopeless, non-canonical, malformed: what no decoder may accept."""
    for kind, (bits, groups, least, most) in KINDS.items():
        if P**groups >> bits:
            beyond = boxes(code(kind, 1 << bits, most))
            add("non-canonical", kind, beyond, parity=most, payload=None, status="refused")
        number, payload, shown = fresh(kind, least)
        never = f"{number ^ 1:x}"
        hopeless = {"ticket": "more", "cheque": "repaired"}.get(kind, "refused")
        if kind != "cheque":
            add(
                "not the code that was expected",
                kind,
                shown,
                check=never,
                payload=None,
                status=hopeless,
            )
        junk = boxes([rng.randrange(P) for _ in shown])
        status = "more" if most else "refused"
        if kind not in {"request", "confirm", "response", "ask"}:
            add("hopeless", kind, junk, parity=least, check=never, payload=None, status=status)
        add("a letter", kind, [*shown[:-1], "12a4"], payload=None, status="refused")
        add("nothing", kind, " -- ", payload=None, status="refused")
        add("far too long", kind, "7" * 401, payload=None, status="refused")
    for kind, parity in (("ticket", 0), ("cheque", 0)):
        _, payload, shown = fresh(kind, parity)
        add(
            "a short box",
            kind,
            spoiled(shown, 1, shown[1][:3]),
            payload=None,
            status="say-again",
            groups_doubtful=[2],
        )
        add(
            "no group value",
            kind,
            spoiled(shown, 2, "9973"),
            payload=None,
            status="say-again",
            groups_doubtful=[3],
        )
    for kind in ("request", "confirm", "response", "ask"):
        number, payload, shown = fresh(kind, 0)
        add(
            "never repaired",
            kind,
            spoiled(shown, 1, shown[1][:3] + str((int(shown[1][3]) + 1) % 10)),
            check=payload,
            payload=None,
            status="refused",
        )


def write_wrong_type() -> None:
    """A code typed into the field of another kind."""
    pairs = (
        ("request", "confirm"),
        ("confirm", "request"),
        ("ticket", "cheque"),
        ("cheque", "ticket"),
    )
    for said, asked in pairs:
        shorter = KINDS[asked][1] < KINDS[said][1]
        _, payload, shown = fresh(said, 0 if shorter else KINDS[asked][1] - KINDS[said][1])
        typed = shown[: KINDS[asked][1]]
        status = "more" if KINDS[asked][3] else "refused"
        why = f"a {said} typed as a {asked}"
        add(why, asked, typed, check=payload, payload=None, status=status)
    _, payload, shown = fresh("answer", 2)
    why = "an answer typed as a sealed ticket"
    add(why, "sealed", shown, parity=1, check=payload, payload=None, status="more")


write_clean()
write_guaranteed()
write_verified()
write_refusals()
write_wrong_type()
for line in lines:
    sys.stdout.write(json.dumps(line) + "\n")
