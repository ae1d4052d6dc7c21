"""What Sam grants: limits, lives and shares, as the operator set them."""

from __future__ import annotations

from attrs import field, frozen, validators

from dtns.sam.protocol.limits import MAX_LIMIT_CLASS
from dtns.sam.protocol.payments import MAX_AMOUNT
from dtns.sam.protocol.weeks import LONGEST_LIFE_WEEKS


def _whole(low: int, high: int, default: int) -> int:
    return field(default=default, validator=[validators.ge(low), validators.le(high)])


@frozen
class Policy:
    """The operator's rules for issuing; every number has a range that the validators name."""

    default_life_weeks: int = _whole(1, LONGEST_LIFE_WEEKS, 26)
    """Life of a key where the asker names none."""
    longest_life_weeks: int = _whole(1, LONGEST_LIFE_WEEKS, 52)
    """Longest life granted, whatever the asker wants."""
    highest_limit_class: int = _whole(0, MAX_LIMIT_CLASS, 16)
    """Highest limit class granted; a higher wish gets this one."""
    typed_limit_class: int = _whole(0, MAX_LIMIT_CLASS, 16)
    """Limit class of keys asked for in digits, which name none; cut to the highest."""
    exposure_limit: int = _whole(0, MAX_AMOUNT, 0)
    """What all unexpired keys of one payer may pay together, in minor units; 0 sets no bound."""
    asks_per_day: int = _whole(1, 10_000, 50)
    """New keys a party may ask for in a day; beyond it, asks are refused; beyond twice, ignored."""
    repeats_per_day: int = _whole(1, 100_000, 100)
    """Answers given again to a party in a day; beyond it repeats meet silence."""
    repeats_per_ask: int = _whole(1, 1_000, 32)
    """How often the answer to one ask is given again."""
    random_keys: bool = False
    """Issue random keys only, carried by the sealed ticket, whatever form the asker wants."""

    def life(self, wanted_weeks: int) -> int:
        """Return the life granted to an asker who wants this many weeks (0: the default)."""
        return min(wanted_weeks or self.default_life_weeks, self.longest_life_weeks)
