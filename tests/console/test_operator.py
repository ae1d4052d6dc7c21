"""The operator's console of a real `dtns serve`: what it shows, does, and bears."""

from __future__ import annotations

import csv
import http.client
import io
import json
import re
import resource
import socket
import sqlite3
import time
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
from deployment import Deployment, dtns
from visitor import Visitor, address, console_deployment, fill, token

if TYPE_CHECKING:
    from collections.abc import Iterator

A, B, C = "+254712000001", "+254712000002", "+254712000003"


@pytest.fixture(scope="module")
def deployment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """A running Sam with a console, three parties and some exchanges."""
    found = console_deployment(tmp_path_factory.mktemp("console") / "d")
    sims = found.enrol(A, B, C)
    with found.sam():
        for sim, holder in ((sims[0], B), (sims[1], C), (sims[0], "+254712000099")):
            dtns("phone", str(sim), "ask", holder, "--wait", "10")
        yield found


@pytest.fixture
def visitor(deployment: Deployment) -> Visitor:
    """Somebody who has logged in."""
    found = Visitor(address(deployment))
    came = found.log_in(token(deployment))
    assert (came.status, came.headers["location"]) == (303, "/")
    return found


def party_of(visitor: Visitor, number: str) -> str:
    """Return the address of a party's page."""
    came = visitor.post("/search", {"form": visitor.get("/parties").form, "number": number})
    assert came.status == 303, came.text
    return came.headers["location"]


def deeds(deployment: Deployment) -> list[dict[str, str]]:
    """Return the lines of the console's log."""
    return [
        json.loads(line) for line in (deployment.folder / "console.log").read_text().splitlines()
    ]


def test_nothing_is_shown_before_the_login(deployment: Deployment) -> None:
    """Every page leads to the login; nothing can be done."""
    stranger = Visitor(address(deployment))
    for path in ("/", "/parties", "/issues", "/issues/1", "/issues.csv", "/deeds", "/parties/x"):
        came = stranger.get(path)
        assert (came.status, came.headers.get("location")) == (303, "/login"), path
    for path in ("/search", "/logout", "/issues", "/issues.csv", "/gateways/loopback/suspend"):
        came = stranger.post(path, {"form": "x"})
        assert (came.status, came.headers.get("location")) == (303, "/login"), path
    assert stranger.get("/", X_Refresh="1").status == 401
    assert "Token" in stranger.get("/login").text


def test_the_overview_tells_how_sam_is(visitor: Visitor) -> None:
    """Figures, gateways, charts and the latest exchanges, numbers masked."""
    page = visitor.get("/").text
    for told in ("ready", "loopback", "Answers waiting", "<svg", "Latest exchanges", "+254…01"):
        assert told in page
    assert "254712000001" not in page
    assert re.search(r"Asks a minute: 2 issued, 1 refused", page)


def test_a_party_is_found_and_its_number_shown_on_request(
    deployment: Deployment, visitor: Visitor
) -> None:
    """Masked in page and address; shown by a button, which is written down."""
    place = party_of(visitor, "+254 712 000 001")
    assert "254712" not in place
    masked = visitor.get(place)
    assert "+254…01" in masked.text
    assert "254712000001" not in masked.text
    shown = visitor.post(f"{place}/show", {"form": masked.form})
    assert "+254712000001" in shown.text
    begun, ended = deeds(deployment)[-2:]
    assert (begun["who"], begun["deed"], begun["target"]) == ("operator", "show the number", A)
    assert (ended["id"], ended["outcome"]) == (begun["id"], "shown")
    for junk in (
        "07120001",
        "+12345678901234567",
        "<script>alert(1)</script>",
        "+254712000001' OR 1=1",
        "",
        "é" * 40,
    ):
        came = visitor.send("/search", number=junk)
        assert came.status == 400, junk
        assert "<script>alert" not in came.text
    assert visitor.send("/search", number="+254712000555").status == 409


