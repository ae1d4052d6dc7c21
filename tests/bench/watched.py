"""What watching Sam costs: CPU time for each key, beside a Sam that nobody watches; one JSON line.

    python tests/bench/watched.py --rounds 7

In each round three Sams in turn answer so many asks: one alone; one with console and metrics, which
are scraped every second; one that logs each step of each exchange.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import threading
import urllib.request
from pathlib import Path

from figures import conclude, cores, ratios, spread, tell
from stand import Stand

PARTIES = 500
SECTIONS = {
    "alone": "",
    "scraped": """
[console]
enabled = true
listen = "unix:console.sock"
[metrics]
enabled = true
listen = "tcp:127.0.0.1:0"
""",
    "exchanges_logged": "\n[sam]\nlog_exchanges = true\n",
}


def scrape(stand: Stand, over: threading.Event) -> None:
    """Ask for the figures every second."""
    ready = next(line for line in stand.deployment.log.splitlines() if '"ready"' in line)
    url = f"http://{json.loads(ready)['metrics'].removeprefix('tcp:')}/metrics"
    while not over.wait(1.0):
        with urllib.request.urlopen(url, timeout=10) as response:
            response.read()


def main() -> None:
    """Run the command line above."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--asks", type=int, default=4000)
    options = parser.parse_args()
    micros: dict[str, list[float]] = {name: [] for name in SECTIONS}
    with tempfile.TemporaryDirectory(prefix="dtns-watched-") as folder:
        for round_ in range(options.rounds):
            for name, sections in SECTIONS.items():
                place = Path(folder) / f"{name}{round_}"
                with Stand(place, PARTIES, cores(), framing="loopback", sections=sections) as stand:
                    over = threading.Event()
                    scraper = threading.Thread(target=scrape, args=(stand, over))
                    if name == "scraped":
                        scraper.start()
                    stand.round(options.asks // 4)
                    micros[name].append(stand.round(options.asks).cpu_us)
                    over.set()
                    if name == "scraped":
                        scraper.join()
            tell("  ".join(f"{name} {values[-1]:6.1f} us" for name, values in micros.items()))
    alone = micros["alone"]
    figures = {name: {"cpu_us": spread(values, 1)} for name, values in micros.items()}
    for name, values in micros.items():
        figures[name]["to_alone"] = ratios(values, alone)
    conclude("watched", figures)


if __name__ == "__main__":
    main()
