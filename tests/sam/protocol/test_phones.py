"""The stories of phones.jsonl, told to this handset step by step.

A second implementation wrote them, with a phone of its own, from sam/README.md alone. Between
any two steps each phone is switched off and on: its state goes through its written form.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve

from dtns.codecs.digits import Status
from dtns.sam.handset.card import MemoryCard, fresh_state
from dtns.sam.handset.confirmations import Code
from dtns.sam.handset.documents import CONVERTER
from dtns.sam.handset.exchanges import Asked, Wish
from dtns.sam.handset.handset import Handset
from dtns.sam.handset.simfile import SimFile
from dtns.sam.handset.state import AskedKey, HeldKey, Peer, State
from dtns.sam.handset.tickets import Shown
from dtns.sam.protocol.answer import Reason
from dtns.sam.protocol.ask import Form
from dtns.sam.protocol.keys import PartyKeys
from dtns.sam.protocol.numbers import Number
from dtns.sam.protocol.primitives import Key
from dtns.sam.protocol.session import Direction, key_check_value

Line = dict[str, Any]
VECTORS = Path(__file__).parents[2] / "vectors"
STORIES = [json.loads(line) for line in (VECTORS / "phones.jsonl").open(encoding="ascii")]
LONG = 100
REASONS = {"revoked": "floor", "contradiction": "conflict"}
UNPROVEN = {"wrong", "ambiguous", "not-canonical", "length", "characters", "empty", "too-long"}


class Player:
    """Plays the steps of a story on the handsets of its SIMs."""

    def __init__(self, sims: list[Line]) -> None:
        self.sims = {line["name"]: _sim(line) for line in sims}
        self.states = {
            line["name"]: evolve(fresh_state(self.sims[line["name"]]), floor=line["floor"])
            for line in sims
        }
        self.draw = b""

    def play(self, step: Line) -> Line:
        """Do one step, and tell what came out in the words of the vectors."""
        card = MemoryCard(self.states[step["sim"]])
        phone = Handset(self.sims[step["sim"]], card, lambda count: self.draw[:count])
        out: Line = getattr(self, f"do_{step['do']}")(phone, step)
        self.states[step["sim"]] = card.state
        return out

    def power_cycle(self) -> None:
        """Bring every phone's state to its written form and back."""
        for name, state in self.states.items():
            written = json.loads(json.dumps(CONVERTER.unstructure(state)))
            self.states[name] = CONVERTER.structure(written, State)

    def do_ask(self, phone: Handset, step: Line) -> Line:
        """Ask Sam for a key, anew."""
        wish = Wish(
            limit=step["limit_class"],
            direction=Direction(step["direction"]),
            form=Form(step["form"]),
            life=step["life"],
            nonce=None if step["nonce"] is None else int(step["nonce"], 16),
        )
        asked = phone.ask(step["holder"], wish, now=0.0, anew=True)
        assert isinstance(asked, Asked)
        return {"text": asked.text}

    def do_receive(self, phone: Handset, step: Line) -> Line:
        """Take in an SMS."""
        before = phone.card.state
        received = phone.receive(step["text"])
        if received.outcome == "ignored":
            assert phone.card.state == before
            return {"result": "nothing"}
        if received.outcome == "refused":
            reason = next(reason for reason in Reason if reason.code == received.reason)
            return {"result": "refused", "reason": int(reason)}
        if received.key is None:
            assert received.reason == "late"
            return {"result": "dropped"}
        return {"result": "kept", **_named(received.key)}

    def do_show(self, phone: Handset, step: Line) -> Line:
        """Show the newest key's ticket."""
        shown = phone.ticket(step["holder"], sealed=step["sealed"])
        assert isinstance(shown, Shown)
        assert shown.form == ("sealed" if step["sealed"] else "derived")
        return {"digits": shown.digits.replace(" ", "")}

    def do_enter(self, phone: Handset, step: Line) -> Line:
        """Type a ticket, and tell a key that was there from one that is new."""
        before = phone.card.state.peers.get(step["asker"], Peer())
        entered = phone.enter(step["asker"], step["digits"])
        if entered.key is not None:
            assert entered.status in {Status.ACCEPTED, Status.REPAIRED}
            known = before.key(entered.key.order) is not None
            if known:
                assert phone.card.state.peers[step["asker"]] == before
            return {"result": "resumed" if known else "taken", **_named(entered.key)}
        assert entered.status not in {Status.ACCEPTED, Status.REPAIRED}
        assert phone.card.state.peers.get(step["asker"], Peer()).held == before.held
        if entered.reason in UNPROVEN:
            return {"result": "unproven"}
        return {"result": REASONS.get(entered.reason, entered.reason)}

    def do_challenge(self, phone: Handset, step: Line) -> Line:
        """Challenge the asker under the newest key."""
        return _spoken(phone.challenge(step["asker"]))

    def do_respond(self, phone: Handset, step: Line) -> Line:
        """Answer a challenge."""
        return _spoken(phone.respond(step["holder"], step["digits"]))

    def do_confirm(self, phone: Handset, step: Line) -> Line:
        """Judge a confirmation."""
        verdict = phone.check(step["asker"], step["digits"])
        if verdict.key is not None:
            assert verdict.status is Status.ACCEPTED
            assert verdict.key.confirmed
            return {"result": "confirmed"}
        assert verdict.status is Status.REFUSED
        return {"result": "wrong" if verdict.reason == "wrong" else "refused"}

    def do_offer(self, phone: Handset, step: Line) -> Line:
        """Hand out J."""
        self.draw = int(step["draw"], 16).to_bytes(4)
        digits = phone.nonce(step["asker"])
        assert digits is not None
        return {"digits": digits.replace(" ", "")}

    def do_withdraw(self, phone: Handset, step: Line) -> Line:
        """Take J back."""
        assert phone.forget_nonce(step["asker"])
        return {}

    def do_look(self, phone: Handset, step: Line) -> Line:
        """Look at what the phone holds and knows."""
        state = phone.card.state
        keys: tuple[AskedKey | HeldKey, ...]
        if "holder" in step:
            keys = state.asked.get(step["holder"], ())
        else:
            keys = state.peers.get(step["asker"], Peer()).held
        places = [list(key.context.order[1:]) for key in keys]
        return {"week": state.week, "epoch": state.epoch, "keys": places}


def _sim(line: Line) -> SimFile:
    uses = ("ask", "answer", "ticket", "seal", "sync")
    return SimFile(
        number=Number(line["number"]),
        generation=line["generation"],
        epoch=line["epoch"],
        week=line["week"],
        service_number="777",
        network="unix:/nowhere",
        keys=PartyKeys(**{use: Key.parse(line[f"{use}_key"]) for use in uses}),
    )


def _named(key: AskedKey | HeldKey) -> Line:
    return {"key": list(key.context.order[1:]), "kcv": key_check_value(key.session)}


def _spoken(came: object) -> Line:
    if isinstance(came, Code):
        return {"digits": came.digits.replace(" ", "")}
    return {"result": "refused"}


@pytest.mark.parametrize("story", STORIES, ids=[story["note"] for story in STORIES])
def test_story(story: Line) -> None:
    """What comes out of each step is what the specification says."""
    player = Player(story["sims"])
    for at, step in enumerate(story["steps"]):
        assert player.play(step) == step["expect"], f"step {at}: {step}"
        if len(story["steps"]) < LONG:
            player.power_cycle()
