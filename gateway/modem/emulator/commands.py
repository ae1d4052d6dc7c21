"""What each AT command does: 3GPP TS 27.007 and TS 27.005 in PDU mode."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from dtns.gateway.modem.emulator.card import READ, UNREAD
from dtns.gateway.modem.emulator.pdu import tpdu_length

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from dtns.gateway.modem.emulator.card import Storage
    from dtns.gateway.modem.emulator.interpreter import Interpreter

    Command = Callable[[Interpreter, str, str], list[str]]

_ALL: Final = 4
_FLAG_OF_ALL: Final = 4
_RADIO_OFF: Final = 0
_ICCID_FILE: Final = "176,12258,"


class AtError(Exception):
    """A command is refused: *kind* is CME, CMS or unknown, *code* the number of the error."""

    def __init__(self, kind: str, code: int) -> None:
        super().__init__(f"{kind} {code}")
        self.kind = kind
        self.code = code


def _fine(_modem: Interpreter, _form: str, _argument: str) -> list[str]:
    return []


def _reset(modem: Interpreter, _form: str, _argument: str) -> list[str]:
    modem.echo = True
    modem.detailed_errors = False
    modem.indications = (0, 0)
    return []


def _echo(modem: Interpreter, _form: str, argument: str) -> list[str]:
    modem.echo = argument != "0"
    return []


def _told(choose: Callable[[Interpreter], str]) -> Command:
    def command(modem: Interpreter, _form: str, _argument: str) -> list[str]:
        return [choose(modem)]

    return command


def _errors(modem: Interpreter, form: str, argument: str) -> list[str]:
    if form == "=":
        if modem.faults.cmee_refused:
            raise AtError("unknown", 0)
        modem.detailed_errors = argument != "0"
    return []


def _wind(modem: Interpreter, _form: str, _argument: str) -> list[str]:
    if modem.faults.bare_wind:
        return []
    raise AtError("unknown", 0)


def _pin(modem: Interpreter, form: str, argument: str) -> list[str]:
    states = {"ready": "READY", "pin": "SIM PIN", "puk": "SIM PUK"}
    if modem.card.state == "absent":
        raise AtError("CME", 10)
    if form == "?":
        line = f"+CPIN: {states[modem.card.state]}"
        return [line.replace(": ", ":") if modem.faults.pin_spelling else line]
    if modem.card.state == "puk":
        raise AtError("CME", 12)
    if not modem.card.enter(argument.split(",", maxsplit=1)[0].strip('"')):
        raise AtError("CME", 16 if modem.card.tries else 12)
    return []


def _pin_tries(modem: Interpreter, _form: str, _argument: str) -> list[str]:
    return [f"+CPINR: SIM PIN,{modem.card.tries},3"]


def _read_file(modem: Interpreter, _form: str, argument: str) -> list[str]:
    if modem.card.state == "absent":
        raise AtError("CME", 10)
    if not argument.startswith(_ICCID_FILE):
        raise AtError("CME", 3)
    digits = modem.card.iccid.ljust(20, "F")
    swapped = "".join(digits[at + 1] + digits[at] for at in range(0, 20, 2))
    return [f'+CRSM: 144,0,"{swapped}"']


def _subscriber(modem: Interpreter, _form: str, _argument: str) -> list[str]:
    modem.need_card("CME")
    return ["621200000000001"]


def _registration(modem: Interpreter, form: str, _argument: str) -> list[str]:
    stat = modem.radio.registration if modem.card.state == "ready" else _RADIO_OFF
    return [f"+CREG: 0,{stat}"] if form == "?" else []


def _operator(modem: Interpreter, form: str, _argument: str) -> list[str]:
    if form != "?":
        return []
    known = modem.card.state == "ready" and modem.radio.registration in {1, 5}
    return ['+COPS: 0,0,"Loopback",2' if known else "+COPS: 0"]


def _charset(modem: Interpreter, form: str, _argument: str) -> list[str]:
    values = '"GSM","IRA","UCS2"'
    if form == "=?":
        return [f"+CSCS: {values if modem.faults.bare_charsets else f'({values})'}"]
    return ['+CSCS: "GSM"'] if form == "?" else []


def _memories(modem: Interpreter, form: str, argument: str) -> list[str]:
    if form == "=?":
        those = ",".join(f'"{name}"' for name in modem.dialect.memories)
        line = f"+CPMS: ({those}),({those}),({those})"
        return [line.replace(": ", ":") if modem.faults.tight_cpms else line]
    modem.need_card("CMS")
    if form == "=":
        name = argument.split(",", maxsplit=1)[0].strip('"')
        if name not in modem.storages:
            raise AtError("CMS", 302)
        modem.memory = name
    storage = modem.storages[modem.memory]
    used = f"{len(storage.slots)},{storage.size}"
    if form == "?":
        return ["+CPMS: " + ",".join([f'"{modem.memory}",{used}'] * 3)]
    return ["+CPMS: " + ",".join([used] * 3)]


def _indications(modem: Interpreter, form: str, argument: str) -> list[str]:
    if form != "=":
        modes = ",".join(map(str, modem.dialect.report_modes))
        return [f"+CNMI: (0,1,2),(0,1),(0),({modes}),(0,1)"] if form == "=?" else []
    values = [int(value or 0) for value in argument.split(",")] + [0] * 4
    if values[3] not in modem.dialect.report_modes:
        raise AtError("CMS", 303)
    modem.indications = (values[1], values[3])
    return []


def _smsc(_modem: Interpreter, form: str, _argument: str) -> list[str]:
    return ['+CSCA: "+491710760000",145'] if form == "?" else []


def _storage(modem: Interpreter) -> Storage:
    modem.need_card("CMS")
    return modem.storages[modem.memory]


def _list(modem: Interpreter, form: str, argument: str) -> list[str]:
    if form == "=?":
        return ["+CMGL: (0-4)"]
    wanted = int(argument or UNREAD)
    lines = []
    for slot, stored in sorted(_storage(modem).slots.items()):
        if wanted in {_ALL, stored.status}:
            lines += [f"+CMGL: {slot},{stored.status},,{tpdu_length(stored.pdu)}", stored.pdu]
            if stored.status == UNREAD:
                stored.status = READ
    return lines


def _read(modem: Interpreter, _form: str, argument: str) -> list[str]:
    stored = _storage(modem).slots.get(int(argument))
    if stored is None:
        raise AtError("CMS", 321)
    lines = [f"+CMGR: {stored.status},,{tpdu_length(stored.pdu)}", stored.pdu]
    stored.status = READ
    return lines


def _delete(modem: Interpreter, form: str, argument: str) -> list[str]:
    if form == "=?":
        return ["+CMGD: (1-50),(0-4)"]
    slots = _storage(modem).slots
    if modem.faults.strikes("delete_errors"):
        raise AtError("CMS", 500)
    slot, _, flag = argument.partition(",")
    if int(flag or 0) == _FLAG_OF_ALL:
        slots.clear()
    else:
        slots.pop(int(slot), None)
    modem.radio.room()
    return []


def _ussd(modem: Interpreter, form: str, argument: str) -> list[str]:
    if form == "=?":
        return ["+CUSD: (0-2)"]
    if form != "=" or not argument.startswith("1,"):
        return []
    modem.need_card("CME")
    kind = modem.faults.ussd.pop(0) if modem.faults.ussd else "0"
    lines = _USSD_FORMS.get(kind, [f"+CUSD: {kind}"])
    if modem.dialect.ussd_first and kind in {"0", "1"}:
        return lines
    modem.after_answer(lines)
    return []


_USSD_FORMS: Final = {
    "0": ['+CUSD: 0,"Your balance is 5",15'],
    "1": ['+CUSD: 1,"1 Balance 2 Bundles",15'],
    "lines": ['+CUSD: 0,"Your balance\r\nis 5",15'],
    "release": ['+CUSD: 2,"Initiating Release",15', '+CUSD: 0,"Your balance is 5",15'],
    "none": [],
}


def _all_commands(modem: Interpreter, _form: str, _argument: str) -> list[str]:
    commands = modem.dialect.commands
    if commands is None:
        raise AtError("unknown", 0)
    match modem.dialect.command_list:
        case "line":
            return ["+CLAC: " + ",".join(commands)]
        case "lines":
            return list(commands)
    return [f"AT{command}" for command in commands]


COMMANDS: Final[Mapping[str, Command]] = {
    "Z": _reset,
    "&F": _reset,
    "E": _echo,
    "I": _told(lambda modem: modem.dialect.model),
    "+CGMI": _told(lambda modem: modem.dialect.manufacturer),
    "+CGMM": _told(lambda modem: modem.dialect.model),
    "+CGMR": _told(lambda modem: modem.dialect.revision),
    "+CGSN": _told(lambda _: "490154203237518"),
    "+CIMI": _subscriber,
    "+CFUN": lambda _modem, form, _argument: ["+CFUN: 1"] if form == "?" else [],
    "+CMEE": _errors,
    "+WIND": _wind,
    "+CPIN": _pin,
    "+CPINR": _pin_tries,
    "+CRSM": _read_file,
    "+CREG": _registration,
    "+COPS": _operator,
    "+CSQ": lambda modem, _form, _argument: [f"+CSQ: {modem.radio.signal},99"],
    "+CSCS": _charset,
    "+CSMS": _fine,
    "+CPMS": _memories,
    "+CMGF": _fine,
    "+CSCA": _smsc,
    "+CSMP": _fine,
    "+CNMI": _indications,
    "+CMGL": _list,
    "+CMGR": _read,
    "+CMGD": _delete,
    "+CUSD": _ussd,
    "+CLAC": _all_commands,
    "+CLIP": _fine,
    "+CRC": _fine,
    "+CVHU": _fine,
}
