"""AES and what is built on it, against the published vectors and a second implementation."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path

import cryptography_vectors
import pytest
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.kdf.kbkdf import KBKDFCMAC, CounterLocation, Mode
from hypothesis import given
from hypothesis import strategies as st

from dtns.sam.protocol.labels import VERSION, Label
from dtns.sam.protocol.octets import Key
from dtns.sam.protocol.primitives import (
    Prf,
    decrypt_block,
    encrypt_block,
    same,
    siv_open,
    siv_seal,
    top_bits,
)

PUBLISHED = Path(cryptography_vectors.__file__).parent
AES_KEYS = st.sampled_from([16, 32]).flatmap(lambda size: st.binary(min_size=size, max_size=size))


def _records(name: str, first: str) -> Iterator[dict[str, str]]:
    """Read NAME = value records, each of which begins with *first*; sections count as values."""
    record: dict[str, str] = {}
    sections: dict[str, str] = {}
    for line in (PUBLISHED / name).read_text().splitlines():
        key, found, value = line.strip(" \t[]#").partition("=")
        if line.startswith("["):
            sections[key] = value
        elif found:
            if key.strip() == first and record:
                yield record
                record = {}
            record |= sections | {key.strip(): value.strip()}
    yield record


@pytest.mark.parametrize("size", [128, 256])
def test_cmac_of_sp_800_38b(size: int) -> None:
    """The published AES-CMAC values, among them the four of RFC 4493."""
    records = list(_records(f"CMAC/nist-800-38b-aes{size}.txt", "COUNT"))
    assert len(records) >= 4
    for record in records:
        key, message = bytes.fromhex(record["KEY"]), bytes.fromhex(record["MESSAGE"])
        assert Prf(key).mac(message).hex() == record["OUTPUT"]


def test_siv_of_rfc_5297() -> None:
    """The published AES-SIV values for AES-128, among them both of RFC 5297, appendix A."""
    records = [
        record
        for record in _records("ciphers/AES/SIV/openssl.txt", "Cipher")
        if record["Cipher"] == "aes-128-siv"
    ]
    assert len(records) >= 2
    for record in records:
        key, tag = bytes.fromhex(record["Key"]), bytes.fromhex(record["Tag"])
        plaintext = bytes.fromhex(record["Plaintext"])
        associated = [bytes.fromhex(record[name]) for name in record if name.startswith("AAD")]
        sealed = tag + bytes.fromhex(record["Ciphertext"])
        assert siv_seal(key, plaintext, associated) == sealed
        assert siv_open(key, sealed, associated) == plaintext


def test_counter_mode_of_sp_800_108() -> None:
    """The published derivations with a 32-bit counter before the fixed input, of every length."""
    tested = set()
    for record in _records("KDF/nist-800-108-KBKDF-CTR.txt", "COUNT"):
        mode = record["PRF"], record["CTRLOCATION"], record["RLEN"]
        if mode not in {(f"CMAC_AES{n}", "BEFORE_FIXED", "32_BITS") for n in (128, 256)}:
            continue
        fixed, octets = bytes.fromhex(record["FixedInputData"]), int(record["L"]) // 8
        prf = Prf(bytes.fromhex(record["KI"]))
        blocks = [prf.mac(i.to_bytes(4) + fixed) for i in range(1, -(-octets // 16) + 1)]
        assert b"".join(blocks)[:octets].hex() == record["KO"]
        tested.add((mode[0], octets))
    assert {prf for prf, _ in tested} == {"CMAC_AES128", "CMAC_AES256"}
    assert len({octets for _, octets in tested}) > 2


@given(AES_KEYS, st.sampled_from(Label), st.binary(max_size=60), st.integers(1, 80))
def test_derivation_is_kbkdf(key: bytes, label: Label, context: bytes, octets: int) -> None:
    """Deriving is SP 800-108 in counter mode as the cryptography package has it."""
    kbkdf = KBKDFCMAC(
        AES,
        Mode.CounterMode,
        length=octets,
        rlen=4,
        llen=4,
        location=CounterLocation.BeforeFixed,
        label=bytes([VERSION, label]),
        context=context,
        fixed=None,
    )
    assert Prf(key).derive(label, context, octets) == kbkdf.derive(key)


@given(AES_KEYS, st.binary(max_size=60), st.binary(max_size=60))
def test_one_prf_serves_many_messages(key: bytes, first: bytes, second: bytes) -> None:
    """A PRF once set up gives the same as a new one, whatever came before."""
    prf = Prf(key)
    prf.mac(first)
    assert prf.mac(second) == Prf(key).mac(second)


@given(st.binary(min_size=32, max_size=32), st.binary(max_size=80), st.data())
def test_siv_notices_every_change(key: bytes, plaintext: bytes, data: st.DataObject) -> None:
    """No single bit of the sealed octets or the associated data can be another."""
    plaintext += b"\0"
    sealed = siv_seal(key, plaintext, [b"head", b"ask"])
    bit = data.draw(st.integers(0, len(sealed) * 8 - 1))
    changed = int.from_bytes(sealed) ^ 1 << bit
    assert siv_open(key, changed.to_bytes(len(sealed)), [b"head", b"ask"]) is None
    assert siv_open(key, sealed, [b"heada", b"sk"]) is None
    assert siv_open(key, sealed[: data.draw(st.integers(0, len(sealed) - 1))], [b"head"]) is None


@given(st.binary(min_size=16, max_size=16), st.binary(min_size=16, max_size=16))
def test_one_block_goes_both_ways(key: bytes, block: bytes) -> None:
    """Decrypting undoes encrypting, and neither leaves the block as it is."""
    assert decrypt_block(key, encrypt_block(key, block)) == block
    assert encrypt_block(key, block) != block


@pytest.mark.parametrize("length", [0, 15, 17, 32])
def test_one_block_is_sixteen_octets(length: int) -> None:
    """Anything but one block is a mistake of the caller."""
    with pytest.raises(ValueError, match="16 octets"):
        encrypt_block(bytes(16), bytes(length))
    with pytest.raises(ValueError, match="16 octets"):
        decrypt_block(bytes(16), bytes(length))


@given(st.binary(min_size=16, max_size=16), st.integers(1, 128))
def test_top_bits(mac: bytes, bits: int) -> None:
    """The first bits of the octets as they are written."""
    assert f"{top_bits(mac, bits):0{bits}b}" == "".join(f"{o:08b}" for o in mac)[:bits]


@given(st.integers(0, 2**64 - 1), st.integers(0, 63))
def test_same(tag: int, bit: int) -> None:
    """Equal tags are the same; tags that differ in one bit are not."""
    assert same(tag, tag)
    assert not same(tag, tag ^ 1 << bit)


@given(st.binary(min_size=12, max_size=32))
def test_a_key_does_not_show_its_octets(octets: bytes) -> None:
    """However it is formatted, in whatever it is contained."""
    key = Key(octets)
    shown = f"{key} {key!r} {[key]} {(key,)} {key!s} {'%s %r'}" % (key, key)
    shown += str({key: key}) + "{0}{0!r}".format(key)  # noqa: UP032 (this way as well)
    secrets = (octets.hex(), repr(octets), str(octets)[2:-1], base64.b64encode(octets).decode())
    assert not any(secret in shown for secret in secrets)
    assert key == octets
    assert Key.parse(octets.hex()) == key


@pytest.mark.parametrize("text", ["0g", "abc", "ab\u00e9", "secretsecret"])
def test_a_bad_key_is_not_repeated(text: str) -> None:
    """The error for a text that is no key does not hold the text, nor does what caused it."""
    with pytest.raises(ValueError, match="hexadecimal") as raised:
        Key.parse(text)
    assert text not in str(raised.value)
    assert raised.value.__suppress_context__
