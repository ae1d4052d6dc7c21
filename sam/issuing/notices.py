"""What Sam tells a party of its own accord: as often as it takes, until the party knows."""

from __future__ import annotations

from typing import Final

from dtns.sam.issuing.records import Notice, Records, Registration, Topic
from dtns.sam.issuing.vault import Vault
from dtns.sam.protocol.ask import MAX_COUNTER
from dtns.sam.protocol.keys import MAX_GENERATION, Enrolment
from dtns.sam.protocol.sync import (
    Item,
    Load,
    NewExchangeKeys,
    NewTicketKeys,
    NewUniversalKey,
    Sync,
    Unlock,
    UnlockPin,
    fitting,
    read_items,
)
from dtns.sam.protocol.wire import to_text

_RENEWAL: Final = (Topic.EXCHANGE_KEYS, Topic.UNIVERSAL_KEY, Topic.TICKET_KEYS)


def renew(records: Records, registration: Registration, master_id: int) -> Registration | None:
    """Begin to move a party to its next generation under this master key, over the air.

    One that is under way is told of again. None if it is another one, or the generations are
    used up.
    """
    enrolment = registration.enrolment
    if registration.renewal is not None:
        same = registration.renewal.master_id == master_id
        return offer(records, registration, registration.renewal) if same else None
    if enrolment.generation >= MAX_GENERATION:
        return None
    renewal = Enrolment(enrolment.number, enrolment.generation + 1, records.epoch, master_id)
    return offer(records, registration, renewal)


def offer(records: Records, registration: Registration, renewal: Enrolment) -> Registration:
    """Have a party told the keys of this renewal."""
    registration = registration._replace(renewal=renewal)
    records.save(registration)
    for topic in _RENEWAL:
        records.add_notice(renewal.number, topic)
    return registration


def renewed(records: Records, registration: Registration) -> Registration:
    """Make the renewal of a party that has spoken under it the enrolment it has."""
    assert registration.renewal is not None
    end_renewal(records, registration)
    registration = registration._replace(enrolment=registration.renewal, renewal=None)
    records.save(registration)
    return registration


def end_renewal(records: Records, registration: Registration) -> None:
    """Have a party told no more of a renewal."""
    notices = records.notices(registration.enrolment.number)
    records.drop_notices([notice for notice in notices if notice.topic in _RENEWAL])


def end_sim(records: Records, registration: Registration) -> None:
    """Have a new SIM told nothing that was meant for the former one: renewals, loads, locks.

    Whether that obeyed a load before it was replaced nobody can know.
    """
    end_renewal(records, registration)
    items = [n for n in records.notices(registration.enrolment.number) if n.topic is Topic.ITEM]
    own = [n for n in items if isinstance(read_items(n.item)[0], Load | Unlock | UnlockPin)]
    records.drop_notices(own)


def acknowledge(records: Records, registration: Registration, synced: int) -> None:
    """Forget what the message with the counter *synced* told, for the party has obeyed it.

    A counter above the last one of ours is of a time that Sam has forgotten, and tells nothing.
    """
    if not 0 < synced <= registration.told:
        return
    known = records.notices(registration.enrolment.number)
    records.drop_notices([notice for notice in known if notice.first <= synced <= notice.last])


def message(
    records: Records, vault: Vault, registration: Registration, week: int, *first: Item
) -> tuple[Registration, str]:
    """Return the next message with as many notices as fit, or no text if there is nothing to tell.

    Items given go before them, and are told once. The registration that comes back counts the
    message, and is not saved yet.
    """
    notices = records.notices(registration.enrolment.number)
    if not (notices or first) or registration.told >= MAX_COUNTER:
        return registration, ""
    items = [*first, *(_item(vault, registration, notice) for notice in notices)]
    count, counter = fitting(items), registration.told + 1
    records.note_told(notices[: max(0, count - len(first))], counter)
    sync = Sync(counter, week, records.epoch, tuple(items[:count]))
    octets = sync.seal(vault.party_keys(registration.enrolment).sync)
    return registration._replace(told=counter), to_text(octets)


def _item(vault: Vault, registration: Registration, notice: Notice) -> Item:
    if notice.topic is Topic.ITEM:
        (item,) = read_items(notice.item)
        return item
    assert registration.renewal is not None
    generation = registration.renewal.generation
    if notice.topic is Topic.UNIVERSAL_KEY:
        universal = vault.universal_key(registration.renewal.master_id)
        return NewUniversalKey(universal.period, universal.key)
    keys = vault.party_keys(registration.renewal)
    if notice.topic is Topic.EXCHANGE_KEYS:
        return NewExchangeKeys(generation, keys.ask, keys.answer)
    return NewTicketKeys(generation, keys.ticket, keys.seal, keys.sync)
