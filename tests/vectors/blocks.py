"""AES on single blocks, taken from outside, and what is built on it by hand."""

from __future__ import annotations

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes


def aes(key: bytes, block: bytes) -> bytes:
    """Encrypt one block of 16 octets."""
    encryptor = Cipher(algorithms.AES(key), modes.ECB()).encryptor()
    return encryptor.update(block) + encryptor.finalize()


def aes_back(key: bytes, block: bytes) -> bytes:
    """Decrypt one block of 16 octets."""
    decryptor = Cipher(algorithms.AES(key), modes.ECB()).decryptor()
    return decryptor.update(block) + decryptor.finalize()


def xor(left: bytes, right: bytes) -> bytes:
    """Add two strings of the same length bit by bit."""
    return bytes(a ^ b for a, b in zip(left, right, strict=True))


def double(block: bytes) -> bytes:
    """Multiply by x in GF(2^128) modulo x^128 + x^7 + x^2 + x + 1."""
    number = int.from_bytes(block, "big") << 1
    if number >> 128:
        number ^= (1 << 128) | 0x87
    return number.to_bytes(16, "big")


def cmac(key: bytes, message: bytes) -> bytes:
    """Give the AES-CMAC of RFC 4493, 16 octets."""
    subkey = double(aes(key, bytes(16)))
    rest = len(message) % 16
    if rest or not message:
        subkey = double(subkey)
        message += b"\x80" + bytes(15 - rest)
    state = bytes(16)
    for at in range(0, len(message) - 16, 16):
        state = aes(key, xor(state, message[at : at + 16]))
    return aes(key, xor(xor(state, message[-16:]), subkey))


def cmac_bits(key: bytes, message: bytes, bits: int) -> int:
    """Give the first bits of a CMAC as an integer."""
    return int.from_bytes(cmac(key, message), "big") >> (128 - bits)


def kdf(key: bytes, kind: int, context: bytes, octets: int = 16) -> bytes:
    """Derive octets by SP 800-108 in counter mode (section 3)."""
    out = b""
    turn = 0
    while len(out) < octets:
        turn += 1
        fixed = bytes([1, kind, 0]) + context + (8 * octets).to_bytes(4, "big")
        out += cmac(key, turn.to_bytes(4, "big") + fixed)
    return out[:octets]


def s2v(key: bytes, strings: list[bytes]) -> bytes:
    """Give the synthetic IV of RFC 5297, section 2.4; the plaintext is the last string."""
    state = cmac(key, bytes(16))
    for string in strings[:-1]:
        state = xor(double(state), cmac(key, string))
    last = strings[-1]
    if len(last) >= 16:
        return cmac(key, last[:-16] + xor(last[-16:], state))
    return cmac(key, xor(double(state), last + b"\x80" + bytes(15 - len(last))))


def siv_seal(key: bytes, associated: list[bytes], plaintext: bytes) -> bytes:
    """Seal by AES-SIV: the synthetic IV, then the ciphertext."""
    half = len(key) // 2
    iv = s2v(key[:half], [*associated, plaintext])
    counter = int.from_bytes(iv, "big") & ~((1 << 63) | (1 << 31))
    stream = b""
    while len(stream) < len(plaintext):
        stream += aes(key[half:], (counter % (1 << 128)).to_bytes(16, "big"))
        counter += 1
    return iv + xor(plaintext, stream[: len(plaintext)])
