"""The journal: what a store that comes back from a copy must not have forgotten.

Apart from the store, appended to before the store commits: enrolments, suspensions, epochs, and
how far the log of decisions has come. A MAC over each entry and all before it shows damage and
removal; the store remembers the entry that it has come to (sam/README.md, section 16).
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final, NamedTuple, Self

from attrs import evolve

from dtns.sam.errors import StoreError
from dtns.sam.protocol.keys import MasterKey
from dtns.sam.protocol.labels import Label
from dtns.sam.protocol.primitives import BLOCK_OCTETS, Prf
from dtns.sam.store.audit import Head
from dtns.sam.store.entries import Change, Entry, Place, read_body, write_body
from dtns.sam.store.journalfile import Disk, JournalFile

_MAC: Final = re.compile(rb',"mac":"([0-9a-f]{32})"\}\n')
_MAC_OCTETS: Final = len(b',"mac":""}\n') + 2 * BLOCK_OCTETS
_KEY: Final = re.compile(rb'\{"key":([0-9]{1,3}),')


class _Line(NamedTuple):
    body: bytes
    mac: bytes
    octets: int


class Journal:
    """An open journal, verified whole. torn counts the octets of a last entry that is not whole.

    Its master keys are needed for as long as there are entries made under them.
    """

    def __init__(self, file: JournalFile, prfs: Mapping[int, Prf], current: int) -> None:
        self._file = file
        self._prfs = prfs
        self._current = current
        length = 0
        first = tip = None
        for line in self._verified():
            first, tip, length = first or line, line, length + line.octets
        if first is None or tip is None:
            raise self._damaged(0)
        beginning = self._read(first)
        self.instance = beginning.instance
        self.began_at = beginning.at
        self.tip = self._read(tip)
        self.torn = file.length - length
        self._whole = length

    @classmethod
    def create(
        cls,
        path: Path,
        master_keys: Mapping[int, MasterKey],
        instance: str,
        *,
        head: Head,
        now: float,
        disk: Disk | None = None,
    ) -> None:
        """Make a journal for the store *instance*, whose log ends at *head*.

        Raises StoreError if there is a file already or none can be made.
        """
        current = max(master_keys)
        first = Entry(0, 0, now, head, instance=instance, master_id=current)
        prf = _prfs(master_keys)[current]
        JournalFile.create(path, _line(prf, bytes(BLOCK_OCTETS), first)[0], disk)

    @classmethod
    def open(
        cls, path: Path, master_keys: Mapping[int, MasterKey], disk: Disk | None = None
    ) -> Self:
        """Open and verify a journal; new entries are made under the key of the highest id.

        Raises StoreError where it is missing, damaged, or cannot be read.
        """
        file = JournalFile.open(path, disk)
        try:
            return cls(file, _prfs(master_keys), max(master_keys))
        except BaseException:
            file.close()
            raise

    @property
    def path(self) -> Path:
        """Where the journal stands."""
        return self._file.path

    def append(
        self,
        base: int,
        at: float,
        head: Head,
        changes: tuple[Change, ...] = (),
        *,
        restored: int | None = None,
    ) -> Place:
        """Add an entry, durable when this returns; StoreError if it cannot be, and then is not."""
        if self.torn:
            self.mend()
        entry = Entry(self.tip.seq + 1, base, at, head, changes, restored, None, self._current)
        line, mac = _line(self._prfs[self._current], self.tip.mac, entry)
        self._file.append(line)
        self.tip = evolve(entry, mac=mac)
        return self.tip.place

    def mend(self) -> None:
        """Cut off a last entry that is not whole."""
        self._file.cut_to(self._whole)
        self.torn = 0

    def entries(self) -> Iterator[Entry]:
        """Yield all entries from the first, verified again."""
        return map(self._read, self._verified())

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _verified(self) -> Iterator[_Line]:
        """Yield the lines whose MACs are right; what cannot be the remains of a last is damage."""
        previous, seq, bad = bytes(BLOCK_OCTETS), 0, False
        for octets in self._file.lines():
            if bad:
                raise self._damaged(seq)
            line = self._check(octets, previous, seq)
            bad = line is None
            if line is not None:
                yield line
                previous, seq = line.mac, seq + 1

    def _check(self, line: bytes, previous: bytes, seq: int) -> _Line | None:
        key, written = _KEY.match(line), _MAC.fullmatch(line[-_MAC_OCTETS:])
        if key is None or written is None:
            return None
        prf = self._prfs.get(int(key[1]))
        if prf is None:
            raise StoreError(
                f"entry {seq} of the journal {self.path} was made under master key {int(key[1])}, "
                "which the key file lacks: put it back"
            )
        body, mac = line[:-_MAC_OCTETS] + b"}", bytes.fromhex(written[1].decode())
        if not hmac.compare_digest(prf.mac(Label.JOURNAL.prefix + previous + body), mac):
            return None
        return _Line(body, mac, len(line))

    def _read(self, line: _Line) -> Entry:
        try:
            return read_body(line.body, line.mac)
        except ValueError:
            raise StoreError(
                f"an entry of the journal {self.path} is of a newer dtns: use that"
            ) from None

    def _damaged(self, seq: int) -> StoreError:
        return StoreError(
            f"the journal {self.path} is damaged at entry {seq}, or of other master keys: put the "
            "right file back; if it is lost, `dtns restore --in-place --new-journal` goes on "
            "without what it knew"
        )


def _prfs(master_keys: Mapping[int, MasterKey]) -> dict[int, Prf]:
    return {master_id: Prf(master.journal_key()) for master_id, master in master_keys.items()}


def _line(prf: Prf, previous: bytes, entry: Entry) -> tuple[bytes, bytes]:
    """Return an entry's line and its MAC."""
    body = write_body(entry)
    mac = prf.mac(Label.JOURNAL.prefix + previous + body)
    return b'%b,"mac":"%b"}\n' % (body[:-1], mac.hex().encode()), mac
