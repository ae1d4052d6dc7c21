"""The registry of type octets."""

from __future__ import annotations

import ast
import inspect
import re
from pathlib import Path

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
    """The registry has the types that sam/README.md, section 3, lists, and no others."""
    specification = (Path(__file__).parents[3] / "sam" / "README.md").read_text(encoding="utf-8")
    section = specification.partition("## 3. Keys")[2].partition("\n## ")[0]
    listed = [int(value, 16) for value in re.findall(r"\| `([0-9a-f]{2})` \|", section)]
    assert sorted(label.value for label in Label) == sorted(listed)


def test_prefix_is_version_and_type() -> None:
    """Two octets, in this order, for every label."""
    assert all(label.prefix == bytes([VERSION, label.value]) for label in Label)
