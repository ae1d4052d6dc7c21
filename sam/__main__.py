"""`python -m dtns.sam` is the `dtns` command."""

from __future__ import annotations

from dtns.sam.cli.main import main

main()
