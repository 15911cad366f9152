"""The facts of the admission rule from a roster package instead of the database (house law, section 6).

A package holds, for everybody, what the day is (`RosterDay`), and for each candidate a `RosterRecord` that
opens with his own ticket or ID number. Both travel in the plain form of `exam.plain`. What happened at this
kiosk since the package was made is laid over them, and `facts_of` makes what `exam.admission.judge` takes.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any, Final

from exam.admission import RULE
from exam.admission_facts import Admitted, Facts, Known, Policy, Seat, Sitting
from exam.plain import from_plain, to_plain

DIGEST_LENGTH: Final = 12


@dataclass(frozen=True, slots=True)
class RosterDay:
    """What a kiosk must know of the day before anybody has shown a document. Holds nothing about people."""

    ticket_forms: tuple[str, ...]
    sittings: tuple[Sitting, ...]
    policy: Policy


@dataclass(frozen=True, slots=True)
class RosterRecord:
    """One candidate: who he is, and every seat of his, in all sessions of the batch.

    `is_void_ticket`: the record opens with a ticket number of his that counts no more.
    """

    known: Known
    seats: tuple[Seat, ...]
    is_void_ticket: bool = False


@dataclass(frozen=True, slots=True)
class LocalEntry:
    """An admission, or an exit, that this kiosk recorded since the package was made."""

    candidate_id: int
    session_id: int
    place_id: int
    at_us: int
    kiosk_id: int
    has_left: bool = False


def facts_of(
    day: RosterDay,
    by_ticket: Sequence[RosterRecord],
    by_number: Sequence[RosterRecord],
    local: Iterable[LocalEntry] = (),
    *,
    rooms: frozenset[int] = frozenset(),
) -> Facts:
    """What the rule may know: records that ticket and ID number opened, and what happened here since.

    `rooms` are those whose candidates the kiosk takes; empty: the whole site's.
    """
    named = {record.known.candidate_id for record in by_number}
    seats = {
        (seat.candidate_id, seat.sitting.session_id): seat
        for record in by_ticket
        if record.known.candidate_id in named
        for seat in record.seats
    }
    entries = list(local)
    return Facts(
        ticket_forms=day.ticket_forms,
        by_ticket=tuple(record.known for record in by_ticket if not record.is_void_ticket),
        by_id_number=tuple(record.known for record in by_number),
        seats=tuple(_with_local(seat, entries) for seat in seats.values()),
        sittings_here=tuple(one for one in day.sittings if not rooms or one.door_id in rooms),
        by_void_ticket=tuple(record.known for record in by_ticket if record.is_void_ticket),
    )


def rules_version(policy: Policy) -> str:
    """Names rule and policy together: attempts judged by the same version were judged alike."""
    text = json.dumps(to_plain(policy), ensure_ascii=False, sort_keys=True)
    return f"{RULE}-{sha256(text.encode()).hexdigest()[:DIGEST_LENGTH]}"


def read_day(plain: Any) -> RosterDay:
    """The day from its plain form. Raises exam.plain.PlainError."""
    return from_plain(RosterDay, plain)


def read_record(plain: Any) -> RosterRecord:
    """A candidate from the plain form. Raises exam.plain.PlainError."""
    return from_plain(RosterRecord, plain)


def _with_local(seat: Seat, entries: Iterable[LocalEntry]) -> Seat:
    for one in entries:
        if one.session_id != seat.sitting.session_id:
            continue
        if one.candidate_id != seat.candidate_id:
            seat = replace(seat, is_taken=seat.is_taken or one.place_id == seat.place_id)
        elif one.has_left:
            seat = replace(seat, left_at_us=one.at_us)
        elif seat.admission is None:
            seat = replace(seat, admission=Admitted(one.kiosk_id, one.at_us))
    return seat
