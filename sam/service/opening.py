"""A store opened with what belongs to it: its master keys and its journal."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from twisted.logger import Logger

from dtns.sam.configuration import Config
from dtns.sam.service.accounting import Accounting
from dtns.sam.service.administration import Administration
from dtns.sam.service.telling import Telling
from dtns.sam.service.upkeep import Upkeep
from dtns.sam.store.keyfile import MasterKeys, read_key_file
from dtns.sam.store.recovery import Mended, join_journal
from dtns.sam.store.store import Store

_log: Final = Logger()


def open_store(config: Config, clock: Callable[[], float] = time.time) -> tuple[Store, MasterKeys]:
    """Open the store, its journal and its master keys; the caller holds the lock.

    Raises KeyFileError if a key is missing or is not the one that the store's parties have,
    StoreError if the store and its journal do not agree.
    """
    master_keys = read_key_file(config.master_key)
    store = Store.open(config.store)
    try:
        with store.transaction():
            checks = store.registry.master_keys()
        master_keys.insist_on(checks, config.master_key)
        _tell(join_journal(store, config.journal, master_keys, clock))
    except BaseException:
        store.close()
        raise
    return store, master_keys


@contextmanager
def administer(config: Config, clock: Callable[[], float]) -> Iterator[Administration]:
    """Do what operators ask for on a store that no running Sam has; the caller holds the lock.

    Raises what `open_store` raises.
    """
    store, master_keys = open_store(config, clock)
    with store:
        yield Administration(
            store,
            master_keys,
            clock,
            telling=Telling(store, master_keys, config.master_key),
            accounting=Accounting(store, clock),
            upkeep=Upkeep(store, clock, config.sam.retention_days),
        )


def _tell(mended: Mended) -> None:
    if mended.rolled_forward is not None:
        _log.warn(
            "entry {entry} of the journal was written before a crash and is done now",
            event="rolled-forward",
            entry=mended.rolled_forward,
        )
    if mended.torn:
        _log.warn("half an entry of the journal, of a crash, is cut off", event="journal-torn")
