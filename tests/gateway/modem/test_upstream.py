"""The defects of python-gsmmodem-new that the gateway keeps away, shown on the library alone.

A test that fails here says that the library has been mended.
"""

from __future__ import annotations

import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest
from gsmmodem.exceptions import CommandError, TimeoutException
from gsmmodem.modem import GsmModem
from modems import EmulatorProcess

from dtns.gateway.modem.driver import sift
from dtns.gateway.modem.ussd import Ussd, read_ussd

if TYPE_CHECKING:
    from collections.abc import Iterator

PHONE = "+254700000001"
pytestmark = pytest.mark.filterwarnings(
    "ignore::pytest.PytestUnhandledThreadExceptionWarning", "ignore::DeprecationWarning"
)


@pytest.fixture(scope="module")
def process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmulatorProcess]:
    """Run one emulated modem."""
    with EmulatorProcess(tmp_path_factory.mktemp("modem")) as modem:
        yield modem


@pytest.fixture
def emulator(process: EmulatorProcess) -> EmulatorProcess:
    """Begin anew."""
    process.order("reset")
    return process


def quiet(modem: GsmModem) -> GsmModem:
    """Shorten the library's wait for a closed port."""
    modem.timeout = 0.1
    return modem


@pytest.fixture
def received() -> list[str]:
    """Collect texts."""
    return []


@pytest.fixture
def modem(emulator: EmulatorProcess, received: list[str]) -> Iterator[GsmModem]:
    """Connect the library, as it is, to the emulated modem."""
    device = str(emulator.pty)
    modem = quiet(GsmModem(device, smsReceivedCallbackFunc=lambda sms: received.append(sms.text)))
    modem.connect()
    yield modem
    modem.close()


def test_a_only_the_first_of_a_burst_is_read(
    emulator: EmulatorProcess, modem: GsmModem, received: list[str]
) -> None:
    """Of several +CMTI in one write the library reads the first message alone."""
    emulator.order("faults", hold=True)
    for number in range(5):
        emulator.order("deliver", sender=PHONE, text=str(number))
    emulator.order("release")
    time.sleep(0.5)
    assert len(received) < 5
    assert emulator.stored() > 0


def test_b_a_notification_inside_an_answer_is_lost(
    emulator: EmulatorProcess, modem: GsmModem, received: list[str]
) -> None:
    """A +CMTI inside an answer is taken for a part of it, and the message stays unread."""
    emulator.order("faults", inside=1)
    emulator.order("deliver", sender=PHONE, text="inside")
    assert any("+CMTI" in line for line in modem.write("AT+CSQ"))
    time.sleep(0.3)
    assert received == []


@pytest.mark.parametrize(
    ("fault", "error"),
    [("bare_wind", TypeError), ("cmee_refused", CommandError), ("tight_cpms", IndexError)],
)
def test_c_connect_falls_over_answers(
    emulator: EmulatorProcess, fault: str, error: type[Exception]
) -> None:
    """A bare +WIND?, a refused +CMEE and a +CPMS without a space end `connect`."""
    emulator.order("reset")
    emulator.order("faults", **{fault: True})
    kind = _WithoutCommands if fault == "bare_wind" else GsmModem
    modem = quiet(kind(str(emulator.pty)))
    with pytest.raises(error):
        modem.connect()
    modem.close()


class _WithoutCommands(GsmModem):
    """The library with a modem that does not list its commands."""

    supportedCommands = None  # noqa: N815 (the library's name)


def test_d_charsets_without_parentheses_end_the_first_send(
    emulator: EmulatorProcess, modem: GsmModem
) -> None:
    """A +CSCS list without parentheses makes sendSms impossible."""
    emulator.order("faults", bare_charsets=True)
    with pytest.raises(NotImplementedError):
        modem.sendSms(PHONE, "text")


def test_e_a_pin_is_entered_for_a_spelling(emulator: EmulatorProcess) -> None:
    """A card that is ready, spelled "+CPIN:READY", has the PIN entered into it all the same."""
    emulator.order("faults", pin_spelling=True)
    modem = quiet(GsmModem(str(emulator.pty)))
    with pytest.raises(CommandError):
        modem.connect(pin="9999")
    modem.close()
    assert emulator.order("status")["card"]["entered"] == 1


