"""The caller's side of USSD by HTTP callback: dials, types and shows what an aggregator would.

`python -m dtns.gateway.ussd.simulator URL NUMBER [TYPED...]` posts what Africa's Talking posts, to
try out a gateway, or any other application of that form.
"""

from __future__ import annotations

import argparse
import json
import secrets
import sys
import time
from typing import TYPE_CHECKING, Any, Final
from urllib.error import HTTPError, URLError
from urllib.parse import urlencode, urlsplit
from urllib.request import Request, urlopen

if TYPE_CHECKING:
    from collections.abc import Iterator

TIMEOUT_SECONDS: Final = 10.0
_CONTINUES: Final = "CON "
_ENDS: Final = "END "
_LONGEST: Final = 4096


class CallbackError(Exception):
    """The application did not answer in the form of a callback; the text says what it did."""


class Caller:
    """One USSD session: a caller at *number*, an application at *url*."""

    def __init__(self, url: str, number: str, code: str = "*384#", session: str = "") -> None:
        if urlsplit(url).scheme not in {"http", "https"}:
            raise CallbackError("the address must begin with http:// or https://")
        self._url = url
        self._session = session or f"ATUid_{secrets.token_hex(16)}"
        self._fields = {"serviceCode": code, "phoneNumber": number, "networkCode": "99999"}
        self._typed: list[str] = []
        self.over = False
        self.seconds = 0.0
        """How long the last answer took."""

    def dial(self) -> str:
        """Open the session and return the first screen."""
        return self._post()

    def type(self, text: str) -> str:
        """Type something and return the next screen."""
        self._typed.append(text)
        return self._post()

    def again(self) -> str:
        """Post the last request once more, as an aggregator does that heard no answer."""
        return self._post()

    def end(self, status: str = "Success") -> None:
        """Tell the application that the session is over."""
        self._send(f"{self._url}/end", {"status": status, "hopsCount": str(len(self._typed))})

    def _post(self) -> str:
        answer = self._send(self._url, {"text": "*".join(self._typed)})
        self.over = answer.startswith(_ENDS)
        if not self.over and not answer.startswith(_CONTINUES):
            raise CallbackError(f"the answer begins with neither CON nor END: {answer[:40]!r}")
        return answer[len(_ENDS) :]

    def _send(self, url: str, more: dict[str, str]) -> str:
        body = urlencode({"sessionId": self._session, **self._fields, **more}).encode()
        request = Request(url, body, {"Content-Type": "application/x-www-form-urlencoded"})  # noqa: S310 # the scheme was checked
        begun = time.monotonic()
        try:
            with urlopen(request, timeout=TIMEOUT_SECONDS) as response:  # noqa: S310 # as above
                answer: bytes = response.read(_LONGEST)
        except HTTPError as fault:
            told = fault.read(_LONGEST).decode("utf-8", "replace").strip()
            raise CallbackError(f"the application refused: {fault.code} {told}".strip()) from None
        except (URLError, OSError) as fault:
            reason = getattr(fault, "reason", fault)
            raise CallbackError(f"no answer from the application: {reason}") from None
        self.seconds = time.monotonic() - begun
        return answer.decode("utf-8", "replace")


def main(arguments: list[str] | None = None) -> int:
    """Hold one session, typed ahead or at the keyboard; return the exit code."""
    options = _parser().parse_args(arguments)
    try:
        caller = Caller(_url(options), options.number, options.code)
        for screen in _session(caller, options.typed):
            if options.json:
                sys.stdout.write(json.dumps(_told(caller, screen)) + "\n")
            else:
                sys.stdout.write(f"{screen}\n{'-' * 20}\n")
            sys.stdout.flush()
    except CallbackError as fault:
        sys.stderr.write(f"{fault}\n")
        return 5
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m dtns.gateway.ussd.simulator", description=__doc__
    )
    parser.add_argument(
        "url", help="where callbacks go, without the secret if --secret-file is given"
    )
    parser.add_argument("number", help="the caller's number, as in +254712345678")
    parser.add_argument("typed", nargs="*", help="what is typed, one after the other")
    parser.add_argument("--secret-file", help="a file with the last part of the path")
    parser.add_argument("--code", default="*384#", help="the code that was dialled")
    parser.add_argument("--json", action="store_true", help="print one JSON object a screen")
    return parser


def _url(options: argparse.Namespace) -> str:
    if options.secret_file is None:
        return str(options.url)
    try:
        with open(options.secret_file, encoding="ascii") as file:  # noqa: PTH123 # one line
            return f"{options.url.rstrip('/')}/{file.read().strip()}"
    except (OSError, UnicodeDecodeError) as fault:
        raise CallbackError(f"cannot read {options.secret_file}: {fault}") from None


def _session(caller: Caller, typed: list[str]) -> Iterator[str]:
    yield caller.dial()
    for text in typed or _keyboard():
        if caller.over:
            return
        yield caller.type(text)
    if not caller.over:
        caller.end("Incomplete")


def _keyboard() -> Iterator[str]:
    while line := sys.stdin.readline():
        yield line.strip()


def _told(caller: Caller, screen: str) -> dict[str, Any]:
    return {"screen": screen, "ends": caller.over, "seconds": round(caller.seconds, 4)}


if __name__ == "__main__":
    sys.exit(main())
