"""command_status: what an SMSC says of a request, and what that means for the message."""

from __future__ import annotations

from enum import IntEnum
from typing import Final


class Status(IntEnum):
    """The statuses that SMPP 3.4 names, section 5.1.3, by their names without ESME_."""

    ROK = 0x00
    RINVMSGLEN = 0x01
    RINVCMDLEN = 0x02
    RINVCMDID = 0x03
    RINVBNDSTS = 0x04
    RALYBND = 0x05
    RINVPRTFLG = 0x06
    RINVREGDLVFLG = 0x07
    RSYSERR = 0x08
    RINVSRCADR = 0x0A
    RINVDSTADR = 0x0B
    RINVMSGID = 0x0C
    RBINDFAIL = 0x0D
    RINVPASWD = 0x0E
    RINVSYSID = 0x0F
    RCANCELFAIL = 0x11
    RREPLACEFAIL = 0x13
    RMSGQFUL = 0x14
    RINVSERTYP = 0x15
    RINVNUMDESTS = 0x33
    RINVDLNAME = 0x34
    RINVDESTFLAG = 0x40
    RINVSUBREP = 0x42
    RINVESMCLASS = 0x43
    RCNTSUBDL = 0x44
    RSUBMITFAIL = 0x45
    RINVSRCTON = 0x48
    RINVSRCNPI = 0x49
    RINVDSTTON = 0x50
    RINVDSTNPI = 0x51
    RINVSYSTYP = 0x53
    RINVREPFLAG = 0x54
    RINVNUMMSGS = 0x55
    RTHROTTLED = 0x58
    RINVSCHED = 0x61
    RINVEXPIRY = 0x62
    RINVDFTMSGID = 0x63
    RX_T_APPN = 0x64
    RX_P_APPN = 0x65
    RX_R_APPN = 0x66
    RQUERYFAIL = 0x67
    RINVOPTPARSTREAM = 0xC0
    ROPTPARNOTALLWD = 0xC1
    RINVPARLEN = 0xC2
    RMISSINGOPTPARAM = 0xC3
    RINVOPTPARAMVAL = 0xC4
    RDELIVERYFAILURE = 0xFE
    RUNKNOWNERR = 0xFF


BUSY: Final = frozenset({Status.RTHROTTLED, Status.RMSGQFUL})
"""The message was not taken because there are too many: send less for a while."""
HOPELESS: Final = frozenset(
    {
        *(Status.RINVMSGLEN, Status.RINVDSTADR, Status.RINVDSTTON, Status.RINVDSTNPI),
        *(Status.RINVNUMDESTS, Status.RDELIVERYFAILURE),
    }
)
"""The same message would be refused again."""
UNSURE: Final = frozenset({Status.RUNKNOWNERR})
"""The SMSC does not say whether it holds the message."""
LOCKED_OUT: Final = frozenset(
    {
        *(Status.RBINDFAIL, Status.RINVPASWD, Status.RINVSYSID, Status.RALYBND),
        *(Status.RINVSYSTYP, Status.RINVCMDID, Status.RINVBNDSTS),
    }
)
"""A bind was refused for what somebody has to change: ask seldom, or the account gets locked."""


def name_of(status: int) -> str:
    """Return a status as the specification names it."""
    try:
        return f"ESME_{Status(status).name}"
    except ValueError:
        return f"status 0x{status:08X}"
