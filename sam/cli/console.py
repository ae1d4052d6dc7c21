"""`dtns console`: tokens with which operators log in at the console."""

from __future__ import annotations

import re
import time
from typing import Any, Final

import click

from dtns.sam.cli.exits import Exit
from dtns.sam.cli.show import CONFIG_OPTION, JSON_OPTION, iso, show_json, show_table
from dtns.sam.configuration import Config
from dtns.sam.console.operator.tokens import TokenFile

_DAY_SECONDS: Final = 86_400.0
_NAME: Final = re.compile("[A-Za-z0-9][A-Za-z0-9 ._-]{0,39}")


def _named(_: click.Context, __: click.Parameter, name: str) -> str:
    if _NAME.fullmatch(name) is None:
        raise click.BadParameter("a name is 1 to 40 letters, digits, spaces, dots, - and _")
    return name


@click.group()
def console() -> None:
    """Let operators into the console, and out again."""


@console.command()
@click.option(
    "--name",
    default="operator",
    show_default=True,
    callback=_named,
    help="Whose it is; what is done with it is written down under this name.",
)
@click.option("--days", type=click.IntRange(1, 3650), default=90, show_default=True)
@click.option("--read-only", is_flag=True, help="Let it look and change nothing.")
@CONFIG_OPTION
@JSON_OPTION
def token(name: str, days: int, config: Config, *, read_only: bool, as_json: bool) -> None:
    """Make a token to log in with, and print it this once; only its hash is kept.

    It takes the place of one with the same name, whose sessions end.
    """
    plain = TokenFile(config.folder).make(
        name, time.time(), days * _DAY_SECONDS, read_only=read_only
    )
    if as_json:
        show_json({"status": "done", "name": name, "token": plain, "read_only": read_only})
        return
    click.echo(plain)
    if not config.console.enabled:
        click.echo(
            f"The console is off: set enabled = true in [console] of {config.path}", err=True
        )


@console.command("tokens")
@CONFIG_OPTION
@JSON_OPTION
def tokens(config: Config, *, as_json: bool) -> None:
    """List the tokens: whose they are, until when they are good, and what they may."""
    known: list[dict[str, Any]] = [
        {
            "name": each.name,
            "read_only": each.read_only,
            "created_at": iso(each.created_at),
            "expires_at": iso(each.expires_at),
        }
        for each in TokenFile(config.folder).tokens()
    ]
    if as_json:
        show_json({"tokens": known})
        return
    columns = ("name", "read_only", "created_at", "expires_at")
    show_table(columns, [[each[column] for column in columns] for each in known])


@console.command()
@click.argument("name")
@CONFIG_OPTION
@JSON_OPTION
def revoke(name: str, config: Config, *, as_json: bool) -> None:
    """Take a token back; the sessions that it began end at once."""
    revoked = TokenFile(config.folder).revoke(name)
    if as_json:
        show_json({"status": "done" if revoked else "refused", "name": name})
    if not revoked:
        click.echo(f"dtns: there is no token named {name}", err=True)
        raise click.exceptions.Exit(Exit.REFUSED)
    if not as_json:
        click.echo(f"The token {name} is revoked.")
