"""What becomes of a check-in that a kiosk decided alone, when the server hears of it (conflict rules).

Pure: what the kiosk decided and what the server would have answered at that moment in, what stands on
record out, with everything a person must see. Nothing is ever dropped: a person may be sitting in the
room already. Serves 13(2)-(4); the table of these rules stands in docs/design/check-in.md.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from exam.admission_facts import Admitted, Seat, Verdict
from exam.outcomes import DOUBTS, KINDS, Kind, Outcome


class AlarmKind(StrEnum):
    """What about check-in a person must see. Stable codes; words in config/check_in.toml."""

    # The door itself.
    TICKET_FORGED = "ticket_forged"
    BLOCKED = "blocked"
    MISMATCH = "mismatch"
    NAME_MISMATCH = "name_mismatch"
    FACE_DOUBT = "face_doubt"
    ALREADY_IN = "already_in"
    SEAT_TAKEN = "seat_taken"
    NOT_JUDGED = "not_judged"
    # Found at upload.
    DUP_CONFLICT = "dup_conflict"
    VOID_MEANWHILE = "void_meanwhile"
    UNKNOWN_INSIDE = "unknown_inside"
    SEAT_MOVED = "seat_moved"
    LATE_CUTOFF_REVIEW = "late_cutoff_review"
    RULES_DIFFER = "rules_differ"
    RE_ENTERED = "re_entered"
    MAYBE_OUTSIDE = "maybe_outside"
    SENT_AWAY = "sent_away"
    INSIDE_THOUGH_REFUSED = "inside_though_refused"
    LATE_UPLOAD = "late_upload"
    CLOCK_SKEW = "clock_skew"
    # People's acts.
    UNSIGNED_OVERRIDE = "unsigned_override"
    UNDONE = "undone"
    MOVED_ROOM = "moved_room"
    BARRED_INSIDE = "barred_inside"


# What the room itself must see to, on its own page, until somebody has.
FOR_THE_ROOM: Final = frozenset({AlarmKind.BARRED_INSIDE})


# What is an alarm wherever it is answered, live or at upload.
ALARMING: Final = {
    Outcome.TICKET_FORGED: AlarmKind.TICKET_FORGED,
    Outcome.CANDIDATE_BLOCKED: AlarmKind.BLOCKED,
    Outcome.ID_TICKET_MISMATCH: AlarmKind.MISMATCH,
    Outcome.NAME_MISMATCH: AlarmKind.NAME_MISMATCH,
    Outcome.FACE_DOUBT: AlarmKind.FACE_DOUBT,
    Outcome.ALREADY_IN: AlarmKind.ALREADY_IN,
    Outcome.SEAT_TAKEN: AlarmKind.SEAT_TAKEN,
    Outcome.DUP_CONFLICT: AlarmKind.DUP_CONFLICT,
    Outcome.NOT_JUDGED: AlarmKind.NOT_JUDGED,
}

# The server would have sent him elsewhere or asked for a step, but who he is, is not in doubt.
_OF_THE_DOOR: Final = frozenset(
    {
        Outcome.WRONG_DAY,
        Outcome.SESSION_CLOSED,
        Outcome.WRONG_STAGE,
        Outcome.WRONG_SESSION,
        Outcome.WRONG_ROOM,
        Outcome.TOO_EARLY,
        Outcome.NEED_NOTICE,
        Outcome.NEED_PHOTO,
        Outcome.NEED_BAG,
        Outcome.NEED_SIGNATURE,
        Outcome.NOTICE_DECLINED,
        Outcome.PHOTO_REFUSED,
        Outcome.CAPTURE_FAILED,
        Outcome.NO_FILE_PHOTO,
    }
)
_TOO_LATE: Final = frozenset({Outcome.LATE_CUTOFF, Outcome.LATE_REFERRED})


@dataclass(frozen=True, slots=True)
class Decided:
    """What a kiosk decided alone and told the candidate."""

    outcome: Outcome
    kiosk_id: int
    # When, by the server's clock as the kiosk knew it, and how wrong that may be.
    at_us: int
    uncertainty_us: int = 0
    # Where it sent him; None: nowhere, or it did not say.
    place_id: int | None = None

    @property
    def let_in(self) -> bool:
        """Whether somebody walked in on this answer."""
        return KINDS[self.outcome] is Kind.ADMITTED


@dataclass(frozen=True, slots=True)
class Settlement:
    """What stands on record: `reasons` as in a verdict, the first is the attempt's outcome."""

    reasons: tuple[Outcome, ...]
    # An admission to the seat goes with it.
    admits: bool = False
    # The admission that stood gives way.
    displaces: bool = False
    alarms: tuple[AlarmKind, ...] = ()
    # The reason of the case that is opened, or joined when one is open; None: no case.
    doubt: Outcome | None = None

    @property
    def outcome(self) -> Outcome:
        """What is on record as the answer."""
        return self.reasons[0]


