"""The frozen numbers of the code: its field, its columns and its rows."""

from __future__ import annotations

P = 9973
"""The largest prime below 10**4: a group of four digits is an element of GF(P)."""

MULTIPLIERS = (
    6075, 8570, 9405, 9324, 3426, 5922, 5271, 3571, 1926, 3843, 7423, 6569, 3481, 3624, 2, 3,
)  # fmt: skip
"""First parity row, one multiplier a data group."""

POINTS = (
    17, 1003, 2718, 31, 4444, 5077, 6661, 7003, 8128, 9001, 123, 456, 789, 3210, 6543, 9876,
)  # fmt: skip
"""Evaluation points of the data groups: distinct, none of them in POLES."""

POLES = (0, 7919)
"""Evaluation points of the second and third parity group; the first one's lies at infinity."""
