"""The answers a check-in can get: stable codes, what each means for the door, which is told first.

Only the codes and their meaning. When one is true is decided in `exam.admission` and its neighbours
(see docs/design/check-in.md); what people see, hear and must do stands in config/outcomes.toml.
"""

from collections.abc import Iterable
from enum import StrEnum
from types import MappingProxyType
from typing import Final


class Kind(StrEnum):
    """What an outcome means for the door."""

    ADMITTED = "A"
    # Known already; nothing changes.
    INFORMED = "I"
    # The candidate can put it right at the kiosk.
    RETRY = "T"
    # A person decides.
    REFERRED = "H"
    REFUSED = "R"
    # The kiosk itself must not be used now.
    SYSTEM = "S"


class Outcome(StrEnum):
    """The answer to one scan. The codes are stable: they stand in the record for years.

    Declared in the order in which they help: of several true reasons the first one here is told.
    """

    # A machine that cannot be trusted judges nobody.
    SYS_REVOKED = "SYS_REVOKED"
    SYS_OUT = "SYS_OUT"
    SYS_CLOCK = "SYS_CLOCK"
    SYS_STALE_ROSTER = "SYS_STALE_ROSTER"
    SYS_DISK = "SYS_DISK"
    # Let in.
    OK_ADMITTED = "OK_ADMITTED"
    OK_LATE = "OK_LATE"
    OK_OFFLINE = "OK_OFFLINE"
    # The same request again: it is told what it was told then.
    OK_REPLAY = "OK_REPLAY"
    OK_EMERGENCY_ROOM = "OK_EMERGENCY_ROOM"
    OK_WALK_IN = "OK_WALK_IN"
    OK_OVERRIDE = "OK_OVERRIDE"
    # 存疑: sits the exam, identity to be settled by people (13(2)).
    OK_PROVISIONAL = "OK_PROVISIONAL"
    # Let in by a kiosk alone, after the cut-off by the corrected clock.
    LATE_CUTOFF_REVIEW = "LATE_CUTOFF_REVIEW"
    OK_EXIT = "OK_EXIT"
    # What the candidate can put right at once.
    SCAN_MANY = "SCAN_MANY"
    SCAN_DYNAMIC_ID = "SCAN_DYNAMIC_ID"
    SCAN_FOREIGN = "SCAN_FOREIGN"
    SCAN_BAD_FORM = "SCAN_BAD_FORM"
    SCAN_NONE = "SCAN_NONE"
    # A ticket that settles it, whatever the other document says.
    TICKET_FORGED = "TICKET_FORGED"
    WRONG_SITE = "WRONG_SITE"
    TICKET_VOID = "TICKET_VOID"
    # The documents.
    ID_CHECKSUM = "ID_CHECKSUM"
    NO_ID = "NO_ID"
    NO_TICKET = "NO_TICKET"
    ID_UNREADABLE = "ID_UNREADABLE"
    ID_FORMAT_OTHER = "ID_FORMAT_OTHER"
    NEED_SECOND_DOC = "NEED_SECOND_DOC"
    # Who must look.
    CANDIDATE_BLOCKED = "CANDIDATE_BLOCKED"
    NOT_ON_ROSTER = "NOT_ON_ROSTER"
    ID_TICKET_MISMATCH = "ID_TICKET_MISMATCH"
    DUP_CONFLICT = "DUP_CONFLICT"
    NAME_MISMATCH = "NAME_MISMATCH"
    FACE_DOUBT = "FACE_DOUBT"
    ID_EXPIRED = "ID_EXPIRED"
    AMBIGUOUS = "AMBIGUOUS"
    # What cannot be changed.
    WRONG_DAY = "WRONG_DAY"
    SESSION_CLOSED = "SESSION_CLOSED"
    LEFT_NO_RETURN = "LEFT_NO_RETURN"
    OK_ALREADY_HERE = "OK_ALREADY_HERE"
    ALREADY_IN = "ALREADY_IN"
    LATE_CUTOFF = "LATE_CUTOFF"
    # Late where the procedure names no limit (practical, review): people decide (R5).
    LATE_REFERRED = "LATE_REFERRED"
    WRONG_STAGE = "WRONG_STAGE"
    # Where and when to go.
    WRONG_SESSION = "WRONG_SESSION"
    WRONG_ROOM = "WRONG_ROOM"
    TOO_EARLY = "TOO_EARLY"
    SEAT_TAKEN = "SEAT_TAKEN"
    # Steps at the kiosk, in the order in which they are asked for.
    NOTICE_DECLINED = "NOTICE_DECLINED"
    NEED_NOTICE = "NEED_NOTICE"
    PHOTO_REFUSED = "PHOTO_REFUSED"
    CAPTURE_FAILED = "CAPTURE_FAILED"
    NEED_PHOTO = "NEED_PHOTO"
    NO_FILE_PHOTO = "NO_FILE_PHOTO"
    NEED_BAG = "NEED_BAG"
    NEED_SIGNATURE = "NEED_SIGNATURE"
    # Nothing known fits: a person looks, and the machine goes on.
    NOT_JUDGED = "NOT_JUDGED"


