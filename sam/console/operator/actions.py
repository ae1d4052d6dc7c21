"""Pages that change something: each asks for confirmation, and writes down who did what."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from attrs import frozen
from klein import Klein

from dtns.sam.console.operator.deeds import Deed
from dtns.sam.console.operator.desk import Desk, Problem, go, plain
from dtns.sam.console.operator.views import MAX_ID, show_party
from dtns.sam.errors import SamError
from dtns.sam.service.requests import MoveGateway, Refusal, Renew, Request, Retry, SetSuspended


@frozen
class Deal:
    """One thing that can be done: the question, the button, what it brings about, whether it bites.

    ask makes the request of a target; plural targets are parties, gateways and exchanges.
    """

    title: str
    button: str
    effect: str
    done: str
    ask: Callable[[Any], Request[Any]]
    bites: bool = False


PARTY: Final = {
    "suspend": Deal(
        "Suspend this party?",
        "Suspend",
        "It gets no new key, and nobody gets a key with it. Keys that are out stay good. The SIM"
        " is not told.",
        "The party is suspended.",
        lambda number: SetSuspended(number, suspended=True),
        bites=True,
    ),
    "resume": Deal(
        "Resume this party?",
        "Resume",
        "It can ask for keys again, and others can ask for keys with it.",
        "The party is resumed.",
        lambda number: SetSuspended(number, suspended=False),
    ),
    "renew": Deal(
        "Renew this SIM's keys over the air?",
        "Renew",
        "Sam sends it a new generation of keys by SMS, now or when it next asks. Tickets that are"
        " out stay good. This does not heal a SIM whose keys leaked.",
        "New keys are on their way.",
        Renew,
    ),
}
GATEWAY: Final = {
    "suspend": Deal(
        "Suspend this gateway?",
        "Suspend",
        "It sends and receives nothing until it is resumed or Sam starts anew. Answers go by"
        " another gateway of its network, or wait.",
        "The gateway is being suspended.",
        lambda name: MoveGateway(name, "suspend"),
        bites=True,
    ),
    "resume": Deal(
        "Resume this gateway?",
        "Resume",
        "It is used again.",
        "The gateway is being resumed.",
        lambda name: MoveGateway(name, "resume"),
    ),
    "drain": Deal(
        "Drain this gateway?",
        "Drain",
        "It is given nothing more to send, stores what came in, and is then suspended.",
        "The gateway drains, then it is suspended.",
        lambda name: MoveGateway(name, "drain"),
        bites=True,
    ),
}
RETRY: Final = Deal(
    "Send this answer now?",
    "Send now",
    "The same octets go out again, at the price of a message. A phone that has them already is not"
    " harmed.",
    "The answer is on its way.",
    Retry,
)


def add_actions(app: Klein, desk: Desk) -> None:
    """Add the pages that change something."""

    @app.route("/parties/<reference>/show", methods=["POST"])
    def reveal(request: Any, reference: str) -> str:
        session, _ = desk.form(request)
        number = desk.number(reference)
        deed = Deed(desk.sam.clock(), session.token.name, "show the number", f"+{number}")
        with desk.deeds.doing(deed) as outcome:
            page = show_party(desk, request, number, full=True)
            outcome.append("shown")
        return page

    @app.route("/parties/<reference>/<deed>", methods=["GET", "POST"])
    def do_to_party(request: Any, reference: str, deed: str) -> Any:
        desk.session(request)
        number, deal = desk.number(reference), _dealt(PARTY, deed)
        named, back = f"+{number}", f"/parties/{reference}"
        intent = Intent(deal, f"{deed} party", number, named, desk.shown(number), back)
        return _serve(desk, request, intent)

    @app.route("/gateways/<name>/<deed>", methods=["GET", "POST"])
    def do_to_gateway(request: Any, name: str, deed: str) -> Any:
        desk.session(request)
        deal = _dealt(GATEWAY, deed)
        return _serve(desk, request, Intent(deal, f"{deed} gateway", name, name[:80], name, "/"))

    @app.route("/issues/<int:issue>/retry", methods=["GET", "POST"])
    def retry(request: Any, issue: int) -> Any:
        desk.session(request)
        if not 0 < issue < MAX_ID:
            raise Problem(404, "No such exchange", "Its number is out of range.")
        named, back = f"exchange {issue}", f"/issues/{issue}"
        return _serve(desk, request, Intent(RETRY, "retry", issue, named, named, back))


@frozen
class Intent:
    """What an operator is about to do to a target, how both are written down, where it leads."""

    deal: Deal
    deed: str
    target: Any
    named: str
    shown: Any
    back: str


def _dealt(deals: dict[str, Deal], deed: str) -> Deal:
    if deed not in deals:
        raise Problem(404, "There is no such page", f"What can be done is: {', '.join(deals)}.")
    return deals[deed]


def _serve(desk: Desk, request: Any, intent: Intent) -> Any:
    """Ask for confirmation; or, where that has come, do it."""
    if request.method == b"POST":
        return _do(desk, request, intent)
    session = desk.session(request)
    desk.operating(session)
    return desk.page(request, session, "confirm.html", intent=intent)


def _do(desk: Desk, request: Any, intent: Intent) -> bytes:
    """Write down what is going to be done, do it, and write down what came of it."""
    session, _ = desk.form(request)
    desk.operating(session)
    deed = Deed(desk.sam.clock(), session.token.name, intent.deed, intent.named)
    with desk.deeds.doing(deed) as outcome:
        try:
            result = desk.sam.administration.answer(intent.deal.ask(intent.target))
        except SamError as fault:
            outcome.append(f"fault: {fault}")
            raise
        if isinstance(result, Refusal):
            outcome.append(f"refused: {result.reason}")
            raise Problem(409, "Sam refuses", plain(result.reason))
        outcome.append("done")
    session.news = intent.deal.done
    return go(request, intent.back)
