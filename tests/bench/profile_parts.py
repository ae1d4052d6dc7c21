"""Where the CPU time of an issue goes, part by part, beside krb5kdc's; one JSON line.

    python tests/bench/profile_parts.py --svg sam/issue_cost.svg

Sam is sampled each millisecond of its CPU time while it answers asks, then timed without that;
the parts are shares of the time without. krb5kdc is sampled by Linux's perf, by the library that it
is in. `--beside NAME=FILE` puts the parts of an earlier run's JSON line into the picture, too.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from digits_picture import document, text_at
from figures import conclude, cores, tell
from kdc import Kdc, Strength
from stand import FRAMINGS, Stand

PARTIES = 1000
SAMPLING = Path(__file__).with_name("sampling")
_PARTS = (
    ("sam/store/database.py:transaction", "commit"),
    ("sam/store/connection.py:execute", "commit"),
    ("sam/store/audit.py", "audit chain"),
    ("sam/store/guard.py", "audit chain"),
    ("sam/store", "rows and statements"),
    ("sam/issuing", "decision"),
    ("sam/protocol", "parsing, MACs, keys, sealing"),
    ("sam/service", "intake and outbox"),
    ("gateway", "carrier and framing"),
    ("reactor", "reactor"),
)
ORDER = tuple(dict.fromkeys(part for _, part in _PARTS))
_WAIT_SECONDS = 10.0
_LEFT, _TOP, _BAR, _STEP, _WIDTH = 190, 40, 26, 64, 720
_GREYS = ("#57606a", "#6e7781", "#8c959f", "#afb8c1")
_STYLE = """
  .small { font-size: 11px; } .in { fill: #ffffff; stroke: none; text-anchor: middle; }
"""
_COLOURS = ("#0969da", "#1a7f37", "#bc4c00", "#8250df", "#9a6700", "#cf222e", "#6e7781", "#57606a")


def part_of(place: str) -> str:
    """Return the part that a function belongs to."""
    return next((part for beginning, part in _PARTS if place.startswith(beginning)), "reactor")


def profile_sam(folder: Path, framing: str, asks: int) -> dict[str, float]:
    """Return the microseconds of CPU that an issue costs in each part."""
    samples = folder / "samples"
    environment = {"PYTHONPATH": _with_sampling(), "DTNS_SAMPLES": str(samples)}
    with Stand(
        folder / "sampled", PARTIES, cores(), framing=framing, environment=environment
    ) as stand:
        stand.round(asks)
        os.kill(stand.pid, signal.SIGUSR1)
        stand.round(asks)
        os.kill(stand.pid, signal.SIGUSR2)
        deadline = time.monotonic() + _WAIT_SECONDS
        while not samples.exists() and time.monotonic() < deadline:
            time.sleep(0.05)
    counts: Counter[str] = Counter()
    for place, count in json.loads(samples.read_text()).items():
        counts[part_of(place)] += count
    with Stand(folder / "timed", PARTIES, cores(), framing=framing) as stand:
        stand.round(asks)
        cost = stand.round(asks).cpu_us
    return {part: round(cost * counts[part] / counts.total(), 1) for part in ORDER}


def profile_kdc(folder: Path, requests: int) -> dict[str, float]:
    """Return the microseconds of CPU that a TGS request costs in each library."""
    with Kdc(folder / "kdc", Strength.DEFAULT, *cores()) as kdc:
        cost = kdc.round(requests).cpu_us
        record = ("perf", "record", "-q", "-e", "cpu-clock", "-F", "4000", "-o", f"{folder}/perf")
        perf = subprocess.Popen([*record, "-p", str(kdc.pid)], stderr=subprocess.DEVNULL)
        time.sleep(1)
        kdc.round(requests)
        perf.send_signal(signal.SIGINT)
        perf.wait()
    report = ("perf", "report", "-q", "-i", f"{folder}/perf", "--sort", "dso", "--stdio")
    lines = subprocess.run(report, capture_output=True, text=True, check=True).stdout.split("\n")
    shares = [line.split() for line in lines if line.strip() and not line.startswith("#")]
    parts = {name: round(cost * float(share.rstrip("%")) / 100, 1) for share, name, *_ in shares}
    return {name: cost for name, cost in parts.items() if cost >= 1}


def picture(bars: dict[str, dict[str, float]]) -> str:
    """Draw one bar for each program, its parts side by side, in microseconds of CPU."""
    scale = (_WIDTH - _LEFT - 70) / max(sum(parts.values()) for parts in bars.values())
    about = "Microseconds of CPU for each key issued, part by part"
    drawn = [text_at(_LEFT, 22, about, class_="title")]
    for row, (name, parts) in enumerate(bars.items()):
        drawn += _bar(_TOP + row * _STEP, name, parts, scale)
    bottom = _TOP + len(bars) * _STEP + 14
    drawn += _legend(bottom)
    return document(drawn, about, bottom + 66, _STYLE)


def _bar(y: int, name: str, parts: dict[str, float], scale: float) -> list[str]:
    x = float(_LEFT)
    drawn = [text_at(_LEFT - 8, y + 18, name, text_anchor="end")]
    for index, (part, cost) in enumerate(parts.items()):
        known = part in ORDER
        colour = _COLOURS[ORDER.index(part)] if known else _GREYS[index % len(_GREYS)]
        drawn.append(
            f'<rect x="{x:.1f}" y="{y}" width="{cost * scale:.1f}" height="{_BAR}"'
            f' fill="{colour}"><title>{part}: {cost} µs</title></rect>'
        )
        if cost * scale > 26:
            drawn.append(text_at(x + cost * scale / 2, y + 17, f"{cost:.0f}", class_="in"))
        x += cost * scale
    drawn.append(text_at(x + 6, y + 18, f"{sum(parts.values()):.0f} µs"))
    if not known:
        names = ", ".join(part.split(".so")[0].strip("[]") for part in list(parts)[:4])
        drawn.append(text_at(_LEFT, y + _BAR + 14, names, class_="small"))
    return drawn


def _legend(top: int) -> list[str]:
    drawn = []
    for index, (part, colour) in enumerate(zip(ORDER, _COLOURS, strict=True)):
        x, y = 20 + index % 4 * 178, top + index // 4 * 24
        drawn.append(f'<rect x="{x}" y="{y}" width="12" height="12" fill="{colour}"/>')
        drawn.append(text_at(x + 18, y + 11, part, class_="small"))
    return drawn


def _with_sampling() -> str:
    return os.pathsep.join(filter(None, (str(SAMPLING), os.environ.get("PYTHONPATH", ""))))


def main() -> None:
    """Run the command line above."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--framing", choices=FRAMINGS, default="smpp")
    parser.add_argument("--asks", type=int, default=20_000)
    parser.add_argument("--requests", type=int, default=10_000)
    parser.add_argument("--beside", action="append", default=[], metavar="NAME=FILE")
    parser.add_argument("--svg", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="dtns-profile-") as name:
        sam = profile_sam(Path(name), options.framing, options.asks)
        tell(f"Sam: {sum(sam.values()):.0f} us")
        kdc = profile_kdc(Path(name), options.requests)
    if options.svg:
        by = options.framing.replace("smpp", "SMPP")
        bars = {"krb5kdc": kdc, f"Sam, {by}": sam}
        for name, _, file in (each.partition("=") for each in options.beside):
            bars[name] = json.loads(Path(file).read_text().splitlines()[-1])["sam_us"]
        options.svg.write_text(picture(bars))
    conclude("profile_parts", {"framing": options.framing, "sam_us": sam, "kdc_us": kdc})


if __name__ == "__main__":
    sys.exit(main())
