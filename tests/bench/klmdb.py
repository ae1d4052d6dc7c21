"""The peer's LMDB module, which Debian leaves out: built from Debian's own source of krb5.

    python tests/bench/klmdb.py

prints the folder that it is in, for `db_module_dir` of Debian's own krb5kdc. It is built once for
each version of krb5-kdc, in about 90 seconds on one core, and kept below ~/.cache/dtns-bench.
Needs `apt-get install krb5-kdc liblmdb-dev dpkg-dev gcc libc6-dev make perl`, and deb.debian.org.
"""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

from figures import tell

PACKAGES = "krb5-kdc liblmdb-dev dpkg-dev gcc libc6-dev make perl"
MODULE = "klmdb.so"
_CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "dtns-bench"
_PROGRAMS = ("apt-get", "dpkg-query", "dpkg-source", "gcc", "make", "perl")
_SOURCES = """\
Types: deb-src
URIs: http://deb.debian.org/debian
Suites: {release} {release}-updates
Components: main
Signed-By: {keyring}

Types: deb-src
URIs: http://deb.debian.org/debian-security
Suites: {release}-security
Components: main
Signed-By: {keyring}
"""
_KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
_CONFIGURE = ("./configure", "--prefix=/usr", "--disable-rpath", "--with-lmdb")
_WITHOUT = ("--without-system-verto",)
_PARTS = ("util", "include", "lib", "plugins/kdb/lmdb")
"""What of krb5 has to be made, in this order."""
_STEP_SECONDS = 900


class Unavailable(NamedTuple):
    """The module cannot be had here, and why."""

    reason: str


def module_folder() -> Path | Unavailable:
    """Return the folder with the module that fits the installed KDC; build it if it is not there.

    The folder is whole or not there, whenever this ends.
    """
    if reason := _lacking():
        return Unavailable(reason)
    version = _output("dpkg-query", "-W", "-f", "${source:Version}", "krb5-kdc")
    folder = _CACHE / f"krb5-{version}"
    if (folder / MODULE).exists():
        return folder
    scratch = folder.with_name(f"{folder.name}.new")
    shutil.rmtree(scratch, ignore_errors=True)
    try:
        built = _build(scratch, version)
        shutil.rmtree(folder, ignore_errors=True)
        (scratch / "done").mkdir()
        shutil.copy(built, scratch / "done" / MODULE)
        (scratch / "done").rename(folder)
    except subprocess.CalledProcessError as fault:
        return Unavailable(f"{fault.cmd[0]} … {fault.cmd[-1]} failed: {_last_line(fault.stdout)}")
    except (OSError, subprocess.TimeoutExpired) as fault:
        return Unavailable(str(fault))
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return folder


def _lacking() -> str:
    """Return what stands in the way of building, or nothing."""
    system = platform.freedesktop_os_release()
    if system.get("ID") != "debian" or not _KEYRING.exists():
        return "this is no Debian"
    programs = all(map(shutil.which, _PROGRAMS))
    if not programs or not Path("/usr/include/lmdb.h").exists():
        return f"apt-get install {PACKAGES}"
    return ""


def _build(scratch: Path, version: str) -> Path:
    """Build krb5 of this version as far as the module, and return where that is."""
    for folder in ("parts", "lists/partial", "cache/archives/partial"):
        (scratch / folder).mkdir(parents=True)
    release = platform.freedesktop_os_release()["VERSION_CODENAME"]
    sources = _SOURCES.format(release=release, keyring=_KEYRING)
    (scratch / "parts" / "source.sources").write_text(sources)
    apt = ("apt-get", *_apt_options(scratch))
    tell(f"fetching Debian's source of krb5 {version}")
    _do(scratch, *apt, "update")
    _do(scratch, *apt, "source", f"krb5={version}")
    (source,) = scratch.glob("krb5-*/src")
    tell("building its LMDB module: about 90 seconds")
    _do(source, "nice", *_CONFIGURE, *_WITHOUT)
    for part in _PARTS:
        _do(source / part, "nice", "make", "all")
    return source / _PARTS[-1] / MODULE


def _apt_options(scratch: Path) -> list[str]:
    """Return options by which apt knows these sources alone, and leaves the machine as it is."""
    places = {
        "Etc::SourceList": "/dev/null",
        "Etc::SourceParts": scratch / "parts",
        "State::Lists": scratch / "lists",
        "Cache": scratch / "cache",
    }
    return [
        "--option=APT::Sandbox::User=root",
        "--option=APT::Update::Error-Mode=any",
        *(f"--option=Dir::{name}={place}" for name, place in places.items()),
    ]


def _do(folder: Path, *command: str) -> None:
    subprocess.run(
        command,
        cwd=folder,
        check=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=_STEP_SECONDS,
    )


def _output(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def _last_line(text: str) -> str:
    return (text.strip().splitlines() or ["it says nothing"])[-1]


def main() -> None:
    """Run the command line above."""
    folder = module_folder()
    if isinstance(folder, Unavailable):
        sys.exit(f"no LMDB module: {folder.reason}")
    print(folder)  # noqa: T201 (its output)


if __name__ == "__main__":
    main()
