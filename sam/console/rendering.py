"""Pages from templates: everything put into them is escaped."""

from __future__ import annotations

from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from dtns.sam.console.assets import assets


@cache
def environment() -> Environment:
    """Return the templates of this package, escaping on, nothing undefined let through."""
    found = Environment(
        loader=PackageLoader("dtns.sam.console", "pages"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    found.globals["asset"] = lambda name: assets()[name].url
    return found


def render(template: str, **values: Any) -> str:
    """Return the page that *template*, a file name, makes of these values."""
    return environment().get_template(template).render(**values)
