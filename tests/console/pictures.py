"""Make the console's pictures for the READMEs: a Sam with modems, busy for some minutes.

    python tests/console/pictures.py --minutes 12 --into sam/console

A real `dtns serve` with an emulated modem on a network of its own, phones that ask now and then,
and Debian's Chromium that takes the pictures. One answer's report is set to days later in the
store, for nobody waits so long for a picture.
"""

from __future__ import annotations

import argparse
import math
import random
import sqlite3
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from shutil import copyfile

sys.path.insert(0, str(Path(__file__).parents[1] / "equipment"))
from browser import visit
from deployment import DTNS, Deployment, deploy
from visitor import address, token

from dtns.sam.handset.exchanges import Asked, Wish
from dtns.sam.handset.phone import Phone
from dtns.sam.protocol.numbers import Number

PARTIES = 40
PICTURES = ("overview", "exchange")
MODEMS = """
[gateway.modem.one]
device = "{pty}"
per_minute = 0

[gateway.modem.two]
device = "/dev/serial/by-id/usb-Quectel-EC25*"
"""


def furnish(folder: Path) -> Deployment:
    """Make a deployment with a console whose only gateways are modems."""
    deployment = deploy(folder / "d")
    text = deployment.config.read_text()
    for section, key in (("console", "enabled = false"), ("network", "embedded = true")):
        head, _, tail = text.partition(f"[{section}]")
        text = f"{head}[{section}]{tail.replace(key, swapped(key), 1)}"
    head, _, tail = text.partition("[gateway.loopback]")
    text = f"{head}[gateway.loopback]{tail.replace('enabled = true', 'enabled = false', 1)}"
    text = text.replace("tcp:127.0.0.1:7280", "tcp:127.0.0.1:0")
    deployment.config.write_text(text + MODEMS.format(pty=folder / "modem"))
    return deployment


def swapped(key: str) -> str:
    """Return a line with the other truth value."""
    return key.replace("true", "x").replace("false", "true").replace("x", "false")


def keep_busy(sims: list[Path], seconds: float, chance: random.Random) -> None:
    """Let phones ask, more and less often, some of them for nobody, and some send junk."""
    phones = [Phone(sim) for sim in sims]
    began = time.monotonic()
    while (gone := time.monotonic() - began) < seconds:
        asker, holder = chance.sample(phones, 2)
        stranger = Number("254799000000") if chance.random() < 0.12 else holder.sim.number
        with asker.line() as line:
            if chance.random() < 0.05:
                line.submit(asker.sim.service_number, "BALANCE?")
            else:
                with asker.handset() as handset:
                    asked = handset.ask(stranger, Wish(), time.time(), anew=True)
                assert isinstance(asked, Asked), asked
                asker.send(line, asked)
            list(asker.take_in(line, 0.3))
        time.sleep(chance.uniform(0.2, 2.0) * (1.6 + math.sin(gone / 80)))


def take_pictures(deployment: Deployment, into: Path) -> None:
    """Take the tour, and keep the pictures of two pages."""
    with tempfile.TemporaryDirectory(prefix="dtns-pictures-") as folder:
        visit(
            "pictures.mjs",
            f"{address(deployment)}login",
            token=token(deployment),
            pictures=folder,
            width=1060,
            height=880,
        )
        for name in PICTURES:
            copyfile(Path(folder) / f"{name}.png", into / f"{name}.png")


def main() -> None:
    """Furnish, keep busy, take pictures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=12)
    parser.add_argument("--into", type=Path, default=Path("sam/console"))
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="dtns-pictures-") as scratch:
        folder = Path(scratch)
        deployment = furnish(folder)
        sims = deployment.enrol(*(f"+2547{n:08d}" for n in range(12_000_000, 12_000_000 + PARTIES)))
        endpoint = f"unix:{deployment.folder / 'network.sock'}"
        network = subprocess.Popen(
            [*DTNS, "network", "--endpoint", endpoint, "--modem-pty", str(folder / "modem")],
            stderr=subprocess.DEVNULL,
        )
        try:
            with deployment.sam():
                time.sleep(3)
                keep_busy(sims, 8, random.Random(1))
            with sqlite3.connect(deployment.folder / "dtns.sqlite") as store:
                store.execute(
                    "UPDATE outbox SET settled_at = queued_at + 293000, attempts = 9"
                    " WHERE state = 'delivered' AND id = 1"
                )
            store.close()
            with deployment.sam():
                keep_busy(sims, options.minutes * 60, random.Random(2))
                take_pictures(deployment, options.into)
        finally:
            network.terminate()
            network.wait(10)


if __name__ == "__main__":
    main()
