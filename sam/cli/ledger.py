"""`dtns ledger`: money in purses, and whether the logs of all phones fit together."""

from __future__ import annotations

from typing import Any, Final

import click
from attrs import asdict

from dtns.sam.cli.exits import Exit
from dtns.sam.cli.numbers import NUMBER
from dtns.sam.cli.show import CONFIG_OPTION, JSON_OPTION, ask, show_json
from dtns.sam.configuration import Config
from dtns.sam.errors import AmountError
from dtns.sam.handset.money import parse_amount, show_amount, show_minor
from dtns.sam.protocol.numbers import Number
from dtns.sam.service.reach import reach
from dtns.sam.service.requests import CheckLedger, LedgerFinding, Loaded, LoadPurse, Refund

_TROUBLES: Final = {
    "copied-purse": "logged two things under serial {serial}: its purse was copied back",
    "credited-twice": "logged the payment of serial {serial} a second time",
    "amounts-differ": "and {other} logged the payment of serial {serial} with different sums",
    "never-paid": "took {sum} of {other}, whose log has passed over it: look into that SIM",
    "balance": "stated a balance in serial {serial} that its log does not come to",
    "unknown-load": "logged a load in serial {serial} that Sam did not make",
    "not-credited": "paid {sum} to {other} (serial {serial}), who has not logged it",
    "not-debited": "took {sum} of {other} (serial {serial}), who has not logged it",
    "load-underway": "has a load of {sum} coming that its log does not show yet",
}


@click.group()
def ledger() -> None:
    """Load purses, give payments back, check the logs of all phones."""


@ledger.command()
@click.argument("number", type=NUMBER)
@click.argument("amount")
@CONFIG_OPTION
@JSON_OPTION
def load(number: Number, amount: str, config: Config, *, as_json: bool) -> None:
    """Put AMOUNT, as in 250.00, into NUMBER's purse: by a message that its phone takes in."""
    try:
        payment = parse_amount(amount, config.payments.currency)
    except AmountError as fault:
        raise click.BadParameter(str(fault), param_hint="AMOUNT") from None
    with reach(config) as sam:
        loaded = ask(sam, LoadPurse(number, payment.currency, payment.amount))
    facts = {
        "peer": f"+{number}",
        "currency": payment.currency,
        "amount": show_minor(payment.amount, payment.currency),
        "minor": payment.amount,
    }
    _show_loaded(loaded, facts, f"{show_amount(payment)} is on its way", as_json=as_json)


@ledger.command()
@click.argument("number", type=NUMBER)
@click.argument("serial", type=click.IntRange(1, (1 << 32) - 1))
@CONFIG_OPTION
@JSON_OPTION
def refund(number: Number, serial: int, config: Config, *, as_json: bool) -> None:
    """Give NUMBER back the payment under SERIAL of its log, once nobody can take it any more.

    Both logs must be here: the payer's with the payment, and the payee's without it, whole up to
    the time after the key's end.
    """
    with reach(config) as sam:
        loaded = ask(sam, Refund(number, serial))
    facts = {"peer": f"+{number}", "serial": serial}
    _show_loaded(loaded, facts, "The payment is on its way back", as_json=as_json)


def _show_loaded(loaded: Loaded, facts: dict[str, Any], text: str, *, as_json: bool) -> None:
    if as_json:
        show_json({"status": "done", **facts, "load": loaded.load, "at_once": loaded.at_once})
        return
    when = "now" if loaded.at_once else "when the phone is next heard from"
    click.echo(f"{text} to {facts['peer']}: the message goes out {when}.")


@ledger.command()
@CONFIG_OPTION
@JSON_OPTION
def check(config: Config, *, as_json: bool) -> None:
    """Compare both sides of every payment, and every balance with its log.

    What a log that is still to come may explain is listed, and no fault. Exit code 1 where the
    record proves that something is wrong.
    """
    with reach(config) as sam:
        state = ask(sam, CheckLedger())
    proved = [finding for finding in state.findings if not finding.open]
    if as_json:
        show_json(
            {
                "status": "refused" if proved else "done",
                "entries": state.entries,
                "agreed": state.agreed,
                "sums": {code: _minor(sum_, code) for code, sum_ in state.sums.items()},
                "findings": [_facts(finding) for finding in state.findings],
                "more": state.more,
            }
        )
    else:
        for finding in state.findings:
            click.secho(_sentence(finding), fg=None if finding.open else "red")
        sums = ", ".join(f"{code} {_minor(sum_, code)}" for code, sum_ in state.sums.items())
        click.echo(
            f"Entries: {state.entries}. Payments that both sides logged alike: {state.agreed}"
            f"{f' ({sums})' if sums else ''}. Proved wrong: {len(proved)}."
            f"{' There are more findings.' if state.more else ''}"
        )
    if proved:
        raise click.exceptions.Exit(Exit.REFUSED)


def _facts(finding: LedgerFinding) -> dict[str, Any]:
    facts = asdict(finding)
    facts["number"] = f"+{finding.number}"
    facts["other"] = f"+{finding.other}" if finding.other else None
    return facts


def _sentence(finding: LedgerFinding) -> str:
    sum_ = f"{finding.currency} {_minor(finding.amount, finding.currency)}"
    other = f"+{finding.other}" if finding.other else ""
    told = _TROUBLES[finding.trouble].format(serial=finding.serial, sum=sum_, other=other)
    return f"+{finding.number} {told}."


def _minor(amount: int, currency: str) -> str:
    """Write a sum out of a phone's log, whose currency may be none that there is."""
    try:
        return show_minor(amount, currency)
    except AmountError:
        return f"{amount} minor units"
