"""Measure the digit codes beside their rivals: ``python tests/bench/digits.py --entries 20000``.

One JSON line a cell. Slips are drawn as in digits_channel; the seed fixes every figure but the
times. ``--svg FILE`` draws the picture of codecs/README.md.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from functools import partial
from itertools import product
from pathlib import Path
from random import Random
from statistics import median
from time import perf_counter
from typing import TYPE_CHECKING, Any, NamedTuple

sys.path.insert(0, str(Path(__file__).parents[2] / "src"))

from digits_channel import spoil
from digits_picture import picture
from digits_rivals import RIVALS, Rival

from dtns.codecs.digits import PROFILES, Profile, Status, decode, encode, show

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SLIPS_A_DIGIT = 0.01
CODES = (
    ("ticket", 0), ("ticket", 1), ("ticket", 2),
    ("key", 1), ("key", 2), ("key", 3),
    ("sealed", 1), ("sealed", 2), ("answer", 1), ("answer", 2), ("cheque", 0),
)  # fmt: skip


def emit(**cell: Any) -> dict[str, Any]:
    """Print one cell as a JSON line."""
    rounded = {k: float(f"{v:.4g}") if isinstance(v, float) else v for k, v in cell.items()}
    sys.stdout.write(json.dumps(rounded) + "\n")
    sys.stdout.flush()
    return rounded


class Cell(NamedTuple):
    """One cell of the table of slips."""

    profile: Profile
    parity: int
    slips: int
    flat: bool
    mac: bool


def outcomes(cell: Cell, seed: Random, entries: int) -> Counter[str]:
    """Return how entries with exactly this many slips end."""
    counted: Counter[str] = Counter()
    profile = cell.profile
    for _ in range(entries):
        payload = seed.getrandbits(profile.bits)
        boxes = show(encode(profile, payload, parity=cell.parity)).split()
        typed = spoil(boxes, cell.slips, seed, stream=cell.flat)
        check = payload.__eq__ if cell.mac else None
        entry: Any = "".join(typed) if cell.flat else typed
        reading = decode(profile, entry, check=check, parity=cell.parity, flat=cell.flat)
        right = reading.payload == payload
        counted[reading.status.value] += 1
        counted["right"] += right
        counted["wrong"] += reading.payload is not None and not right
        counted["candidates"] += reading.candidates_tried
    return counted


def code_cells(options: argparse.Namespace) -> None:
    """Measure the cells that were asked for in every code, with and without a MAC."""
    wanted = set(options.codes.split(","))
    for name, parity in CODES:
        if options.codes and f"{name}+{parity}" not in wanted:
            continue
        ways = product(options.slips, (False, True), (True, False))
        for slips, flat, mac in ways:
            if options.entry in {"both", "flat" if flat else "box"} and options.mac in {
                "both",
                "yes" if mac else "no",
            }:
                emit_slips(Cell(PROFILES[name], parity, slips, flat, mac), options)


def emit_slips(cell: Cell, options: argparse.Namespace) -> None:
    """Measure one cell, seeded by what it is so that it can be repeated alone."""
    name, entries = f"{cell.profile.name}+{cell.parity}", options.entries
    seed = Random(f"{options.seed} {name} {cell.slips} {cell.flat} {cell.mac}")
    counted = outcomes(cell, seed, entries)
    rates = ("right", "wrong", "more", "say-again", "refused", "candidates")
    emit(
        cell="slips",
        scheme=f"dtns {name}",
        bits=cell.profile.bits,
        digits=4 * (cell.profile.groups + cell.parity),
        entry="flat" if cell.flat else "box",
        mac=cell.mac,
        slips=cell.slips,
        entries=entries,
        **{rate: counted[rate] / entries for rate in rates},
    )


def rival_cells(entries: int, seed: Random) -> None:
    """Measure one, two and three slips in the rivals; they take no MAC and repair nothing."""
    for rival in RIVALS:
        for slips in (1, 2, 3):
            for flat in (False, True):
                wrong = located = 0
                for _ in range(entries):
                    boxes = rival.show(seed.getrandbits(128))
                    typed = spoil(boxes, slips, seed, stream=flat)
                    wrong += rival.read(typed) is not None
                    located += bool(rival.faulty(typed)) and len(typed) == len(boxes)
                emit(
                    cell="slips", scheme=rival.name, bits=128,
                    digits=len("".join(boxes)), entry="flat" if flat else "box", mac=False,
                    slips=slips, entries=entries, right=0.0, wrong=wrong / entries,
                    located=located / entries,
                )  # fmt: skip


def slipped(boxes: list[str], rate: float, seed: Random) -> list[str]:
    """Return the boxes typed with slips at a rate a digit."""
    slips = sum(seed.random() < rate for _ in "".join(boxes))
    return spoil(boxes, slips, seed)


def type_code(profile: Profile, parity: int, rate: float, seed: Random) -> tuple[int, bool, bool]:
    """Return the digits typed until a code is in, whether at once, and whether never in full again.

    The dialogue asks for one more group, for single groups, and then for the whole code.
    """
    payload = seed.getrandbits(profile.bits)
    groups = show(encode(profile, payload, parity=profile.max_parity)).split()
    typed_digits, first, whole = 0, True, 0
    while True:
        whole += 1
        shown = parity
        typed = slipped(groups[: profile.groups + shown], rate, seed)
        typed_digits += len("".join(typed))
        while True:
            reading = decode(profile, typed, check=payload.__eq__, parity=shown)
            if reading.payload is not None:
                return typed_digits, first, whole > 1
            first = False
            if reading.status is Status.MORE:
                again = slipped([groups[profile.groups + shown]], rate, seed)
                typed, shown = typed + again, shown + 1
            elif reading.status is Status.SAY_AGAIN:
                again = slipped([groups[i - 1] for i in reading.doubtful], rate, seed)
                for i, box in zip(reading.doubtful, again, strict=False):
                    typed[i - 1] = box
            else:
                break
            typed_digits += len("".join(again))


def type_rival(rival: Rival, rate: float, seed: Random) -> tuple[int, bool, bool]:
    """Return the same for a rival; boxes it can name are typed again alone."""
    payload = seed.getrandbits(128)
    boxes = rival.show(payload)
    typed_digits, first, whole = 0, True, 0
    while True:
        whole += 1
        typed = slipped(boxes, rate, seed)
        typed_digits += len("".join(typed))
        while True:
            if rival.read(typed) == payload:
                return typed_digits, first, whole > 1
            first = False
            faulty = rival.faulty(typed)
            if not faulty or len(typed) != len(boxes):
                break
            again = slipped([boxes[i] for i in faulty], rate, seed)
            typed_digits += len("".join(again))
            for i, box in zip(faulty, again, strict=False):
                typed[i] = box


def dialogue_cells(entries: int, seed: Random) -> list[dict[str, Any]]:
    """Measure digits typed until accepted, at one slip in a hundred digits, box entry, MAC."""
    dialogues: list[tuple[str, int, int, Callable[[], tuple[int, bool, bool]]]] = [
        (f"dtns {name}", PROFILES[name].bits, 4 * (PROFILES[name].groups + parity),
         partial(type_code, PROFILES[name], parity, SLIPS_A_DIGIT, seed))
        for name, parity in CODES
    ]  # fmt: skip
    for rival in RIVALS:
        digits = len("".join(rival.show(0)))
        dialogues.append((rival.name, 128, digits, partial(type_rival, rival, SLIPS_A_DIGIT, seed)))
    cells = []
    for scheme, bits, digits, dialogue in dialogues:
        runs = [dialogue() for _ in range(entries)]
        cells.append(
            emit(
                cell="dialogue", scheme=scheme, bits=bits, digits=digits, entries=entries,
                slips_a_digit=SLIPS_A_DIGIT, typed=sum(run[0] for run in runs) / entries,
                failed_first=sum(not run[1] for run in runs) / entries,
                retyped_whole=sum(run[2] for run in runs) / entries,
            )
        )  # fmt: skip
    return cells


def timed(work: Callable[[Any], object], inputs: list[Any]) -> Iterator[float]:
    """Return the microseconds that each piece of work took."""
    for given in inputs:
        start = perf_counter()
        work(given)
        yield (perf_counter() - start) * 1e6


def time_cells(seed: Random) -> None:
    """Measure encoding, clean decoding, hopeless and hostile entries, in microseconds."""
    key = PROFILES["key"]
    payloads = [seed.getrandbits(128) for _ in range(20_000)]
    entries = [show(encode(key, payload)) for payload in payloads]
    cells: list[tuple[str, Callable[[Any], object], list[Any]]] = [
        ("encode key", lambda payload: encode(key, payload), payloads),
        ("decode key, clean", lambda entry: decode(key, entry), entries),
    ]
    for name, parity in CODES:
        profile = PROFILES[name]
        never = partial(decode, profile, check=lambda _: False, parity=parity)
        junk = [
            [f"{seed.randrange(10_000):04d}" for _ in range(profile.groups + parity)]
            for _ in range(300)
        ]
        cells.append((f"decode {name}+{parity}, hopeless boxes", never, junk))
        flat = [
            "".join(
                seed.choices("0123456789", k=4 * (profile.groups + parity) + seed.randint(-5, 5))
            )
            for _ in range(300)
        ]
        cells.append((f"decode {name}+{parity}, hopeless stream", never, flat))
    for what, work, inputs in cells:
        work(inputs[0])
        times = list(timed(work, inputs))
        emit(
            cell="time",
            what=what,
            median_us=median(times),
            mean_us=sum(times) / len(times),
            worst_us=max(times),
        )


def main() -> None:
    """Run the cells that were asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--entries", type=int, default=20_000, help="entries a cell")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--cells", default="slips,rivals,dialogue,time")
    parser.add_argument("--codes", default="", help="for the slips cells, as key+2,ticket+1")
    parser.add_argument("--slips", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--entry", choices=["box", "flat", "both"], default="both")
    parser.add_argument("--mac", choices=["yes", "no", "both"], default="both")
    parser.add_argument("--svg", type=Path, help="draw the dialogue cells of 128 bits here")
    options = parser.parse_args()
    seed, wanted = Random(options.seed), options.cells.split(",")
    if "slips" in wanted:
        code_cells(options)
    if "rivals" in wanted:
        rival_cells(options.entries, seed)
    if "dialogue" in wanted:
        cells = dialogue_cells(options.entries, seed)
        if options.svg:
            options.svg.write_text(picture(cells))
    if "time" in wanted:
        time_cells(seed)


if __name__ == "__main__":
    main()