def test_parties_are_found_by_how_their_numbers_begin(visitor: Visitor) -> None:
    """With a star, or with too few digits for a number; masked, and not in the address."""
    for text, count in (
        ("+25471*", 3),
        ("+254 712 000 00*", 3),
        ("+254712000002*", 1),
        ("+254", 3),
    ):
        came = visitor.post("/search", {"form": visitor.get("/parties").form, "number": text})
        assert "25471" not in came.headers["location"]
        page = visitor.get(came.headers["location"]).text
        assert page.count('<tr><th scope="row">') == count, text
        assert "254712" not in page.replace("+254712345678", "")
    assert "Nobody whose number begins so" in visitor.send("/search", number="+1*").text
    for text in ("*", "+*", "+0*", "254*", "+2*5*", "+[1]*"):
        assert visitor.send("/search", number=text).status == 400, text


def test_a_party_is_suspended_and_resumed(deployment: Deployment, visitor: Visitor) -> None:
    """Each asks for confirmation, is done by Sam, told once, and written down."""
    place = party_of(visitor, C)
    question = visitor.get(f"{place}/suspend")
    assert "Suspend this party?" in question.text
    assert "in use" not in question.text
    page = visitor.send(f"{place}/suspend")
    assert "The party is suspended." in page.text
    assert "The party is suspended." not in visitor.get(place).text
    listed = dtns("party", "show", C, "-c", str(deployment.config), "--json")
    assert json.loads(listed.stdout)["suspended"] is True
    assert "The party is resumed." in visitor.send(f"{place}/resume").text
    assert [line.get("deed") for line in deeds(deployment)[-4::2]] == [
        "suspend party",
        "resume party",
    ]
    assert "suspend party" in visitor.get("/deeds").text
    assert C not in visitor.get("/deeds").text


def test_new_keys_are_sent_to_a_sim(visitor: Visitor) -> None:
    """A renewal begins, and the page says so."""
    place = party_of(visitor, B)
    assert "New keys are on their way." in visitor.send(f"{place}/renew").text


def test_a_gateway_is_suspended_drained_and_resumed(visitor: Visitor) -> None:
    """The overview tells its state."""
    for deed, state in (("suspend", "suspended"), ("resume", "up"), ("drain", "suspended")):
        page = visitor.send(f"/gateways/loopback/{deed}").text
        assert "gateway" in page
        assert state in page or deed == "resume"
    visitor.send("/gateways/loopback/resume")
    came = visitor.send("/gateways/none/suspend")
    assert came.status == 409
    assert "there are: loopback" in came.text
    assert visitor.send("/gateways/loopback/explode").status == 404


def test_an_exchange_is_followed_from_ask_to_report(visitor: Visitor) -> None:
    """Its moments in order, its key, its sendings; there is nothing to try again."""
    page = visitor.get("/issues/1").text
    assert page.index("Ask decided on: a key was issued") < page.index("Answer delivered")
    assert "came by loopback" in page
    came = visitor.send("/issues/1/retry")
    assert came.status == 409
    assert "nothing to try again" in came.text
    for place in ("/issues/0", "/issues/9223372036854775808", "/issues/-1", "/issues/1e3"):
        assert visitor.get(place).status == 404, place
    assert visitor.get("/issues/99").status == 409


@pytest.mark.slow
def test_an_answer_is_tried_again(tmp_path: Path) -> None:
    """While a gateway is suspended answers wait; failed ones go out again on request."""
    deployment = console_deployment(tmp_path / "d")
    (sim, _) = deployment.enrol(A, B)
    with deployment.sam():
        dtns("phone", str(sim), "ask", B, "--wait", "10")
    with sqlite3.connect(deployment.folder / "dtns.sqlite") as store:
        store.execute("UPDATE outbox SET state = 'expired', reason = '<b>late</b>'")
    store.close()
    with deployment.sam():
        visitor = Visitor(address(deployment))
        visitor.log_in(token(deployment))
        page = visitor.get("/issues/1").text
        assert "Send the answer now" in page
        assert "&lt;b&gt;late" in page
        assert "The answer is on its way." in visitor.send("/issues/1/retry").text
        answers = dtns("phone", str(sim), "answers", "--wait", "10", "--json")
        assert answers.returncode == 0, answers.stdout


