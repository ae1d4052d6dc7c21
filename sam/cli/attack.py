"""`dtns attack`: what a cheating payee achieves against a payment protocol."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from random import Random
from typing import Any, Final

import click
from attrs import frozen

from dtns.sam.analysis.attacks import COLLISION, GUESS, REPLAY, Attack, run
from dtns.sam.analysis.targets import TARGETS
from dtns.sam.cli.progress import progress_bar
from dtns.sam.cli.show import JSON_OPTION, show_json

_TRIALS: Final = 2_000
_SEED_BITS: Final = 32
_TINY: Final = 0.001
_TARGET: Final[Callable[..., Any]] = click.option(
    "--target",
    type=click.Choice(list(TARGETS)),
    default="first",
    show_default=True,
    help="The protocol under attack.",
)
_TRIALS_OPTION: Final[Callable[..., Any]] = click.option(
    "--trials", type=click.IntRange(1, 10_000_000), default=_TRIALS, show_default=True
)
_SEED: Final[Callable[..., Any]] = click.option(
    "--seed", type=click.IntRange(0), help="The same seed gives the same trials. [default: random]"
)


@frozen
class _Plan:
    """What all attacks are told: the protocol, the number of trials, the seed, how to answer."""

    target: str
    trials: int
    seed: int | None
    as_json: bool


@click.group()
def attack() -> None:
    """Run attacks on DigiTally's first payment protocol, on its repaired form, and on ours.

    In each a payee cheats with a genuine SIM, and each trial has new SIMs. The targets: `first` is
    DigiTally's first protocol, `first-nonce` the same with the payee's nonce in R as well,
    `repaired` what it became; `ours` are small payments, `ours-challenge` those by challenge.
    """


@attack.command()
@click.option(
    "--aborted",
    type=click.IntRange(1, 1_000),
    default=27,
    show_default=True,
    help="Requests that are thrown away at each of the two prices.",
)
@_TARGET
@_TRIALS_OPTION
@_SEED
@JSON_OPTION
def collision(aborted: int, target: str, trials: int, seed: int | None, *, as_json: bool) -> None:
    """Show a customer the request for a low price that looks like the one for a high price.

    The payee opens payments at both prices and throws them away until two requests have the same
    C. Each has a nonce that the others at that price have not.
    """
    cheat = f"threw away up to {aborted} requests at each price and was paid the higher one"
    _report(COLLISION, aborted, _Plan(target, trials, seed, as_json), cheat)


@attack.command()
@click.option(
    "--recorded",
    type=click.IntRange(1, 900),
    default=20,
    show_default=True,
    help="Earlier honest payments of the same customer at the same price.",
)
@_TARGET
@_TRIALS_OPTION
@_SEED
@JSON_OPTION
def replay(recorded: int, target: str, trials: int, seed: int | None, *, as_json: bool) -> None:
    """Use the recorded response of an earlier payment again.

    The payee opens one payment in the name of a customer who is not there, and hopes for a nonce
    that was seen before.
    """
    cheat = f"recorded {recorded} payments and was paid once more"
    _report(REPLAY, recorded, _Plan(target, trials, seed, as_json), cheat)


@attack.command()
@click.option(
    "--guesses",
    type=click.IntRange(1, 100_000),
    default=100,
    show_default=True,
    help="Customers that are invented in one trial.",
)
@_TARGET
@_TRIALS_OPTION
@_SEED
@JSON_OPTION
def guess(guesses: int, target: str, trials: int, seed: int | None, *, as_json: bool) -> None:
    """Invent customers and guess what each would answer."""
    cheat = f"invented {guesses} customers and was paid by one"
    _report(GUESS, guesses, _Plan(target, trials, seed, as_json), cheat)


def _report(attack: Attack, size: int, plan: _Plan, cheat: str) -> None:
    """Run the attack and tell what came of it; *cheat* says what the payee did and got."""
    target = TARGETS[plan.target]
    seed = secrets.randbits(_SEED_BITS) if plan.seed is None else plan.seed
    dice = Random(seed)  # noqa: S311 (trials must be repeatable)
    with progress_bar("attacking") as advance:
        outcome = run(attack, target, size, plan.trials, random=dice, tell=advance)
    succeeded, rate = outcome.succeeded, outcome.rate
    if plan.as_json:
        facts = {"target": plan.target, attack.size: size, "seed": seed, "trials": plan.trials}
        found = {"succeeded": succeeded, "rate": rate, "theory": outcome.theory}
        show_json({"status": "done"} | facts | found)
        return
    part = f"{succeeded:,}" if succeeded else "none"
    share = f", {odds(rate)}" if succeeded else ""
    click.echo(
        f"{target.title}: a payee {cheat} in {part} of {plan.trials:,} trials{share}. "
        f"Theory: {odds(outcome.theory)}."
    )


def odds(part: float) -> str:
    """Return a part of one as a percentage, or as one in so many where it is tiny."""
    if part >= _TINY:
        return f"{100 * part:.1f} %"
    return f"1 in {float(f'{1 / part:.2g}'):,.0f}"
