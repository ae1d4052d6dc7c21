"""The compiled build: DTNS_COMPILE=1 makes wheels whose hot modules are machine code, by mypyc.

Without it this file adds nothing to setup.cfg. Sources are the same either way, and lie in the
wheel beside what was made of them. An editable install is never compiled.
"""

from __future__ import annotations

import os
import sys
from configparser import ConfigParser
from tempfile import TemporaryDirectory

from setuptools import setup

COMPILED = (
    "gateway/gsm7",
    "gateway/outstanding",
    "gateway/smpp/arrivals",
    "gateway/smpp/content",
    "gateway/smpp/messages",
    "gateway/smpp/pdu",
    "gateway/smpp/session",
    "gateway/smpp/submissions",
    "sam/protocol/answer",
    "sam/protocol/ask",
    "sam/protocol/keys",
    "sam/protocol/numbers",
    "sam/protocol/primitives",
    "sam/protocol/wire",
    "sam/issuing/clock",
    "sam/issuing/issuer",
    "sam/issuing/notices",
    "sam/issuing/records",
    "sam/issuing/standing",
    "sam/issuing/vault",
    "sam/issuing/window",
    "sam/store/audit",
    "sam/store/database",
    "sam/store/guard",
    "sam/store/outbox",
    "sam/store/rows",
    "sam/store/store",
)
"""The modules that pay for it; each one more has to show its gain (sam/README.md, section 21).

Left out must be whatever cattrs or attrs read at run time: compiled classes lose annotations.
"""
COMPILERS = ("mypy==", "mypy-zope==")


def requirements() -> list[str]:
    """Return what compiling needs: the type checker as pinned, and all that it reads types of."""
    config = ConfigParser()
    config.read("setup.cfg")
    checks = config["options.extras_require"]["check"].split()
    pinned = [each for each in checks if each.startswith(COMPILERS)]
    return pinned + config["options"]["install_requires"].split()


def compiled_wheel(folder: str) -> None:
    """Make the compiled wheel; all that it is made of on the way goes into *folder*."""
    from mypyc.build import mypycify  # noqa: PLC0415 (there is none in other builds)

    paths = [f"src/dtns/{name}.py" for name in COMPILED]
    checks = ["--config-file=setup.cfg", f"--cache-dir={folder}", "--no-warn-unused-ignores"]
    modules = mypycify(checks + paths, group_name="dtns", target_dir=folder)
    setup(ext_modules=modules, options={"build": {"build_base": folder}})


if __name__ == "__main__":
    if os.environ.get("DTNS_COMPILE") != "1":
        setup()
    elif "bdist_wheel" in sys.argv:
        with TemporaryDirectory() as folder:
            compiled_wheel(folder)
    else:
        setup(setup_requires=requirements())
