"""A deployment whose Sam reaches phones through an SMSC alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    from deployment import Deployment

PASSWORD = "secret"


def write_password(folder: Path, password: str = PASSWORD, mode: int = 0o600) -> Path:
    """Write a password file."""
    path = folder / "smpp.password"
    path.write_text(password + "\n")
    path.chmod(mode)
    return path


def furnish(deployment: Deployment, ports: list[int], **values: Any) -> None:
    """Have Sam bind to the SMSCs at these ports, named s0, s1 …, and use nothing else."""
    write_password(deployment.folder)
    text = deployment.config.read_text()
    loopback = "a loopback network.\nenabled = "
    assert f"{loopback}true" in text
    text = text.replace(f"{loopback}true", f"{loopback}false").replace(
        "embedded = true", "embedded = false"
    )
    text = text.replace("asks_per_day = 50", "asks_per_day = 10000")
    text = text.replace("repeats_per_day = 100", "repeats_per_day = 100000")
    for number, port in enumerate(ports):
        given = {
            "host": "127.0.0.1",
            "port": port,
            "system_id": "sam",
            "password_file": "smpp.password",
            "window": 50,
            **values,
        }
        lines = [f"{key} = {_toml(value)}" for key, value in given.items()]
        text += "\n".join(["", f"[gateway.smpp.s{number}]", *lines, ""])
    deployment.config.write_text(text)


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return f'"{value}"' if isinstance(value, str) else str(value)