def test_exchanges_are_filtered(visitor: Visitor) -> None:
    """By outcome, day and party; the address holds no number."""
    assert visitor.get("/issues?outcome=refused").text.count("<tr>") == 2
    assert visitor.get("/issues?outcome=issued").text.count("<tr>") == 3
    assert visitor.get("/issues?until=2001-01-01").text.count("<tr>") == 0
    assert visitor.get("/issues?since=2001-01-01&until=2999-12-31").text.count("<tr>") == 4
    came = visitor.post("/issues", {"form": visitor.get("/issues").form, "number": B})
    assert "254712" not in came.headers["location"]
    assert visitor.get(came.headers["location"]).text.count("<tr>") == 3
    faults = ("since=x", "outcome=x", "before=x", "until=2026-02-30", "before=0", "since=%D9%A2")
    for query in (*faults, "before=99999999999999999999"):
        came = visitor.get(f"/issues?{query}")
        assert came.status == 400, query
    assert visitor.get("/issues?party=junk").status == 404


def test_exports_are_safe_to_open_and_masked_unless_asked(
    deployment: Deployment, visitor: Visitor
) -> None:
    """Numbers in full are a deed; a cell never begins as a formula does."""
    came = visitor.get("/issues.csv?outcome=issued")
    assert came.headers["content-type"].startswith("text/csv")
    rows = list(csv.DictReader(io.StringIO(came.text)))
    assert [(row["id"], row["asker"], row["outcome"]) for row in rows] == [
        ("2", "'+254…02", "issued"),
        ("1", "'+254…01", "issued"),
    ]
    full = visitor.post("/issues.csv", {"form": visitor.get("/issues").form})
    assert [row["asker"] for row in csv.DictReader(io.StringIO(full.text))][-1] == A
    assert deeds(deployment)[-2]["deed"] == "export with numbers"
    assert deeds(deployment)[-1]["outcome"] == "done"


def test_a_read_only_token_changes_nothing(deployment: Deployment) -> None:
    """It sees what others see, and neither questions nor forms work."""
    looker = Visitor(address(deployment))
    looker.log_in(token(deployment, "--name", "auditor", "--read-only"))
    assert "auditor, may only look" in looker.get("/").text
    assert "Suspend" not in looker.get("/").text
    place = party_of(looker, A)
    for path in (
        f"{place}/suspend",
        f"{place}/renew",
        "/gateways/loopback/drain",
        "/issues/1/retry",
    ):
        assert looker.get(path).status == 403
        assert looker.send(path).status == 403
    assert looker.send("/issues.csv").status == 403


def test_a_form_that_no_page_of_the_session_made_is_refused(
    deployment: Deployment, visitor: Visitor
) -> None:
    """Without the session's token, with another's, or from another site: 403, nothing done."""
    other = Visitor(address(deployment))
    other.log_in(token(deployment, "--name", "other"))
    place = party_of(visitor, A)
    foreign = other.get("/parties").form
    for fields in ({}, {"form": ""}, {"form": foreign}, {"form": "é"}, {"form": "x" * 60_000}):
        assert visitor.post(f"{place}/suspend", fields).status == 403
    good = {"form": visitor.get("/parties").form}
    for header in ({"Origin": "http://evil.example"}, {"Sec_Fetch_Site": "cross-site"}):
        assert visitor.post(f"{place}/suspend", good, **header).status == 403
    assert visitor.get(f"{place}/suspend?form={good['form']}").status == 200
    shown = dtns("party", "show", A, "-c", str(deployment.config), "--json")
    assert json.loads(shown.stdout)["suspended"] is False


