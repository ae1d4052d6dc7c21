"""`dtns digits`: the digit codes alone, line by line from stdin to stdout."""

from __future__ import annotations

import json
import string
import sys
from collections.abc import Callable, Iterator
from typing import Any, Final

import click

from dtns.codecs.digits import MAX_PARITY, PROFILES, Profile, Reading, Status
from dtns.codecs.digits import decode as read
from dtns.codecs.digits import encode as write
from dtns.codecs.digits import show as grouped
from dtns.sam.cli.exits import Exit

_GOOD: Final = {Status.ACCEPTED, Status.REPAIRED}
_PROFILE = click.option(
    "--profile", required=True, type=click.Choice(sorted(PROFILES)), help="The kind of code."
)
_PARITY = click.option(
    "--parity",
    type=click.IntRange(0, MAX_PARITY),
    help="Parity groups shown or typed. [encode: the profile's own; decode: as many as there are]",
)
_FLAT = click.option("--flat", is_flag=True, help="Digits in one row, without groups.")
_JSONL = click.option("--jsonl", "--json", "as_json", is_flag=True, help="One JSON object a line.")


class BadLineError(ValueError):
    """A line of the input is not of its form; the text says what is allowed."""


@click.group()
def digits() -> None:
    """Write payloads as digits for people, and read what people typed.

    A payload is a whole number of the profile's bits (ticket 66, key 128, sealed 202, answer 199,
    cheque 53, request and confirm 26, response and ask 39), most significant bit first, in
    hexadecimal: with leading zeros or without on the way in, filled up to whole octets on the
    way out. A bad line is reported and the next one read; then the exit code is 1.
    """


@digits.command()
@_PROFILE
@_PARITY
@_FLAT
@_JSONL
def encode(profile: str, parity: int | None, *, flat: bool, as_json: bool) -> None:
    """Read hexadecimal payloads, one a line, and print their groups of digits."""
    kind = PROFILES[profile]
    _insist_on_parity(kind, parity)

    def encoded(line: str) -> tuple[dict[str, Any], str, bool]:
        groups = grouped(write(kind, _payload(line, kind), parity=parity))
        code = groups.replace(" ", "") if flat else groups
        return {"status": Status.ACCEPTED.value, "digits": code}, code, True

    _stream(encoded, as_json=as_json)


@digits.command()
@_PROFILE
@_PARITY
@_FLAT
@_JSONL
def decode(profile: str, parity: int | None, *, flat: bool, as_json: bool) -> None:
    """Read typed codes, one a line, and print their payloads in hexadecimal.

    With --jsonl a line may also be {"entry": "…", "check": "<hex payload>"}, where the check
    stands in for the MAC: only this payload verifies. Every result is then a JSON object with
    status, payload, groups_repaired, candidates_tried and reason.
    """
    kind = PROFILES[profile]
    _insist_on_parity(kind, parity)

    def decoded(line: str) -> tuple[dict[str, Any], str, bool]:
        entry, check = _entry(line, kind) if as_json else (line, None)
        reading = read(kind, entry, check=check, parity=parity, flat=flat)
        good = reading.status in _GOOD
        return _facts(kind, reading), _hex(kind, reading) or reading.message(), good

    _stream(decoded, as_json=as_json)


def _stream(convert: Callable[[str], tuple[dict[str, Any], str, bool]], *, as_json: bool) -> None:
    """Convert stdin line by line; results go to stdout, complaints to stderr."""
    failed = False
    for number, line in _lines():
        try:
            facts, text, good = convert(line)
        except BadLineError as fault:
            facts = {"status": "refused", "reason": "bad-line", "message": str(fault)}
            text, good = str(fault), False
        failed |= not good
        if as_json:
            sys.stdout.write(json.dumps({"line": number, **facts}) + "\n")
        elif good:
            sys.stdout.write(text + "\n")
        else:
            click.echo(f"dtns: line {number}: {text}", err=True)
        sys.stdout.flush()
    if failed:
        raise click.exceptions.Exit(Exit.REFUSED)


def _lines() -> Iterator[tuple[int, str]]:
    for number, octets in enumerate(sys.stdin.buffer, start=1):
        yield number, octets.decode("utf-8", "replace").rstrip("\r\n")


def _insist_on_parity(profile: Profile, parity: int | None) -> None:
    if parity is not None and parity > profile.max_parity:
        raise click.BadParameter(
            f"{profile.name} has at most {profile.max_parity} parity groups",
            param_hint="--parity",
        )


def _payload(text: str, profile: Profile) -> int:
    """Return the payload that a line names; BadLineError never repeats it."""
    text = text.strip()
    longest = -(-profile.bits // 8) * 2
    hexadecimal = 0 < len(text) <= longest and set(text) <= set(string.hexdigits)
    payload = int(text, 16) if hexadecimal else -1
    if not 0 <= payload < 1 << profile.bits:
        raise BadLineError(
            f"no payload: at most {longest} hexadecimal digits of a number below 2^{profile.bits}"
        )
    return payload


def _entry(line: str, profile: Profile) -> tuple[str, Callable[[int], bool] | None]:
    if not line.lstrip().startswith("{"):
        return line, None
    try:
        values = json.loads(line)
        entry, check = values["entry"], values.get("check")
    except (ValueError, KeyError, RecursionError):
        entry = check = None
    if not isinstance(entry, str) or not isinstance(check, str | None):
        raise BadLineError('write a JSON line as {"entry": "…", "check": "<hex payload>"}')
    return entry, None if check is None else _payload(check, profile).__eq__


def _facts(profile: Profile, reading: Reading) -> dict[str, Any]:
    return {
        "status": reading.status.value,
        "payload": _hex(profile, reading),
        "groups_repaired": list(reading.changed),
        "groups_doubtful": list(reading.doubtful),
        "candidates_tried": reading.candidates_tried,
        "reason": reading.reason,
        "message": reading.message(),
    }


def _hex(profile: Profile, reading: Reading) -> str | None:
    if reading.payload is None:
        return None
    return reading.payload.to_bytes(-(-profile.bits // 8)).hex()
