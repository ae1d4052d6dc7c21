"""The peer: MIT's krb5kdc as Debian packages it, with a realm of its own and a load of its own.

    python tests/bench/kdc.py --rounds 5

starts it alone and prints its TGS requests a second and its CPU time for each, at each strength.
Needs `apt-get install krb5-kdc krb5-admin-server libkrb5-dev gcc libc6-dev`; for the strength with
LMDB what klmdb.py needs, too.
"""

from __future__ import annotations

import argparse
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from enum import Enum
from pathlib import Path
from typing import IO, NamedTuple, Self

from figures import conclude, cores, cpu_seconds, on_core, spread, tell
from klmdb import Unavailable, module_folder

SOURCE = Path(__file__).with_name("kdc_load.c")
PACKAGES = "krb5-kdc krb5-admin-server libkrb5-dev gcc libc6-dev"
REALM = "DTNS.BENCH"
CLIENTS = 64
SERVICES = 1000
WINDOW = 32
"""Requests under way: a KDC's socket holds some 90 of them, and drops what is beyond."""
_START_SECONDS = 10.0
_SYSTEM_FOLDERS = "/usr/sbin:/sbin"

_CLIENT_CONF = """\
[libdefaults]
 default_realm = {realm}
 dns_lookup_kdc = false
 dns_lookup_realm = false
 dns_canonicalize_hostname = false
[realms]
 {realm} = {{
  kdc = 127.0.0.1:{port}
 }}
"""
_KDC_CONF = """\
[kdcdefaults]
 kdc_listen = 127.0.0.1:{port}
 kdc_tcp_listen = ""
[realms]
 {realm} = {{
  database_name = {folder}/principal
  key_stash_file = {folder}/stash
  acl_file = {folder}/acl
  supported_enctypes = aes256-cts-hmac-sha1-96:normal
{realm_lines} }}
{modules}[logging]
 kdc = FILE:{log}
"""
_NO_PAC = "  disable_pac = true\n"
_LMDB_MODULES = """\
[dbmodules]
 db_module_dir = {module_folder}
 lmdb = {{
  db_library = klmdb
  database_name = {folder}/principal
 }}
"""


class Strength(Enum):
    """How the KDC is set up."""

    DEFAULT = "default"
    """As Debian ships it: a log line and a PAC for each ticket."""
    STRONGEST = "strongest"
    """Neither of them."""
    LMDB = "lmdb"
    """Neither of them, and its parties in LMDB: a module of krb5 that Debian leaves out."""


def strengths() -> list[Strength]:
    """Return those that can be had here; says why one cannot."""
    folder = module_folder()
    if isinstance(folder, Unavailable):
        tell(f"krb5kdc with LMDB is left out: {folder.reason}")
        return [Strength.DEFAULT, Strength.STRONGEST]
    return list(Strength)


class Round(NamedTuple):
    """What one round took: requests a second, and microseconds of the server's CPU for each."""

    rate: float
    cpu_us: float