def test_sessions_are_made_by_the_login_alone(deployment: Deployment) -> None:
    """A cookie that was planted before the login is worth nothing after it, either."""
    given = token(deployment)
    planted = Visitor(address(deployment))
    name = "dtns-0"
    planted.cookie = f"{name}=planted"
    came = planted.log_in(given)
    assert "planted" not in planted.cookie
    told = came.headers["set-cookie"].lower()
    assert "httponly" in told
    assert "samesite=strict" in told
    assert "secure" not in told
    for cookie in (f"{name}=planted", f"{name}=", name, f"{name}=é", "x=y; " * 50):
        visitor = Visitor(address(deployment), cookie.encode().decode("latin-1"))
        assert visitor.get("/").status == 303, cookie
    first = planted.cookie
    planted.log_in(given)
    assert planted.cookie != first
    planted.send("/logout")
    assert planted.get("/").status == 303


def test_a_revoked_token_ends_its_sessions(deployment: Deployment) -> None:
    """At the next page; so does a new token of the same name."""
    config = ("-c", str(deployment.config))
    for end in (("revoke", "guest", *config), ("token", "--name", "guest", *config)):
        visitor = Visitor(address(deployment))
        visitor.log_in(token(deployment, "--name", "guest"))
        assert visitor.get("/").status == 200
        assert dtns("console", *end).returncode == 0
        assert visitor.get("/").status == 303
    assert dtns("console", "revoke", "nobody", *config).returncode == 1


def test_tokens_are_hashed_at_rest_and_listed_without_them(deployment: Deployment) -> None:
    """The file and the log hold no token; its file is its owner's."""
    given = token(deployment, "--name", "night shift")
    path = deployment.folder / "console.tokens"
    assert path.stat().st_mode & 0o777 == 0o600
    compact = given.replace("-", "")
    for text in (path.read_text(), deployment.log):
        assert given not in text
        assert compact not in text
    listed = dtns("console", "tokens", "-c", str(deployment.config), "--json").stdout
    assert "night shift" in listed
    assert compact not in listed.replace("-", "")
    typed = Visitor(address(deployment))
    assert typed.log_in(f"  {given.upper().replace('-', ' ')} ").status == 303


def test_junk_in_every_place_is_borne(deployment: Deployment, visitor: Visitor) -> None:
    """Markup, line ends, traversal and long input: a page that says no, no fault, no log."""
    junk = ("%3Cscript%3E", "..%2f..%2fmaster.key", "%27%22%3E", "A" * 5000, "%E2%80%AE", "a%2Fb")
    for part in junk:
        for path in (
            f"/parties/{part}",
            f"/gateways/{part}/suspend",
            f"/{part}",
            f"/issues/{part}",
        ):
            came = visitor.get(path)
            assert came.status in {200, 400, 404}, (path, came.status)
            assert "<script>" not in came.text
            assert "Traceback" not in came.text
    page = visitor.get("/gateways/%3Cscript%3Ealert(1)/suspend").text
    assert "&lt;script&gt;" in page
    assert visitor.get("/parties?after=junk").status == 404
    assert "/parties" not in deployment.log
    assert "fault" not in deployment.log


def test_wrong_tokens_are_counted_and_slowed(tmp_path: Path) -> None:
    """After five in a row even the right one has to wait; the log tells, without the tokens."""
    deployment = console_deployment(tmp_path / "d")
    with deployment.sam():
        visitor, given = Visitor(address(deployment)), token(deployment)
        tried = [visitor.log_in(f"guess-{n}").status for n in range(7)]
        assert tried == [403] * 5 + [429] * 2
        came = visitor.log_in(given)
        assert came.status == 429
        assert 0 < int(came.headers["retry-after"]) <= 24
        assert "guess" not in deployment.log
        assert deployment.log.count("console-login-failed") == 5


