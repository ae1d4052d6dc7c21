"""Every line of the vectors of messages, keys and codes, against this implementation.

The vectors come from a second implementation that was written from sam/README.md alone.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from vectorlines import (
    VECTORS,
    Line,
    bits_of,
    context_of,
    digits_of,
    each,
    lines_of,
    nonce_of,
    octets_of,
)

from dtns.sam.protocol import confirmation as codes
from dtns.sam.protocol.answer import Grant, Reason, Refusal, read_answer, seal_answer
from dtns.sam.protocol.ask import Ask, Form, Seen, read_ask
from dtns.sam.protocol.keys import Enrolment, MasterKey
from dtns.sam.protocol.labels import Label
from dtns.sam.protocol.numbers import Number
from dtns.sam.protocol.octets import Key
from dtns.sam.protocol.payments import Payment
from dtns.sam.protocol.primitives import Prf, siv_open, siv_seal
from dtns.sam.protocol.sealed import Sealed, open_sealed, seal, split_sealed_ticket
from dtns.sam.protocol.session import (
    Direction,
    Party,
    Terms,
    key_check_value,
    session_key,
)
from dtns.sam.protocol.sync import (
    Filed,
    Floor,
    Item,
    Load,
    Mark,
    NewExchangeKeys,
    NewTicketKeys,
    NewUniversalKey,
    Sync,
    Unlock,
    UnlockPin,
    read_sync,
)
from dtns.sam.protocol.ticket import Header, split_ticket, ticket, ticket_tag
from dtns.sam.protocol.typedanswer import TypedAnswer, open_typed, seal_typed
from dtns.sam.protocol.typedask import TypedAsk, parse_typed_ask, split_typed, typed_bits
from dtns.sam.protocol.wire import MalformedError, Reader, from_text, number_field, to_text


def test_the_files_are_what_their_script_writes(tmp_path: Path) -> None:
    """Nothing in the vectors was made by hand, and nothing in them changes from run to run."""
    script = VECTORS / "make_vectors.py"
    subprocess.run([sys.executable, script, tmp_path], check=True)
    names = {path.name for path in tmp_path.iterdir()}
    assert len(names) == 13
    for name in names:
        assert (tmp_path / name).read_text() == (VECTORS / name).read_text(), name


def test_every_operation_is_tested() -> None:
    """The primitives have no lines but those that the tests below read."""
    assert {line["op"] for line in lines_of("primitives")} == {
        "cmac",
        "kdf",
        "siv",
        "number",
        "text",
    }


@each("primitives", op="cmac")
def test_cmac(line: Line) -> None:
    """AES-CMAC under keys of 16 and 32 octets."""
    key, message, mac = octets_of(line, "key", "message", "mac")
    assert Prf(key).mac(message) == mac


@each("primitives", op="kdf")
def test_kdf(line: Line) -> None:
    """The derivation, to any length."""
    key, context, out = octets_of(line, "key", "context", "out")
    assert Prf(key).derive(Label(line["type"]), context, line["octets"]) == out


@each("primitives", op="siv")
def test_siv(line: Line) -> None:
    """AES-SIV with components of associated data, both ways."""
    key, plaintext, sealed = octets_of(line, "key", "plaintext", "sealed")
    associated = [bytes.fromhex(part) for part in line["associated"]]
    assert siv_seal(key, plaintext, associated) == sealed
    assert siv_open(key, sealed, associated) == plaintext


@each("primitives", op="siv", valid=False)
def test_siv_refused(line: Line) -> None:
    """What is not authentic does not open."""
    key, sealed = octets_of(line, "key", "sealed")
    associated = [bytes.fromhex(part) for part in line["associated"]]
    assert siv_open(key, sealed, associated) is None


@each("primitives", op="number")
def test_number(line: Line) -> None:
    """Number fields, both ways."""
    field = bytes.fromhex(line["field"])
    assert number_field(Number(line["digits"])) == field
    assert Reader(field).number() == line["digits"]


@each("primitives", op="number", valid=False)
def test_number_refused(line: Line) -> None:
    """Every other form of a number field is refused."""
    with pytest.raises(MalformedError):
        Reader(bytes.fromhex(line["field"])).number()


@each("primitives", op="text")
def test_text(line: Line) -> None:
    """SMS text: case and white space do not matter, and what is written has neither."""
    octets = bytes.fromhex(line["octets"])
    assert from_text(line["text"]) == octets
    assert to_text(octets) == "".join(line["text"].split()).upper()


@each("primitives", op="text", valid=False)
def test_text_refused(line: Line) -> None:
    """Text that is not the canonical form of some octets is refused."""
    with pytest.raises(MalformedError):
        from_text(line["text"])


@each("keys")
def test_keys(line: Line) -> None:
    """The five keys of a party, and the universal key of a period, from the master key."""
    master = MasterKey(line["master_id"], bytes.fromhex(line["master"]))
    enrolment = Enrolment(line["number"], line["generation"], line["epoch"], line["master_id"])
    keys = master.party_keys(enrolment)
    for use in ("ask", "answer", "ticket", "seal", "sync"):
        assert getattr(keys, use).hex() == line[f"{use}_key"]
    assert bytes(master.universal_key().key).hex() == line["universal_key"]


def _ask(line: Line) -> Ask:
    seen = line["seen"]
    return Ask(
        asker=Party(line["asker"], line["asker_generation"]),
        counter=line["counter"],
        holder=line["holder"],
        limit=line["limit_class"],
        direction=Direction(line["direction"]),
        form=Form(line["form"]),
        life=line["life"],
        nonce=nonce_of(line),
        seen=Seen(seen["epoch"], seen["n"], bytes.fromhex(seen["witness"])) if seen else Seen(),
        synced=line["synced"],
    )


@each("asks")
def test_asks(line: Line) -> None:
    """Asks parse to their fields, are authentic, and are made to the octet."""
    ask_key = bytes.fromhex(line["ask_key"])
    received = read_ask(line["text"])
    assert received.ask == _ask(line)
    assert received.is_authentic(ask_key)
    assert to_text(_ask(line).seal(ask_key)) == "".join(line["text"].split()).upper()


@each("asks", valid=False)
def test_asks_refused(line: Line) -> None:
    """Asks of another layout do not parse; asks under another MAC parse and are not authentic."""
    if line["reason"] == "malformed":
        with pytest.raises(MalformedError):
            read_ask(line["text"])
    else:
        assert line["reason"] == "mac"
        assert not read_ask(line["text"]).is_authentic(bytes.fromhex(line["ask_key"]))


def _answer(line: Line) -> Grant | Refusal:
    if "refusal" in line:
        return Refusal(Reason(line["refusal"]["reason"]), line["refusal"]["week"])
    grant = line["grant"]
    terms = Terms(grant["limit_class"], Direction(grant["direction"]), grant["expiry"])
    sealed = grant["sealed"]
    return Grant(
        holder_generation=grant["holder_generation"],
        epoch=grant["epoch"],
        n=grant["n"],
        terms=terms,
        week=grant["week"],
        witness=bytes.fromhex(grant["witness"]),
        session=Key.parse(grant["session_key"]),
        sealed=None if sealed is None else Sealed.unpack(bytes.fromhex(sealed)),
        derived=grant["derived"],
    )


@each("answers")
def test_answers(line: Line) -> None:
    """Answers open to the grant or refusal, and are made to the octet."""
    answer_key, asked = octets_of(line, "answer_key", "ask")
    received = read_answer(line["text"])
    assert received.counter == line["counter"]
    assert received.open(answer_key, asked) == _answer(line)
    made = to_text(seal_answer(answer_key, asked, line["counter"], _answer(line)))
    assert made == "".join(line["text"].split()).upper()


@each("answers", valid=False)
def test_answers_refused(line: Line) -> None:
    """Whatever is wrong with an answer, it does not open."""
    answer_key, asked = octets_of(line, "answer_key", "ask")
    try:
        received = read_answer(line["text"])
    except MalformedError:
        return
    assert received.open(answer_key, asked) is None


@each("tickets")
def test_tickets(line: Line) -> None:
    """Context, session key, check value, and both tickets in bits and in digits."""
    ticket_key, seal_key, octets, session = octets_of(
        line, "ticket_key", "seal_key", "context", "session_key"
    )
    context = context_of(line)
    assert context.octets == octets
    assert (session_key(ticket_key, context.octets) == session) is line["derived"]
    assert key_check_value(session) == line["kcv"]
    assert ticket(session, context) == bits_of(line, "ticket")
    assert digits_of("ticket", bits_of(line, "ticket")) == line["ticket_digits"]
    assert seal(seal_key, context, session).ticket(context) == bits_of(line, "sealed")
    assert digits_of("sealed", bits_of(line, "sealed")) == line["sealed_digits"]
    header, sealed = split_sealed_ticket(bits_of(line, "sealed"))
    assert header == split_ticket(bits_of(line, "ticket"))[0] == Header.of(context)
    assert open_sealed(seal_key, context, sealed) == session


@each("tickets", valid=False)
def test_tickets_refused(line: Line) -> None:
    """Neither tag is good under these keys and this context."""
    ticket_key, seal_key = octets_of(line, "ticket_key", "seal_key")
    context = context_of(line)
    assert open_sealed(seal_key, context, split_sealed_ticket(bits_of(line, "sealed"))[1]) is None
    if line["ticket"] is not None:
        session = session_key(ticket_key, context.octets)
        assert ticket_tag(session, context) != split_ticket(bits_of(line, "ticket"))[1]


@each("confirmations")
def test_confirmations(line: Line) -> None:
    """M4 and M5, in bits and in digits."""
    session, context, count = bytes.fromhex(line["session_key"]), context_of(line), line["count"]
    challenge, confirmation = bits_of(line, "challenge"), bits_of(line, "confirmation")
    assert codes.challenge(session, context, count) == challenge
    assert codes.split_challenge(challenge)[0] == count
    assert codes.confirmation(session, context, count) == confirmation
    assert digits_of("request", challenge) == line["challenge_digits"]
    assert digits_of("confirm", confirmation) == line["confirmation_digits"]


@each("confirmations", valid=False)
def test_confirmations_refused(line: Line) -> None:
    """Neither code is good under this key, context and count."""
    session, context, count = bytes.fromhex(line["session_key"]), context_of(line), line["count"]
    assert codes.challenge(session, context, count) != bits_of(line, "challenge")
    assert codes.confirmation(session, context, count) != bits_of(line, "confirmation")


def test_a_changed_field_changes_the_context() -> None:
    """Each of the ten fields of a context shows in its octets."""
    line = lines_of("tickets")[0]
    context = context_of(line)
    others = {
        context._replace(asker=context.asker._replace(number=Number("254700123457"))).octets,
        context._replace(asker=context.asker._replace(generation=9)).octets,
        context._replace(holder=context.holder._replace(number=Number("25670012346"))).octets,
        context._replace(holder=context.holder._replace(generation=9)).octets,
        context._replace(epoch=9).octets,
        context._replace(n=9).octets,
        context._replace(terms=context.terms._replace(expiry=9)).octets,
        context._replace(terms=context.terms._replace(limit=9)).octets,
        context._replace(terms=context.terms._replace(direction=Direction.HOLDER_PAYS)).octets,
        context._replace(nonce=9).octets,
    }
    assert len(others - {context.octets}) == 10


def _item(told: Line) -> Item:
    items: dict[int, Callable[[], Item]] = {
        1: lambda: Floor(told["epoch"]),
        2: lambda: Mark(
            Party(Number(told["number"]), told["generation"]), told["epoch"], told["n"]
        ),
        3: lambda: Unlock(told["lock"]),
        4: lambda: NewExchangeKeys(told["generation"], *octets_of(told, "ask_key", "answer_key")),
        5: lambda: NewTicketKeys(
            told["generation"], *octets_of(told, "ticket_key", "seal_key", "sync_key")
        ),
        6: lambda: Load(told["number"], Payment(told["currency"], told["amount"])),
        7: lambda: UnlockPin(told["lock"], forget=told["forget"] == 1),
        8: lambda: NewUniversalKey(told["period"], *octets_of(told, "key")),
        9: lambda: Filed(told["serial"]),
    }
    return items[told["kind"]]()


@each("syncs")
def test_syncs(line: Line) -> None:
    """A message of Sam's own opens to what it says, and is made again octet for octet."""
    (key,) = octets_of(line, "sync_key")
    items = tuple(_item(told) for told in line["items"])
    sync = Sync(line["counter"], line["week"], line["epoch"], items)
    assert read_sync(line["text"]).open(key) == sync
    assert to_text(sync.seal(key)) == line["text"]


