"""The service's log: JSON for programs, text for people, tracebacks only where nobody expected."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from twisted.logger import Logger, LogPublisher

from dtns.sam.errors import StoreError
from dtns.sam.service.logs import JsonObserver, TextObserver


def logged(kind: Any, tell: Any, namespace: str = "dtns.test") -> str:
    """Return what an observer writes of what *tell* logs."""
    stream = io.StringIO()
    tell(Logger(namespace=namespace, observer=LogPublisher(kind(stream))))
    return stream.getvalue()


def failing(fault: Exception) -> Any:
    """Return what logs this fault as a failure."""

    def tell(log: Logger) -> None:
        try:
            raise fault
        except type(fault):
            log.failure("it failed", event="fault")

    return tell


def test_an_event_is_one_json_line() -> None:
    """Time, level, event, message, and plain facts; nothing that is no JSON value."""
    line = logged(
        JsonObserver, lambda news: news.warn("{n} things", n=3, event="things", object=object())
    )
    facts = json.loads(line)
    assert line.endswith("}\n")
    assert facts.pop("time").endswith("+00:00")
    assert facts == {"level": "warn", "event": "things", "message": "3 things", "n": 3}


def test_text_is_for_people() -> None:
    """Time, level and message on a line."""
    assert logged(TextObserver, lambda news: news.error("alas")).endswith(" error alas\n")


def test_debugging_and_twisteds_own_news_are_left_out() -> None:
    """Twisted's warnings are kept."""
    assert logged(JsonObserver, lambda news: news.debug("x")) == ""
    assert logged(JsonObserver, lambda news: news.info("x"), "twisted.internet") == ""
    assert logged(JsonObserver, lambda news: news.info("x"), "log_legacy") == ""
    assert logged(JsonObserver, lambda news: news.warn("x"), "twisted.internet") != ""


@pytest.mark.parametrize("kind", [JsonObserver, TextObserver])
def test_only_unforeseen_faults_have_a_traceback(kind: Any) -> None:
    """A full disk is a sentence; a fault in the program is a traceback."""
    foreseen = logged(kind, failing(StoreError("the disk is full")))
    assert "it failed: the disk is full" in foreseen
    assert "Traceback" not in foreseen
    assert "Traceback" in logged(kind, failing(ZeroDivisionError()))
