"""A batch of SIM files in one file, sealed for who personalises the SIMs (sam/README.md, 16).

The file is a line that names its kind, then chunks: 4 octets of length, and an HPKE ciphertext (RFC
9180, X25519, HKDF-SHA256, AES-128-GCM) for the personaliser's public key. Which chunk it is, and
whether it is the last, is in the info, so that none can be moved or left out.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from io import BufferedReader
from itertools import groupby
from pathlib import Path
from typing import IO, Any, Final, Self

from attrs import frozen
from cryptography.exceptions import InvalidTag, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hpke, serialization
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

from dtns.sam.errors import SimFileError
from dtns.sam.handset.documents import CONVERTER, structure, sync_folder
from dtns.sam.handset.simfile import SimFile
from dtns.sam.protocol.keys import MAX_EPOCH, MAX_GENERATION, PartyKeys
from dtns.sam.protocol.numbers import Number, is_number
from dtns.sam.protocol.octets import Key
from dtns.sam.protocol.payments import PurseTerms
from dtns.sam.protocol.small import UniversalKey
from dtns.sam.protocol.weeks import MAX_WEEK

_KIND: Final = b"dtns SIM batch 1\n"
_LENGTH_OCTETS: Final = 4
_LONGEST_CHUNK: Final = 16_000_000
_KEY_OCTETS: Final = [16, 32, 16, 16, 32]
"""Of a party's keys, in the order of their lines."""
_SUITE: Final = hpke.Suite(hpke.KEM.X25519, hpke.KDF.HKDF_SHA256, hpke.AEAD.AES_128_GCM)
_MAKE_ONE: Final = "`openssl genpkey -algorithm x25519` makes one, `openssl pkey -pubout` its half"


@frozen
class _Shared:
    """What the SIMs of a chunk have in common: its first line."""

    service_number: str
    network: str
    terms: PurseTerms
    universal: UniversalKey | None


def read_public_key(path: Path) -> X25519PublicKey:
    """Read an X25519 public key in PEM; SimFileError if there is none."""
    key = _load(path, serialization.load_pem_public_key)
    if not isinstance(key, X25519PublicKey):
        raise SimFileError(f"{path} holds no X25519 public key: {_MAKE_ONE}")
    return key


def read_private_key(path: Path) -> X25519PrivateKey:
    """Read an X25519 private key in PEM, without a password; SimFileError if there is none."""
    key = _load(path, lambda octets: serialization.load_pem_private_key(octets, None))
    if not isinstance(key, X25519PrivateKey):
        raise SimFileError(f"{path} holds no X25519 private key: {_MAKE_ONE}")
    return key


def _load(path: Path, load: Any) -> Any:
    try:
        return load(path.read_bytes())
    except OSError as fault:
        raise SimFileError(f"cannot read {path}: {fault.strerror}") from fault
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise SimFileError(f"{path} is no key in PEM that opens without a password") from None


class SimBatch:
    """A batch that is being written; it stands at *path* once it is whole, mode 0600."""

    def __init__(self, file: IO[bytes], recipient: X25519PublicKey) -> None:
        self._file = file
        self._recipient = recipient
        self._chunks = 0

    @classmethod
    @contextmanager
    def write(cls, path: Path, recipient: X25519PublicKey) -> Iterator[Self]:
        """Write a batch, whole or not at all; SimFileError if it cannot be, or there is one."""
        if path.exists():
            raise SimFileError(f"{path} exists: a batch is never overwritten")
        scratch = path.with_name(path.name + ".new")
        try:
            scratch.unlink(missing_ok=True)
            descriptor = os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(_KIND)
                batch = cls(file, recipient)
                yield batch
                batch._add(b"", last=True)
                file.flush()
                os.fsync(descriptor)
            scratch.rename(path)
            sync_folder(path.parent)
        except OSError as fault:
            raise SimFileError(f"cannot write {path}: {fault.strerror}") from fault
        finally:
            with suppress(OSError):
                scratch.unlink(missing_ok=True)

    def add(self, sims: Iterable[SimFile]) -> None:
        """Add SIMs, best some hundreds at a time."""
        for shared, group in groupby(sims, _shared):
            first = json.dumps(CONVERTER.unstructure(_Shared(*shared)))
            self._add("\n".join((first, *map(_line, group))).encode(), last=False)

    def _add(self, text: bytes, *, last: bool) -> None:
        info = _info(self._chunks, last=last)
        sealed = _SUITE.encrypt(text, self._recipient, info=info)
        self._file.write(len(sealed).to_bytes(_LENGTH_OCTETS) + sealed)
        self._chunks += 1