class Kdc:
    """A running krb5kdc on *core* and its load on *load_core*; ends with the `with` statement."""

    def __init__(self, folder: Path, strength: Strength, core: int, load_core: int) -> None:
        insist_installed()
        folder.mkdir()
        self._folder = folder
        self._port = _free_port()
        self._environment = self._configure(strength)
        self._make_realm()
        self._stack = ExitStack()
        try:
            with on_core(core):
                self._kdc = self._run("krb5kdc", "-n", "-r", REALM)
            self._wait_until_it_listens()
            with on_core(load_core):
                self._load = self._start_load()
        except BaseException:
            self._stack.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self._stack.close()

    @property
    def pid(self) -> int:
        """The KDC's process."""
        return self._kdc.pid

    def round(self, requests: int) -> Round:
        """Have so many distinct requests answered; ends the benchmark if one is not."""
        self._order(f"prepare {requests}", "prepared")
        before = cpu_seconds(self._kdc.pid)
        answered, seconds = self._order("run", "").split()
        assert int(answered) == requests
        cpu = cpu_seconds(self._kdc.pid) - before
        return Round(requests / float(seconds), 1e6 * cpu / requests)

    def _configure(self, strength: Strength) -> dict[str, str]:
        bare = strength is not Strength.DEFAULT
        values = {
            "realm": REALM,
            "port": self._port,
            "folder": self._folder,
            "log": "/dev/null" if bare else self._folder / "kdc.log",
            "realm_lines": _NO_PAC if bare else "",
            "modules": "",
        }
        if strength is Strength.LMDB:
            values["realm_lines"] = f"{_NO_PAC}  database_module = lmdb\n"
            values["modules"] = _LMDB_MODULES.format(
                folder=self._folder, module_folder=_insist_module()
            )
        files = {"krb5.conf": _CLIENT_CONF, "kdc.conf": _KDC_CONF}
        for name, text in files.items():
            (self._folder / name).write_text(text.format(**values))
        return os.environ | {
            "KRB5_CONFIG": str(self._folder / "krb5.conf"),
            "KRB5_KDC_PROFILE": str(self._folder / "kdc.conf"),
            "PATH": f"{os.environ['PATH']}:{_SYSTEM_FOLDERS}",
        }

    def _make_realm(self) -> None:
        self._do("kdb5_util", "-r", REALM, "create", "-s", "-P", "bench")
        clients = [f"c{number}" for number in range(CLIENTS)]
        services = [f"s{number}" for number in range(SERVICES)]
        orders = [f"addprinc -randkey {name}" for name in clients + services]
        orders.append(f"ktadd -norandkey -k {self._folder}/keytab {' '.join(clients)}")
        self._do("kadmin.local", "-r", REALM, orders="\n".join(orders))

    def _start_load(self) -> subprocess.Popen[str]:
        program = self._folder / "kdc_load"
        self._do("gcc", "-O2", "-o", str(program), str(SOURCE), "-lkrb5")
        where = REALM, str(self._port), str(self._folder / "keytab")
        load = self._run(str(program), *where, *map(str, (CLIENTS, SERVICES, WINDOW)))
        self._expect(load.stdout, "ready")
        return load

    def _order(self, order: str, expected: str) -> str:
        assert self._load.stdin is not None
        self._load.stdin.write(order + "\n")
        self._load.stdin.flush()
        return self._expect(self._load.stdout, expected)

    def _expect(self, stream: IO[str] | None, expected: str) -> str:
        assert stream is not None
        line = stream.readline()
        if not line.startswith(expected) or not line:
            sys.exit(f"the KDC's load failed: {line!r}; see above")
        return line

    def _run(self, *command: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            command, env=self._environment, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        self._stack.callback(process.wait)
        self._stack.callback(process.terminate)
        return process

    def _do(self, *command: str, orders: str = "") -> None:
        done = subprocess.run(
            command,
            env=self._environment,
            text=True,
            input=orders,
            capture_output=True,
            check=False,
        )
        if done.returncode:
            sys.exit(f"{command[0]} failed: {done.stderr}")

    def _wait_until_it_listens(self) -> None:
        deadline = time.monotonic() + _START_SECONDS
        place = f":{self._port:04X} "
        while place not in Path("/proc/net/udp").read_text():
            if self._kdc.poll() is not None or time.monotonic() > deadline:
                sys.exit("krb5kdc does not start")
            time.sleep(0.01)


def insist_installed() -> None:
    """End the benchmark, naming the packages, if the peer cannot be run here."""
    path = f"{os.environ['PATH']}:{_SYSTEM_FOLDERS}"
    programs = all(shutil.which(name, path=path) for name in ("krb5kdc", "kadmin.local", "gcc"))
    if not programs or not Path("/usr/include/krb5.h").exists():
        sys.exit(f"the peer is not here: apt-get install {PACKAGES}")


def _insist_module() -> Path:
    folder = module_folder()
    if isinstance(folder, Unavailable):
        sys.exit(f"krb5kdc cannot have LMDB here: {folder.reason}")
    return folder


def _free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def main() -> None:
    """Run the command line above."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--requests", type=int, default=4000)
    options = parser.parse_args()
    figures = {}
    with tempfile.TemporaryDirectory(prefix="dtns-kdc-") as folder:
        for strength in strengths():
            with Kdc(Path(folder) / strength.value, strength, *cores()) as kdc:
                kdc.round(options.requests)
                rounds = [kdc.round(options.requests) for _ in range(options.rounds)]
            figures[strength.value] = {
                "tgs_per_second": spread([each.rate for each in rounds], 0),
                "cpu_us": spread([each.cpu_us for each in rounds], 1),
            }
    conclude("kdc", figures)


if __name__ == "__main__":
    main()
