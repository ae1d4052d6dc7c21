"""`dtns serve`: run Sam."""

from __future__ import annotations

from contextlib import nullcontext

import click

from dtns.sam.cli.show import CONFIG_OPTION
from dtns.sam.cli.without import without_tls
from dtns.sam.configuration import Config


@click.command()
@CONFIG_OPTION
@click.option(
    "--trust-clock",
    is_flag=True,
    help="Believe the clock though it leapt by more than eight weeks since Sam last ran, "
    "or is far off at the first start.",
)
def serve(config: Config, *, trust_clock: bool) -> None:
    """Run Sam in the foreground until SIGTERM.

    Prints one JSON line with the event `ready` on stderr once the store is open and the gateways
    listen; logs to stderr, in JSON where that is no terminal.
    """
    with nullcontext() if config.tls else without_tls():
        from dtns.sam.service.running import serve as run  # noqa: PLC0415 (installs the reactor)

    from dtns.sam.console.companions import companions  # noqa: PLC0415 (slow to import)

    run(config, trust_clock=trust_clock, beside=companions(config))