def read_batch(
    path: Path,
    key: X25519PrivateKey,
    advance: Callable[[int, int], None] = lambda _done, _all: None,
) -> Iterator[SimFile]:
    """Yield the SIMs of a batch; SimFileError where it is damaged, cut off, or of another key.

    *advance* is told how many octets of how many were read.
    """
    try:
        with path.open("rb") as file:
            if file.read(len(_KIND)) != _KIND:
                raise SimFileError(f"{path} is no batch of SIM files")
            for sims in _read_chunks(path, file, key):
                advance(file.tell(), path.stat().st_size)
                yield from sims
    except OSError as fault:
        raise SimFileError(f"cannot read {path}: {fault.strerror}") from fault


def _read_chunks(
    path: Path, file: BufferedReader, key: X25519PrivateKey
) -> Iterator[list[SimFile]]:
    count = 0
    while True:
        length = int.from_bytes(file.read(_LENGTH_OCTETS))
        sealed = file.read(min(length, _LONGEST_CHUNK))
        last, text = not file.peek(1), None
        if len(sealed) == length:
            with suppress(InvalidTag, ValueError):
                text = _SUITE.decrypt(sealed, key, info=_info(count, last=last))
        if text is None:
            raise SimFileError(
                f"{path} is damaged or cut off in chunk {count}, or sealed for another key"
            )
        if last:
            return
        yield _read_lines(path, text)
        count += 1


def _read_lines(path: Path, text: bytes) -> list[SimFile]:
    try:
        first, *lines = text.decode().split("\n")
        shared = structure(path, json.loads(first), _Shared)
        return [_sim(line, shared) for line in lines]
    except (ValueError, TypeError, RecursionError):
        raise SimFileError(f"{path} is whole but not of a form this version knows") from None


def _sim(line: str, shared: _Shared) -> SimFile:
    """Return the SIM that a line tells of; ValueError or TypeError where it tells of none."""
    number, *own = line.split(" ")
    generation, epoch, week = map(int, own[:3])
    keys = list(map(Key.parse, own[3:]))
    if not is_number(number) or list(map(len, keys)) != _KEY_OCTETS:
        raise ValueError("no number, or no keys")
    if not (0 < generation <= MAX_GENERATION and 0 < epoch <= MAX_EPOCH and 0 <= week <= MAX_WEEK):
        raise ValueError("no party")
    return SimFile(
        number=Number(number),
        generation=generation,
        epoch=epoch,
        week=week,
        service_number=shared.service_number,
        network=shared.network,
        keys=PartyKeys(*keys),
        terms=shared.terms,
        universal=shared.universal,
    )


def _shared(sim: SimFile) -> tuple[str, str, PurseTerms, UniversalKey | None]:
    """Return the values of _Shared."""
    return sim.service_number, sim.network, sim.terms, sim.universal


def _line(sim: SimFile) -> str:
    keys = sim.keys
    secrets = (keys.ask, keys.answer, keys.ticket, keys.seal, keys.sync)
    own = (sim.number, str(sim.generation), str(sim.epoch), str(sim.week))
    return " ".join((*own, *map(bytes.hex, secrets)))


def _info(chunk: int, *, last: bool) -> bytes:
    return b"%b%b%b" % (_KIND, chunk.to_bytes(_LENGTH_OCTETS), last.to_bytes(1))