_OF_KIND: Final = {
    Kind.SYSTEM: "SYS_REVOKED SYS_OUT SYS_CLOCK SYS_STALE_ROSTER SYS_DISK",
    Kind.ADMITTED: "OK_ADMITTED OK_LATE OK_OFFLINE OK_REPLAY OK_EMERGENCY_ROOM OK_WALK_IN OK_OVERRIDE"
    " OK_PROVISIONAL LATE_CUTOFF_REVIEW",
    Kind.INFORMED: "OK_EXIT OK_ALREADY_HERE",
    Kind.RETRY: "SCAN_MANY SCAN_DYNAMIC_ID SCAN_FOREIGN SCAN_BAD_FORM SCAN_NONE ID_CHECKSUM NEED_SECOND_DOC"
    " NEED_NOTICE NEED_PHOTO NEED_BAG NEED_SIGNATURE",
    Kind.REFERRED: "TICKET_FORGED TICKET_VOID NO_ID NO_TICKET ID_UNREADABLE ID_FORMAT_OTHER"
    " CANDIDATE_BLOCKED NOT_ON_ROSTER ID_TICKET_MISMATCH DUP_CONFLICT NAME_MISMATCH FACE_DOUBT ID_EXPIRED"
    " AMBIGUOUS ALREADY_IN LATE_REFERRED SEAT_TAKEN NOTICE_DECLINED PHOTO_REFUSED CAPTURE_FAILED"
    " NO_FILE_PHOTO NOT_JUDGED",
    Kind.REFUSED: "WRONG_SITE WRONG_DAY SESSION_CLOSED LEFT_NO_RETURN LATE_CUTOFF WRONG_STAGE WRONG_SESSION"
    " WRONG_ROOM TOO_EARLY",
}
KINDS: Final = MappingProxyType(
    {Outcome(code): kind for kind, codes in _OF_KIND.items() for code in codes.split()}
)

# Of several true reasons the candidate hears the one that helps most.
ACTIONABLE: Final = tuple(Outcome)

# What only the scanner can see, or the candidate can say about his documents, before anybody is known.
AT_THE_SCANNER: Final = frozenset(
    {
        Outcome.SCAN_MANY,
        Outcome.SCAN_DYNAMIC_ID,
        Outcome.SCAN_FOREIGN,
        Outcome.SCAN_NONE,
        Outcome.NO_ID,
        Outcome.NO_TICKET,
        Outcome.ID_UNREADABLE,
    }
)
# What a kiosk, or a person at it, tells the rule.
DECLARABLE: Final = AT_THE_SCANNER | {
    Outcome.FACE_DOUBT,
    Outcome.NO_FILE_PHOTO,
    Outcome.PHOTO_REFUSED,
    Outcome.CAPTURE_FAILED,
    Outcome.NOTICE_DECLINED,
}

# After so many failures that nobody will succeed alone (three by every practice found), it is this.
AFTER_TRIES: Final = MappingProxyType(
    {
        Outcome.SCAN_MANY: Outcome.NO_TICKET,
        Outcome.SCAN_FOREIGN: Outcome.NO_TICKET,
        Outcome.SCAN_BAD_FORM: Outcome.NO_TICKET,
        Outcome.SCAN_NONE: Outcome.NO_TICKET,
        Outcome.SCAN_DYNAMIC_ID: Outcome.ID_UNREADABLE,
        Outcome.ID_CHECKSUM: Outcome.ID_UNREADABLE,
        Outcome.NEED_PHOTO: Outcome.CAPTURE_FAILED,
    }
)

# Doubts about who somebody is: each opens a case that people close (13(2), R7).
DOUBTS: Final = frozenset(
    {
        Outcome.TICKET_FORGED,
        Outcome.ID_TICKET_MISMATCH,
        Outcome.NAME_MISMATCH,
        Outcome.FACE_DOUBT,
        Outcome.ID_EXPIRED,
        Outcome.DUP_CONFLICT,
        Outcome.ALREADY_IN,
    }
)
# Of these, the ones that no better scan can take away: while such a case is open, people admit.
HOLDING: Final = DOUBTS - {Outcome.ID_TICKET_MISMATCH, Outcome.ALREADY_IN}


def ordered(reasons: Iterable[Outcome]) -> tuple[Outcome, ...]:
    """The reasons without repeats, most helpful first."""
    return tuple(sorted(set(reasons), key=ACTIONABLE.index))


def outcome_of(code: str) -> Outcome:
    """The outcome of that code; a code of a newer or broken program is a referral, never a failure."""
    try:
        return Outcome(code)
    except ValueError:
        return Outcome.NOT_JUDGED