def settle(decided: Decided, verdict: Verdict, seat: Seat | None) -> Settlement:
    """What becomes of an upload with a nonce that was never seen.

    `verdict` is what the rule says of the same documents at that moment, as if nobody had been let in yet
    for this candidate; `seat` is the one he comes for, with the admission that stands; None: none is known.
    """
    if not decided.let_in:
        return _settle_refusal(decided, verdict, seat)
    if seat is None:
        return Settlement(verdict.reasons, alarms=(AlarmKind.UNKNOWN_INSIDE,), doubt=verdict.outcome)
    if seat.held_for is Outcome.DUP_CONFLICT and seat.admission is None:
        return _conflict(verdict)
    if seat.admission is not None:
        return _settle_second(decided, verdict, seat, seat.admission)
    return _settle_first(decided, verdict, seat)


def told_otherwise(*, stored_admits: bool, shown: Outcome) -> AlarmKind | None:
    """The alarm when a kiosk told somebody else than the answer on record; None: it came to the same."""
    let_in = KINDS[shown] is Kind.ADMITTED
    if stored_admits and not let_in and shown is not Outcome.OK_ALREADY_HERE:
        return AlarmKind.SENT_AWAY
    return AlarmKind.INSIDE_THOUGH_REFUSED if let_in and not stored_admits else None


def alarms_of(reasons: tuple[Outcome, ...]) -> tuple[AlarmKind, ...]:
    """The alarms of an answer: one for each reason that a person must see."""
    return tuple(ALARMING[reason] for reason in reasons if reason in ALARMING)


def _settle_refusal(decided: Decided, verdict: Verdict, seat: Seat | None) -> Settlement:
    """The candidate was told no: nothing is decided anew. He may be waiting outside unless he came in."""
    is_final = KINDS[decided.outcome] in {Kind.REFUSED, Kind.REFERRED}
    is_missing = verdict.kind is Kind.ADMITTED and not _is_in(verdict.seat, seat)
    outside = (AlarmKind.MAYBE_OUTSIDE,) if is_final and is_missing else ()
    return Settlement(
        (decided.outcome,),
        alarms=(*alarms_of((decided.outcome,)), *outside),
        doubt=_doubt_of(decided.outcome),
    )


def _is_in(meant: Seat | None, seat: Seat | None) -> bool:
    """Whether an admission stands for the sitting that is meant."""
    if meant is None or seat is None or seat.admission is None:
        return False
    return meant.sitting.session_id == seat.sitting.session_id


def _settle_first(decided: Decided, verdict: Verdict, seat: Seat) -> Settlement:
    """Nobody else was let in for this candidate."""
    moved = () if decided.place_id in {None, seat.place_id} else (AlarmKind.SEAT_MOVED,)
    if seat.is_taken:
        return Settlement(_with(Outcome.SEAT_TAKEN, verdict), alarms=(AlarmKind.SEAT_TAKEN, *moved))
    if verdict.kind is Kind.ADMITTED:
        first = Outcome.OK_OFFLINE if verdict.outcome is Outcome.OK_ADMITTED else verdict.outcome
        return Settlement((first,), admits=True, alarms=moved)
    if verdict.outcome in _TOO_LATE:
        alarms = (AlarmKind.LATE_CUTOFF_REVIEW, *moved)
        return Settlement(_with(Outcome.LATE_CUTOFF_REVIEW, verdict), admits=True, alarms=alarms)
    if set(verdict.reasons) <= _OF_THE_DOOR:
        alarms = (AlarmKind.RULES_DIFFER, *moved)
        return Settlement(_with(Outcome.OK_OFFLINE, verdict), admits=True, alarms=alarms)
    return Settlement(
        _with(Outcome.OK_PROVISIONAL, verdict),
        admits=True,
        alarms=(AlarmKind.VOID_MEANWHILE, *moved),
        doubt=verdict.outcome,
    )


def _settle_second(decided: Decided, verdict: Verdict, seat: Seat, standing: Admitted) -> Settlement:
    """Somebody was let in for this candidate before: here, or at another kiosk."""
    if standing.kiosk_id == decided.kiosk_id:
        return Settlement((Outcome.OK_ALREADY_HERE,))
    if seat.left_at_us is not None and decided.at_us > seat.left_at_us:
        return Settlement((Outcome.LEFT_NO_RETURN,), alarms=(AlarmKind.RE_ENTERED,))
    apart_us = standing.admitted_at_us - decided.at_us
    if abs(apart_us) <= standing.uncertainty_us + decided.uncertainty_us and not standing.by_people:
        return _conflict(verdict, displaces=True)
    if apart_us < 0 or standing.by_people:
        return _conflict(verdict)
    first = _settle_first(decided, verdict, seat)
    return Settlement(
        first.reasons,
        admits=first.admits,
        displaces=first.admits,
        alarms=(AlarmKind.DUP_CONFLICT, *first.alarms),
        doubt=Outcome.DUP_CONFLICT,
    )


def _conflict(verdict: Verdict, *, displaces: bool = False) -> Settlement:
    return Settlement(
        _with(Outcome.DUP_CONFLICT, verdict),
        displaces=displaces,
        alarms=(AlarmKind.DUP_CONFLICT,),
        doubt=Outcome.DUP_CONFLICT,
    )


def _with(outcome: Outcome, verdict: Verdict) -> tuple[Outcome, ...]:
    """The outcome, and what the server would have answered instead of letting him in."""
    others = [reason for reason in verdict.reasons if KINDS[reason] is not Kind.ADMITTED]
    return tuple(dict.fromkeys((outcome, *others)))


def _doubt_of(outcome: Outcome) -> Outcome | None:
    return outcome if outcome in DOUBTS else None