def test_f_a_hang_up_leaves_callers_waiting(emulator: EmulatorProcess, modem: GsmModem) -> None:
    """A caller that waits for an answer when the port goes waits for its whole time."""
    emulator.order("faults", answer_delay=5.0)
    threading.Timer(0.3, lambda: emulator.order("unplug")).start()
    started = time.monotonic()
    with pytest.raises(TimeoutException):
        modem.write("AT+CSQ", timeout=1.5)
    assert time.monotonic() - started > 1.4


def test_g_noise_ends_the_reader_without_a_word(emulator: EmulatorProcess, modem: GsmModem) -> None:
    """Octets that are no UTF-8 end the reader's thread; the library thinks it is alive."""
    emulator.order("noise", octets="fffe0d0a")
    modem.rxThread.join(2)
    assert not modem.rxThread.is_alive()
    assert modem.alive


def test_h_one_junk_pdu_moves_the_others_places(emulator: EmulatorProcess, modem: GsmModem) -> None:
    """After a PDU that it cannot read, the library takes the next message for that one's slot."""
    emulator.order("faults", hold=True)
    emulator.order("store", pdu="0011223344", memory="SM")
    emulator.order("deliver", sender=PHONE, text="good")
    (sms,) = modem.listStoredSms(memory="SM")
    assert (sms.text, sms.index) == ("good", 1)


def test_i_a_failing_delete_kills_a_thread(
    emulator: EmulatorProcess, modem: GsmModem, received: list[str]
) -> None:
    """A +CMGD that fails leaves the message stored, with nobody told."""
    emulator.order("faults", delete_errors=1)
    emulator.order("deliver", sender=PHONE, text="sticky")
    time.sleep(0.5)
    assert received == ["sticky"]
    assert emulator.stored() == 1


def test_j_the_body_is_typed_again_when_the_network_is_busy(
    emulator: EmulatorProcess, modem: GsmModem
) -> None:
    """After +CMS ERROR 515 to a message, the library types its PDU as if it were a command."""
    emulator.order("faults", submit_errors=[515])
    sending = threading.Thread(target=lambda: _try(modem), daemon=True)
    sending.start()
    time.sleep(0.8)
    modem.serial.write(b"\r")
    time.sleep(0.2)
    assert any("\x1a" in typed or len(typed) > 30 for typed in emulator.order("typed")["commands"])
    sending.join(5)


def _try(modem: GsmModem) -> None:
    with suppress(Exception):  # only what was typed matters
        modem.sendSms(PHONE, "text")


@pytest.mark.parametrize(
    ("form", "read"),
    [
        ("0", Ussd(0, "answered", "Your balance is 5")),
        ("1", Ussd(1, "answered, and asks for more", "1 Balance 2 Bundles")),
        ("2", Ussd(2, "ended by the network", None)),
        ("4", Ussd(4, "not supported", None)),
        ("5", Ussd(5, "the network did not answer in time", None)),
        ("release", Ussd(0, "answered", "Your balance is 5")),
        ("lines", Ussd(0, "answered", "Your balance\r\nis 5")),
    ],
)
def test_k_forms_of_ussd(emulator: EmulatorProcess, form: str, read: Ussd) -> None:
    """Answers without text, after a release, or in lines, on which the library waits in vain."""
    heard: list[str] = []
    modem = quiet(GsmModem(str(emulator.pty)))
    modem.connect()
    modem.notifyCallback = heard.extend
    emulator.order("faults", ussd=[form])
    modem.write('AT+CUSD=1,"*100#",15')
    deadline = time.monotonic() + 2
    while time.monotonic() < deadline and read_ussd(heard) != read:
        time.sleep(0.02)
    modem.close()
    assert read_ussd(heard) == read


def test_k_a_ussd_answer_without_text_is_waited_for_in_vain(
    emulator: EmulatorProcess, modem: GsmModem
) -> None:
    """The library's own sendUssd dies on it in a thread and lets its caller time out."""
    emulator.order("faults", ussd=["4"])
    with pytest.raises(TimeoutException):
        modem.sendUssd("*100#", responseTimeout=0.5)


def test_sift_parts_answers_from_what_is_unasked() -> None:
    """An answer keeps its own lines; reports keep their PDU; an echo is dropped."""
    lines = ["AT+CREG?\r", '+CMTI: "SM",1', "+CREG: 0,1", "+CDS: 25", "07AA", "OK"]
    assert sift("AT+CREG?", lines) == (
        ["+CREG: 0,1", "OK"],
        ['+CMTI: "SM",1', "+CDS: 25", "07AA"],
    )
