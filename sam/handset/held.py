"""What the keypad needs of the phone it is on, and who is told what happened there."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Protocol

from dtns.sam.handset.handset import Handset
from dtns.sam.handset.reports import Report
from dtns.sam.handset.simfile import SimFile


class Held(Protocol):
    """A phone that lends its handset for one step at a time, as `dtns.sam.handset.phone` does."""

    sim: SimFile

    def handset(self) -> AbstractContextManager[Handset]:
        """Lend the handset."""


class Happened(Protocol):
    """Takes one thing that happened on the phone."""

    def __call__(self, event: str, report: Report, **facts: str) -> None:
        """Take the report of an event (shown, typed or received), and *facts* besides."""