def test_behind_a_proxy_the_cookie_is_for_https_alone(tmp_path: Path) -> None:
    """With `url` its host is answered, its origin is our own, and the cookie is secure."""
    deployment = console_deployment(tmp_path / "d")
    text = deployment.config.read_text()
    text = text.replace('# url = ""', 'url = "https://sam.example.org"')
    port = free_port()
    deployment.config.write_text(text.replace("tcp:127.0.0.1:0", f"tcp:127.0.0.1:{port}"))
    with deployment.sam():
        assert address(deployment) == "https://sam.example.org"
        visitor = Visitor(f"http://127.0.0.1:{port}")
        visitor.headers = {"Host": "sam.example.org", "Origin": "https://sam.example.org"}
        came = visitor.log_in(token(deployment))
        assert came.status == 303
        assert "secure" in came.headers["set-cookie"].lower()
        assert visitor.get("/").status == 200
        visitor.headers["Host"] = "evil.example.org"
        assert visitor.get("/").status == 421


def free_port() -> int:
    """Return a port that was free a moment ago."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
    return port


def test_a_console_of_which_the_token_file_is_open_to_others_lets_nobody_in(
    tmp_path: Path,
) -> None:
    """The page says what to do; so does the command."""
    deployment = console_deployment(tmp_path / "d")
    with deployment.sam():
        given = token(deployment)
        (deployment.folder / "console.tokens").chmod(0o644)
        came = Visitor(address(deployment)).log_in(given)
        assert came.status == 503
        assert "chmod 600" in came.text
        done = dtns("console", "token", "-c", str(deployment.config))
        assert done.returncode == 3


@pytest.mark.slow
def test_an_export_waits_for_a_slow_reader_and_ends_with_a_gone_one(tmp_path: Path) -> None:
    """However long the log, Sam holds little of it in memory; a broken export is written down."""
    deployment = console_deployment(tmp_path / "d")
    deployment.enrol(A, B)
    fill(deployment, 40_000)
    with deployment.sam() as sam:
        visitor = Visitor(address(deployment))
        visitor.log_in(token(deployment))
        form = visitor.get("/issues").form
        before = resident(sam.pid)
        body = f"form={form}".encode()
        parts = urlsplit(visitor.url)
        for _ in range(8):
            with socket.create_connection((parts.hostname or "", parts.port or 0)) as slow:
                slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
                slow.sendall(
                    b"POST /issues.csv HTTP/1.1\r\nHost: localhost\r\nCookie: %b\r\n"
                    b"Content-Type: application/x-www-form-urlencoded\r\n"
                    b"Content-Length: %d\r\n\r\n%b" % (visitor.cookie.encode(), len(body), body)
                )
                assert slow.recv(16).startswith(b"HTTP/1.1 200")
                time.sleep(0.2)
        assert resident(sam.pid) - before < 8e6
        whole = visitor.get("/issues.csv").text
        assert whole.count("\r\n") == 40_001
        with sqlite3.connect(deployment.folder / "dtns.sqlite", isolation_level=None) as other:
            with pytest.raises((http.client.IncompleteRead, ConnectionResetError)):
                lock_and_export(other, visitor)
            other.execute("ROLLBACK")
        other.close()
        assert visitor.get("/").status == 200
        faults = [line for line in deployment.log.splitlines() if "Traceback" in line]
        assert faults == []
    outcomes = [line["outcome"] for line in deeds(deployment) if "outcome" in line]
    assert outcomes == ["broken off"] * 8


def lock_and_export(store: sqlite3.Connection, visitor: Visitor) -> None:
    """Begin an export, and let another program hold the store before it is through."""
    connection = http.client.HTTPConnection(urlsplit(visitor.url).netloc, timeout=20)
    connection.request("GET", "/issues.csv", headers={"Cookie": visitor.cookie})
    response = connection.getresponse()
    response.read(100_000)
    store.execute("BEGIN IMMEDIATE")
    response.read()


def resident(pid: int) -> float:
    """Return how many octets of memory a process has."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * resource.getpagesize()
