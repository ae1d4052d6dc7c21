"""The frozen numbers of the code: its field, its columns and its rows."""

from __future__ import annotations

P = 9973
"""The largest prime below 10**4: a group of four digits is an element of GF(P)."""

WIDTH = 4
"""Digits of a group."""

MULTIPLIERS = (
    3372, 4182, 4298, 1469, 2667, 4341, 4647, 635, 289, 4891,
    3038, 2296, 4911, 358, 1926, 4121,
)  # fmt: skip
"""First parity row, one multiplier a data group.

Beside the parity group itself, the first 13 keep every two in-group slips apart: substitutions,
transpositions, jump transpositions, twins and jump twins. All 16 do so but for jump twins.
"""

POINTS = (
    4472, 2135, 1001, 4614, 1699, 2639, 9127, 8212, 5344, 8753,
    5069, 9212, 2408, 5036, 24, 1783,
)  # fmt: skip
"""Evaluation points of the data groups: distinct, none of them in POLES.

Chosen so that two slips seldom look like one garbled group, and two swapped groups never do.
"""

POLES = (0, 9972)
"""Evaluation points of the second and third parity group; the first one's lies at infinity."""
