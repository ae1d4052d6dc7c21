"""`dtns conformance`: whether a handset maker's program does what the specification says."""

from __future__ import annotations

import json
from itertools import chain
from typing import Any

import click
from attrs import asdict

from dtns.sam.cli.exits import Exit
from dtns.sam.cli.progress import progress_bar
from dtns.sam.cli.show import JSON_OPTION, show_json
from dtns.sam.conformance.findings import Finding, Findings

_SHOWN = 300


@click.command(context_settings={"ignore_unknown_options": True})
@JSON_OPTION
@click.option(
    "--patience",
    type=click.FloatRange(0.1, 3600),
    default=20.0,
    show_default=True,
    help="Seconds in which the program answers each line.",
)
@click.argument("program")
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def conformance(
    program: str, arguments: tuple[str, ...], *, patience: float, as_json: bool
) -> None:
    """Drive a handset, PROGRAM with its ARGUMENTS, through vectors and whole exchanges.

    It reads a JSON object a line and answers each with one, as sam/README.md, section 15, says.
    `dtns conformance python -m dtns.sam.conformance` drives our own.
    """
    from dtns.sam.conformance import exchanges, stories  # noqa: PLC0415 (this command alone)
    from dtns.sam.conformance.program import Program  # noqa: PLC0415
    from dtns.sam.conformance.scenes import SCENES  # noqa: PLC0415

    findings, told = Findings(), stories.all_stories()
    total = len(told) + 2 * len(SCENES)
    with Program([program, *arguments], patience) as driven, progress_bar("Checking") as advance:
        played = chain(stories.tell(driven, told, findings), exchanges.play(driven, findings))
        for done, _ in enumerate(played, start=1):
            advance(done, total)
    if as_json:
        facts = {"status": "failed" if findings.failed else "done", "checks": findings.checks}
        show_json(facts | {"failed": [_facts(finding) for finding in findings.failed]})
    else:
        _tell(findings)
    if findings.failed:
        raise click.exceptions.Exit(Exit.REFUSED)


def _facts(finding: Finding) -> dict[str, Any]:
    return asdict(finding)


def _tell(findings: Findings) -> None:
    for finding in findings.failed:
        click.secho(f"section {finding.section}: {finding.check}", fg="red")
        click.echo(f"   step      {_short(finding.step)}")
        click.echo(f"   expected  {_short(finding.expected)}")
        click.echo(f"   came      {_short(finding.came)}")
    click.echo(f"Checks: {findings.checks}. Failed: {len(findings.failed)}.")


def _short(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]} …"