@each("syncs", valid=False)
def test_syncs_refused(line: Line) -> None:
    """What is damaged, of an unknown kind or under another key brings nothing."""
    (key,) = octets_of(line, "sync_key")
    assert read_sync(line["text"]).open(key) is None


def _typed_ask(line: Line) -> TypedAsk:
    asker = Party(line["asker"], line["asker_generation"])
    return TypedAsk(asker, line["counter"], line["holder"])


@each("typed_asks")
def test_typed_asks(line: Line) -> None:
    """Asks to be typed, whole, in bits and in digits."""
    ask_key, whole = octets_of(line, "ask_key", "ask")
    ask, bits = _typed_ask(line), bits_of(line, "typed")
    assert ask.seal(ask_key) == whole
    assert parse_typed_ask(whole) == ask
    assert typed_bits(whole) == bits
    assert digits_of("ask", bits) == line["typed_digits"]
    low, mac = split_typed(bits)
    assert low == line["counter"] % 64
    assert ask.is_proved_by(ask_key, mac)


@each("typed_asks", valid=False)
def test_typed_asks_refused(line: Line) -> None:
    """The digits do not prove this ask under this key."""
    (ask_key,) = octets_of(line, "ask_key")
    bits = bits_of(line, "typed")
    assert digits_of("ask", bits) == line["typed_digits"]
    low, mac = split_typed(bits)
    proved = _typed_ask(line).is_proved_by(ask_key, mac)
    assert not (proved and low == line["counter"] % 64)


@each("typed_answers")
def test_typed_answers(line: Line) -> None:
    """Answers to be typed, in bits and in digits, open to the key."""
    answer_key, asked, session = octets_of(line, "answer_key", "ask", "session_key")
    context, bits = context_of(line), bits_of(line, "typed")
    assert seal_typed(answer_key, asked, context, session).pack() == bits
    assert digits_of("answer", bits) == line["typed_digits"]
    answer = TypedAnswer.unpack(bits)
    assert answer.header == Header.of(context)
    assert answer.generation_low == context.holder.generation % 32
    assert open_typed(answer_key, asked, context, answer) == session


@each("typed_answers", valid=False)
def test_typed_answers_refused(line: Line) -> None:
    """The tag is not good under this key, ask and context."""
    answer_key, asked = octets_of(line, "answer_key", "ask")
    answer = TypedAnswer.unpack(bits_of(line, "typed"))
    assert open_typed(answer_key, asked, context_of(line), answer) is None
