"""The registry of type octets."""

from __future__ import annotations

import ast
import inspect

from dtns.sam.protocol import labels
from dtns.sam.protocol.labels import VERSION, Label


def test_no_two_labels_share_a_value() -> None:
    """Each line of the registry is a label of its own, not another name of one."""
    (registry,) = [
        node
        for node in ast.parse(inspect.getsource(labels)).body
        if isinstance(node, ast.ClassDef) and node.name == "Label"
    ]
    written = [node for node in registry.body if isinstance(node, ast.Assign)]
    assert len(written) == len(Label) == len({label.value for label in Label})


def test_values_are_the_specification_s() -> None:
    """The fourteen values of sam/README.md, section 3."""
    values = {label.name: label.value for label in Label}
    assert values == {
        "ASK": 0x01,
        "ANSWER": 0x02,
        "PARTY_ASK": 0x10,
        "PARTY_ANSWER": 0x11,
        "PARTY_TICKET": 0x12,
        "PARTY_SEAL": 0x13,
        "PARTY_SYNC": 0x14,
        "WITNESS": 0x18,
        "SESSION": 0x20,
        "SEAL_CIPHER": 0x21,
        "SEAL_TAG": 0x22,
        "TICKET": 0x30,
        "CHALLENGE": 0x31,
        "CONFIRMATION": 0x32,
    }


def test_prefix_is_version_and_type() -> None:
    """Two octets, in this order, for every label."""
    assert all(label.prefix == bytes([VERSION, label.value]) for label in Label)
