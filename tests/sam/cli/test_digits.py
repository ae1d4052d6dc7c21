"""`dtns digits`: lines in, lines out, never a traceback."""

from __future__ import annotations

import json
import random
import subprocess

import pytest
from deployment import DTNS, dtns

from dtns.codecs.digits import PROFILES, Profile


def lines(profile: str, command: str, *options: str, stdin: str) -> tuple[int, list[str], str]:
    """Run `dtns digits` and return its exit code, its lines and what it complained of."""
    done = dtns("digits", command, "--profile", profile, *options, stdin=stdin)
    assert "Traceback" not in done.stderr
    return done.returncode, done.stdout.splitlines(), done.stderr


def some(profile: Profile, count: int = 5) -> list[str]:
    """Return payloads of a profile: the ends of the range, and some between."""
    dice = random.Random(profile.bits)
    payloads = [0, (1 << profile.bits) - 1, *(dice.getrandbits(profile.bits) for _ in range(count))]
    return [payload.to_bytes(-(-profile.bits // 8)).hex() for payload in payloads]


@pytest.mark.parametrize("profile", PROFILES.values(), ids=list(PROFILES))
def test_payloads_come_back(profile: Profile) -> None:
    """What is encoded is decoded to the same whole octets, by default and flat."""
    payloads = some(profile)
    for flat in ((), ("--flat",)):
        code, shown, _ = lines(profile.name, "encode", *flat, stdin="\n".join(payloads))
        assert code == 0
        groups = profile.groups + profile.parity
        assert {len(line.replace(" ", "")) for line in shown} == {4 * groups}
        assert all((" " in line) != bool(flat) for line in shown)
        code, back, _ = lines(profile.name, "decode", *flat, stdin="\n".join(shown) + "\n")
        assert (code, back) == (0, payloads)


@pytest.mark.parametrize(("parity", "digits"), [(0, 40), (1, 44), (2, 48), (3, 52)])
def test_parity_groups_to_order(parity: int, digits: int) -> None:
    """A key takes 44, 48 or 52 digits with 1, 2 or 3 parity groups."""
    code, (shown,), _ = lines("key", "encode", "--parity", str(parity), stdin="f" * 32)
    assert code == 0
    assert len(shown.replace(" ", "")) == digits


def test_a_slip_is_repaired_against_the_check() -> None:
    """Each JSON line tells status, payload, repaired groups, candidates and reason."""
    payload = "00112233445566778899aabbccddeeff"
    _, (shown,), _ = lines("key", "encode", stdin=payload)
    groups = shown.split()
    groups[3] = f"{(int(groups[3]) + 1000) % 9973:04}"
    entries = [
        shown,
        json.dumps({"entry": " ".join(groups), "check": payload}),
        json.dumps({"entry": " ".join(groups), "check": "00"}),
        "1234",
        "",
        json.dumps({"entry": 7}),
        "{oops",
        json.dumps({"entry": shown, "check": "zz"}),
        "\u0663" * 44,
        "9" * 5000,
    ]
    code, told, _ = lines("key", "decode", "--jsonl", stdin="\n".join(entries))
    results = [json.loads(line) for line in told]
    assert code == 1
    assert [result["line"] for result in results] == list(range(1, len(entries) + 1))
    assert (results[0]["status"], results[0]["payload"]) == ("accepted", payload)
    assert (results[1]["status"], results[1]["payload"]) == ("repaired", payload)
    assert results[1]["groups_repaired"] == [4]
    assert 1 <= results[1]["candidates_tried"] <= 16
    for result in results[2:8]:
        assert result["status"] not in {"accepted", "repaired"}
        assert result["reason"]
        assert result.get("payload") is None
    assert [result["reason"] for result in results[5:8]] == ["bad-line"] * 3
    assert results[9]["reason"] == "too-long"


def test_bad_lines_are_named_and_the_others_done() -> None:
    """A line's number goes to stderr, its secrets do not; the exit code is 1 at the end."""
    stdin = "12\nzz\n\n0x12\n" + "f" * 19 + "\n34\n"
    code, shown, complaints = lines("ticket", "encode", stdin=stdin)
    assert code == 1
    assert len(shown) == 2
    assert [f"line {n}:" in complaints for n in range(1, 7)] == [
        False, True, True, True, True, False,
    ]  # fmt: skip
    assert "0x12" not in complaints


def test_octets_that_are_no_text_are_a_bad_line() -> None:
    """Binary junk on stdin is a bad line like any."""
    done = subprocess.run(
        [*DTNS, "digits", "decode", "--profile", "key"],
        input=b"\xff\xfe\x00\n\n",
        capture_output=True,
        check=False,
    )
    assert done.returncode == 1
    assert b"Traceback" not in done.stderr
    assert done.stdout == b""


def test_lines_are_answered_as_they_come() -> None:
    """A program that writes a line and waits gets its answer."""
    command = [*DTNS, "digits", "encode", "--profile", "request"]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write("1234\n")
        process.stdin.flush()
        assert len(process.stdout.readline().split()) == 2
        process.stdin.close()
        assert process.wait(20) == 0


@pytest.mark.parametrize(
    "options",
    [("--profile", "nothing"), (), ("--profile", "key", "--parity", "4"),
     ("--profile", "request", "--parity", "1"), ("--profile", "key", "--parity", "-1")],
)  # fmt: skip
def test_mistakes_are_usage_errors(options: tuple[str, ...]) -> None:
    """An unknown profile, or parity that it never shows."""
    done = dtns("digits", "encode", *options, stdin="")
    assert done.returncode == 2
    assert "Usage" in done.stderr
