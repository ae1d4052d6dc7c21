"""Tokens that operators log in with, hashed at rest; `dtns console token` makes them."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Final

from attrs import asdict, frozen

from dtns.sam.errors import ConfigError

FILE: Final = "console.tokens"
_OCTETS: Final = 20
_GROUP: Final = 4
_LONGEST: Final = 200


@frozen
class Token:
    """A token as it is kept: whose it is, its hash, and what it may; times are POSIX times."""

    name: str
    sha256: str
    created_at: float
    expires_at: float
    read_only: bool = False


class TokenFile:
    """The tokens beside a configuration, in a file of mode 0600 that is read when it changes."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / FILE
        self._read_at: tuple[int, int, int] | None = None
        self._tokens: tuple[Token, ...] = ()

    def make(
        self,
        name: str,
        now: float,
        seconds: float,
        *,
        read_only: bool = False,
        random: Callable[[int], bytes] = secrets.token_bytes,
    ) -> str:
        """Make a token good for so many seconds and return it; it cannot be shown again.

        It takes the place of one with the same name.
        """
        plain = base64.b32encode(random(_OCTETS)).decode().lower()
        token = Token(name, _hash(plain), now, now + seconds, read_only)
        self._write([each for each in self.tokens() if each.name != name] + [token])
        return "-".join(plain[i : i + _GROUP] for i in range(0, len(plain), _GROUP))

    def revoke(self, name: str) -> bool:
        """Take a token back, and with it every session it began; tell whether there was one."""
        left = [each for each in self.tokens() if each.name != name]
        if len(left) == len(self.tokens()):
            return False
        self._write(left)
        return True

    def tokens(self) -> tuple[Token, ...]:
        """Return all tokens; ConfigError if the file cannot be read, or others may read it."""
        try:
            status = self.path.stat()
        except FileNotFoundError:
            return ()
        if status.st_mode & 0o077:
            raise ConfigError(f"others may read {self.path}: chmod 600 {self.path}")
        state = (status.st_mtime_ns, status.st_size, status.st_ino)
        if state != self._read_at:
            self._tokens = self._read()
            self._read_at = state
        return self._tokens

    def find(self, text: str, now: float) -> Token | None:
        """Return the token that *text* is, as typed or pasted; None if it is none or expired."""
        digest = _hash(text[:_LONGEST])
        found = None
        for token in self.tokens():
            if hmac.compare_digest(token.sha256, digest) and now < token.expires_at:
                found = token
        return found

    def holds(self, token: Token, now: float) -> bool:
        """Tell whether a token is still good."""
        return token in self.tokens() and now < token.expires_at

    def _read(self) -> tuple[Token, ...]:
        try:
            lines = self.path.read_text("utf-8").splitlines()
            return tuple(Token(**json.loads(line)) for line in lines if line.strip())
        except (OSError, ValueError, TypeError):
            raise ConfigError(f"{self.path} is damaged: remove it and make new tokens") from None

    def _write(self, tokens: list[Token]) -> None:
        lines = "".join(json.dumps(asdict(token)) + "\n" for token in tokens)
        scratch = self.path.with_name(f"{FILE}.new")
        try:
            scratch.unlink(missing_ok=True)
            descriptor = os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                file.write(lines)
                file.flush()
                os.fsync(descriptor)
            scratch.replace(self.path)
        except OSError as fault:
            raise ConfigError(f"cannot write {self.path}: {fault.strerror}") from fault


def _hash(text: str) -> str:
    """Hash 160 random bits, however they were typed: no salt and no slow hash is needed."""
    compact = "".join(text.split()).replace("-", "").lower()
    return hashlib.sha256(b"dtns console token " + compact.encode()).hexdigest()
