"""`dtns demo`: the whole idea in one terminal, on real processes."""

from __future__ import annotations

import hashlib
import json
import secrets
import tempfile
import time
from pathlib import Path
from typing import Any, Final

import click

from dtns.sam.cli.deployment import create_deployment
from dtns.sam.cli.exits import Exit
from dtns.sam.cli.stage import Stage
from dtns.sam.cli.story import Story
from dtns.sam.configuration.example import EXAMPLE

_PAUSE_SECONDS: Final = 2.0
_WIDTH: Final = 78
_DIGITS: Final = {
    "a key of the pair's own, and the first payment on it: express, one way": "20",
    "each further payment on it: cheque, one way": "16",
    "proof that the payee is there, too: challenge, both ways": "8 + 12",
    "a small sum under the key that all share": "8 + 8",
    "DigiTally's payments, under a key that all share": "8 + 8",
    "a 128-bit key as BitLocker's 48 digits, then a payment": "48 + 16",
}
_COLOURS: Final = {"Alice": "cyan", "Bob": "green", "Mallory": "red", "phone": "yellow"}


class Aloud:
    """Tells the story on the terminal."""

    def __init__(self, *, slow: bool) -> None:
        self._slow = slow
        self._scenes = 0

    def scene(self, title: str, why: str) -> None:
        """Open a scene with its number, title and reason."""
        self._pause()
        self._scenes += 1
        click.secho(f"\n{self._scenes}  {title}", bold=True)
        click.echo(click.wrap_text(why, _WIDTH, initial_indent="   ", subsequent_indent="   "))

    def says(self, who: str, what: str) -> None:
        """Tell what one of the parties did or saw."""
        self._pause()
        click.echo("   " + click.style(f"{who:>8}  ", fg=_COLOURS.get(who)) + what)

    def _pause(self) -> None:
        if self._slow:
            time.sleep(_PAUSE_SECONDS)


class Silent:
    """Tells nothing, for --json."""

    def scene(self, title: str, why: str) -> None:
        """Say nothing."""

    def says(self, who: str, what: str) -> None:
        """Say nothing."""


@click.command()
@click.option("--seed", type=click.IntRange(0), help="Make keys and digits repeatable.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object at the end.")
@click.option("--slow", is_flag=True, help="Pause between the lines.")
@click.option(
    "--gateway",
    type=click.Choice(("loopback", "modem")),
    default="loopback",
    show_default=True,
    help="How Sam's messages travel: straight on the network, or by a GSM modem on it.",
)
@click.option("--web", is_flag=True, help="Two phones to play with, in a browser, until Ctrl-C.")
@click.option(
    "--port",
    type=click.IntRange(0, 65_535),
    default=0,
    help="Where --web listens on 127.0.0.1. [any that is free]",
)
def demo(
    seed: int | None, gateway: str, port: int, *, as_json: bool, slow: bool, web: bool
) -> None:
    """Show the whole idea in one terminal, on real processes, in under ten seconds.

    The same --seed gives the same digits within one week, for expiry is counted in weeks.
    """
    if web:
        if seed is not None or as_json or slow or gateway != "loopback":
            raise click.UsageError("--web goes with --port alone")
        _play_in_browser(port)
        return
    started = time.monotonic()
    narrator = Silent() if as_json else Aloud(slow=slow)
    with tempfile.TemporaryDirectory(prefix="dtns-demo-") as folder:
        story = _play(Path(folder) / "dtns", seed, narrator, modem=gateway == "modem")
    seconds = round(time.monotonic() - started, 1)
    whole = all(story.proved.values())
    if as_json:
        facts: dict[str, Any] = {
            "status": "done" if whole else "failed",
            "seed": seed,
            "gateway": gateway,
        }
        facts |= {"seconds": seconds, "proved": story.proved, "events": story.events}
        click.echo(json.dumps(facts))
    else:
        _table(story, seconds)
    if not whole:
        raise click.exceptions.Exit(Exit.REFUSED)


def _play_in_browser(port: int) -> None:
    from dtns.sam.console.simulator_running import serve_two_phones  # noqa: PLC0415 (the reactor)

    click.echo("Two phones, a network and a Sam are being switched on. Ctrl-C ends it all.")
    click.echo("Each link opens once; Enter gives another.")
    serve_two_phones(port, lambda link: click.secho(f"\n  {link}", bold=True))


def _play(folder: Path, seed: int | None, narrator: Aloud | Silent, *, modem: bool) -> Story:
    _furnish(folder, seed, modem=modem)
    with Stage(folder, seed or 0, folder / "modem" if modem else None) as stage:
        story = Story(stage, narrator)
        story.play()
        return story


def _table(story: Story, seconds: float) -> None:
    click.secho("\nWhat was shown", bold=True)
    for claim, holds in story.proved.items():
        mark = click.style("yes", fg="green") if holds else click.style("NO ", fg="red")
        click.echo(f"   {mark}  {claim}")
    _compare()
    click.echo(f"\n   {story.stage.processes} processes, {seconds} seconds.")


def _compare() -> None:
    """Show what a payment costs in digits, beside other ways."""
    click.secho("\nDigits that people copy", bold=True)
    for what, digits in _DIGITS.items():
        click.echo(f"   {digits:>7}  {what}")


def _furnish(folder: Path, seed: int | None, *, modem: bool) -> None:
    """Make a deployment whose network is a process of its own, the master key made from a seed."""
    random = secrets.token_bytes if seed is None else _Seeded(seed)
    text = EXAMPLE.replace("embedded = true", "embedded = false")
    if modem:
        loopback = "a loopback network.\nenabled = "
        text = text.replace(f"{loopback}true", f"{loopback}false")
        text += f'\n[gateway.modem.demo]\ndevice = "{folder / "modem"}"\nper_minute = 0\n'
    create_deployment(folder, random, text)


class _Seeded:
    """Octets that the seed fixes, for keys that protect nothing but the demo."""

    def __init__(self, seed: int) -> None:
        self._seed = seed

    def __call__(self, octets: int) -> bytes:
        return hashlib.shake_256(f"dtns demo {self._seed}".encode()).digest(octets)
