"""How modems of different makers answer, after their published AT command manuals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

_COMMON: Final = (
    *("&C", "&D", "&F", "&W", "E", "I", "Z", "+CGMI", "+CGMM", "+CGMR", "+CGSN", "+CIMI"),
    *("+CFUN", "+CMEE", "+CPIN", "+CREG", "+COPS", "+CSQ", "+CSCS", "+CSMS", "+CPMS", "+CMGF"),
    *("+CSCA", "+CSMP", "+CNMI", "+CMGL", "+CMGR", "+CMGD", "+CMGS", "+CMGW", "+CUSD", "+CLIP"),
)


@dataclass(frozen=True, slots=True)
class Dialect:
    """One family's ways.

    Attributes:
        memories: the storages that +CPMS offers, the one for incoming messages first.
        report_modes: values of +CNMI's ds; 2 stores reports in SR, 1 hands them over at once.
        commands: what AT+CLAC lists; None answers ERROR.
        command_list: how AT+CLAC lists it: a line of all, a line each, or a line each with AT.
        unknown: what an unknown command gets.
        iccid: the command that tells the SIM's number, and what its answer starts with.
        boot: what the modem says once it runs.
        chatter: what it says now and then, unasked.
        full: what it says when its storage is full.
        space: what comes after the colon of an answer.
        ussd_first: the answer to +CUSD comes before its OK.
    """

    name: str
    manufacturer: str
    model: str
    revision: str
    memories: tuple[str, ...]
    report_modes: tuple[int, ...]
    commands: tuple[str, ...] | None
    command_list: str
    unknown: str
    iccid: tuple[str, str]
    boot: tuple[str, ...]
    chatter: tuple[str, ...]
    full: str
    space: str = " "
    ussd_first: bool = False


HUAWEI: Final = Dialect(
    name="huawei",
    manufacturer="huawei",
    model="E1752",
    revision="11.126.13.00.00",
    memories=("SM", "ME", "SR"),
    report_modes=(0, 1, 2),
    commands=(*_COMMON, "^CVOICE", "^USSDMODE", "^ICCID", "^CARDLOCK"),
    command_list="line",
    unknown="COMMAND NOT SUPPORT",
    iccid=("^ICCID?", "^ICCID: "),
    boot=("^SRVST:2", "^SIMST:1", "^MODE:5,4"),
    chatter=("^RSSI:18", "^MODE:5,4", "^BOOT:12345678,0,0,0,75"),
    full='^SMMEMFULL: "SM"',
)
ZTE: Final = Dialect(
    name="zte",
    manufacturer="ZTE INCORPORATED",
    model="MF190",
    revision="BD_MF190V1.0.0B03",
    memories=("ME", "SM", "SR"),
    report_modes=(0, 1, 2),
    commands=(*_COMMON, "+ZPAS", "+ZOPRT", "+ZGETICCID", "+VTS"),
    command_list="lines",
    unknown="ERROR",
    iccid=("+ZGETICCID", "+ZGETICCID: "),
    boot=("+ZUSIMR:2",),
    chatter=('+ZPASR: "UMTS"', "+ZDONR: OPERATOR,621,20,CS_PS,ROAM_OFF"),
    full="+ZMEMFULL",
    space="",
    ussd_first=True,
)
SIMCOM: Final = Dialect(
    name="simcom",
    manufacturer="SIMCOM_Ltd",
    model="SIMCOM_SIM800L",
    revision="Revision:1418B05SIM800L24",
    memories=("SM", "ME"),
    report_modes=(0, 1),
    commands=None,
    command_list="",
    unknown="ERROR",
    iccid=("+CCID", ""),
    boot=("RDY", "+CFUN: 1", "+CPIN: READY", "Call Ready", "SMS Ready"),
    chatter=('*PSUTTZ: 2026,1,5,10,20,30,"+4",0', "DST: 0", "UNDER-VOLTAGE WARNING"),
    full='+CMTI: "SM",FULL',
)
QUECTEL: Final = Dialect(
    name="quectel",
    manufacturer="Quectel",
    model="EC25",
    revision="EC25EFAR06A03M4G",
    memories=("ME", "SM", "SR"),
    report_modes=(0, 1, 2),
    commands=(*_COMMON, "+QCCID", "+QINDCFG", "+QSPN", "+VTS"),
    command_list="at-lines",
    unknown="ERROR",
    iccid=("+QCCID", "+QCCID: "),
    boot=("RDY", "+CPIN: READY", "+QUSIM: 1", "+CFUN: 1", "+QIND: SMS DONE"),
    chatter=('+QIND: "csq",18,99', "+QIND: PB DONE", '+CREG: 1,"1A2B","0C3D4E5F",7'),
    full='+QIND: "smsfull","ME"',
)
DIALECTS: Final = {dialect.name: dialect for dialect in (HUAWEI, ZTE, SIMCOM, QUECTEL)}
