"""`dtns network`: the loopback SMS network on its own, and its conditions changed while it runs."""

from __future__ import annotations

import dataclasses
import secrets
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import click

from dtns.gateway.errors import AddressError, ConditionsError, NoSignalError, WireError
from dtns.gateway.loopback import operations as op
from dtns.gateway.loopback.address import Address, UnixAddress, parse_address
from dtns.gateway.loopback.conditions import Conditions
from dtns.gateway.loopback.wire import Lines, decode_from_network, encode
from dtns.sam.cli.show import JSON_OPTION, show_facts, show_json
from dtns.sam.cli.without import without_tls

PATH: Final = click.Path(dir_okay=False, path_type=Path)
DEFAULT_ENDPOINT: Final = "tcp:127.0.0.1:7700"
_PATIENCE_SECONDS: Final = 10.0
_READ_OCTETS: Final = 65536


class EndpointType(click.ParamType[Address]):
    """`unix:PATH` or `tcp:HOST:PORT`."""

    name = "endpoint"

    def convert(self, value: Any, param: click.Parameter | None, ctx: Any) -> Address:
        """Return the address."""
        try:
            return parse_address(value)
        except AddressError as fault:
            self.fail(str(fault), param, ctx)


class OutageType(click.ParamType[tuple[float, float]]):
    """`START:LENGTH`, both in seconds."""

    name = "start:length"

    def convert(self, value: Any, param: click.Parameter | None, ctx: Any) -> tuple[float, float]:
        """Return start and length."""
        start, _, length = value.partition(":")
        try:
            return float(start), float(length)
        except ValueError:
            self.fail("write START:LENGTH in seconds, as in 60:30", param, ctx)


@click.command()
@click.option(
    "--endpoint",
    type=EndpointType(),
    default=DEFAULT_ENDPOINT,
    help="Where to listen.",
    show_default=True,
)
@click.option("--control", type=EndpointType(), help="Change a running network instead.")
@click.option("--delay", type=float, help="Mean seconds that a message takes.")
@click.option("--jitter", type=float, help="Spread of the delay in seconds.")
@click.option("--loss", type=float, help="Probability that a message is lost.")
@click.option("--duplication", type=float, help="Probability that it comes twice.")
@click.option("--reordering", type=float, help="Probability that later ones overtake it.")
@click.option("--hold", type=float, help="Seconds for which an overtaken one is held back.")
@click.option(
    "--outage",
    "outages",
    type=OutageType(),
    multiple=True,
    help="START:LENGTH in seconds from the start; may be given again.",
)
@click.option("--signal/--no-signal", default=None, help="Switch the whole network on or off.")
@click.option("--seed", type=int, help="Makes the fates of messages repeatable.")
@click.option("--modem-pty", type=PATH, help="Emulate a GSM modem too; make this link to its port.")
@click.option("--modem-number", default="7267", show_default=True, help="The modem's own number.")
@click.option(
    "--modem-dialect",
    type=click.Choice(("huawei", "quectel", "simcom", "zte")),
    default="huawei",
    show_default=True,
    help="Whose modem it is like.",
)
@click.option("--modem-control", type=PATH, help="A Unix socket to order the modem's faults at.")
@JSON_OPTION
def network(
    endpoint: Address,
    control: Address | None,
    seed: int | None,
    *,
    modem_pty: Path | None,
    modem_number: str,
    modem_dialect: str,
    modem_control: Path | None,
    as_json: bool,
    **changes: Any,
) -> None:
    """Run a loopback network until SIGTERM; phones and Sam attach to it.

    Prints one JSON line with the event `ready` on stderr once it listens. With --control it sends
    the other options to a network that runs, and prints its conditions and counts.
    """
    changes["outages"] = changes["outages"] or None
    given = {name: value for name, value in changes.items() if value is not None}
    if control is not None:
        _show(_change(control, given), as_json=as_json)
        return
    try:
        conditions = Conditions(**given)
    except ConditionsError as fault:
        raise click.UsageError(str(fault)) from None
    with without_tls():
        from twisted.internet import reactor  # noqa: PLC0415 (installs the reactor)

        from dtns.gateway.loopback.main import (  # noqa: PLC0415 (the same)
            announce_ready,
            serve_network,
        )

    announce: Callable[[Address], None] = announce_ready
    if modem_pty is not None:
        from dtns.gateway.modem.emulator.joined import with_modem  # noqa: PLC0415 (the same)

        announce = with_modem(
            announce,
            reactor,
            pty=modem_pty,
            number=modem_number,
            dialect=modem_dialect,
            control=modem_control,
        )
    seed = secrets.randbits(32) if seed is None else seed
    serve_network(endpoint, conditions, seed, reactor, announce)


def _show(facts: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        show_json(facts)
    else:
        show_facts(facts["conditions"] | facts["counts"])


def _change(address: Address, changes: dict[str, Any]) -> dict[str, Any]:
    """Send *changes* to the network at *address*; return its conditions and counts."""
    try:
        with _connect(address) as connection:
            connection.sendall(encode(op.Faults(**changes)) + encode(op.Status()))
            conditions, counts = _answers(connection)
    except OSError as fault:
        reason = fault.strerror or fault
        raise NoSignalError(f"no network answers at {address} ({reason})") from fault
    except WireError as fault:
        raise click.UsageError(str(fault)) from None
    if isinstance(conditions, op.Error):
        raise click.UsageError(conditions.reason)
    if not (isinstance(conditions, op.Faults) and isinstance(counts, op.Status)):
        raise NoSignalError(f"what listens at {address} is not a loopback network")
    return {"conditions": conditions.given(), "counts": _counts(counts)}


def _connect(address: Address) -> socket.socket:
    if not isinstance(address, UnixAddress):
        return socket.create_connection((address.host, address.port), _PATIENCE_SECONDS)
    connection = socket.socket(socket.AF_UNIX)
    connection.settimeout(_PATIENCE_SECONDS)
    try:
        connection.connect(address.path)
    except OSError:
        connection.close()
        raise
    return connection


def _answers(connection: socket.socket) -> list[op.FromNetwork]:
    """Read the network's two answers."""
    lines = Lines()
    answers: list[op.FromNetwork] = []
    while len(answers) < 2:  # noqa: PLR2004 (to Faults and to Status)
        octets = connection.recv(_READ_OCTETS)
        if not octets:
            raise ConnectionResetError("it hung up")
        answers += [decode_from_network(line) for line in lines.feed(octets)]
    return answers


def _counts(status: op.Status) -> dict[str, Any]:
    values = dataclasses.asdict(status)
    return {name: value for name, value in values.items() if value is not None}
