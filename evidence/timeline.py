"""The one timeline of a room: what happened when, as marks beside the footage.

Check-ins, signals and proctor-log entries are read from exam.db and put in one order. Words for
codes are the pages' business: this module tells codes and the texts that people wrote.
"""

from dataclasses import dataclass
from enum import StrEnum
from sqlite3 import Connection, Row
from typing import Final


@dataclass(frozen=True, slots=True)
class Interval:
    """A stretch of time; the end does not belong to it."""

    from_us: int
    until_us: int

    def meets(self, from_us: int, until_us: int) -> bool:
        """Whether any moment is in both."""
        return from_us < self.until_us and until_us > self.from_us


class MarkKind(StrEnum):
    """What a mark tells of; each has its own shape, colour and word on the page."""

    ADMITTED = "admitted"
    REFERRED = "referred"
    REFUSED = "refused"
    # Nothing was decided: a scan that is to be repeated, a step at the kiosk, an exit.
    NOTED = "noted"
    SIGNAL = "signal"
    MISSED_SIGNAL = "missed_signal"
    LOG_ENTRY = "log_entry"


@dataclass(frozen=True, slots=True)
class Mark:
    """One moment worth a look.

    `code` is an admission outcome, a cue's code or a log entry's kind. `procedure_code` names the
    procedure that explains a cue's code, and is empty otherwise. `text` is the answer's title or
    what the proctor wrote; `person` and `place` are empty where nobody in particular is concerned.
    """

    id: str
    kind: MarkKind
    moment_us: int
    code: str
    procedure_code: str = ""
    text: str = ""
    person: str = ""
    place: str = ""
    corrects: str = ""


@dataclass(frozen=True, slots=True)
class RoomCamera:
    """A view of the room, as people call it."""

    uuid: str
    label: str


def room_cameras(connection: Connection, room_id: int, interval: Interval) -> list[RoomCamera]:
    """The cameras that could have seen the room in the interval, retired ones included."""
    rows = connection.execute(
        "select uuid, label from camera where room_id = ? and coalesce(retired_at_us, ?) > ? order by id",
        (room_id, interval.until_us, interval.from_us),
    )
    return [RoomCamera(row["uuid"], row["label"]) for row in rows]


def rooms_with_cameras(connection: Connection) -> set[int]:
    """The rooms of which there can be footage."""
    return {row["room_id"] for row in connection.execute("select distinct room_id from camera")}


def marks(connection: Connection, room_id: int, interval: Interval) -> list[Mark]:
    """Everything that happened in the room or at its kiosk in the interval, oldest first."""
    found = [
        *_checkin_marks(connection, room_id, interval),
        *_signal_marks(connection, room_id, interval),
        *_log_marks(connection, room_id, interval),
    ]
    return sorted(found, key=lambda mark: (mark.moment_us, mark.id))


# A kiosk that worked without the server delivers later than it scanned; its moment is corrected by its
# measured offset. Of older attempts without one the earlier of both moments is nearer the truth.
_MOMENT: Final = "coalesce(came.corrected_at_us, min(attempt.scanned_at_us, attempt.received_at_us))"
_CHECKINS: Final = f"""
select attempt.id, {_MOMENT} as moment_us, attempt.outcome,
       json_extract(attempt.answer, '$.title') as title,
       json_extract(attempt.answer, '$.kind') as answer_kind, admission.id as admission_id,
       candidate.name as person, place.label as place
  from checkin_attempt attempt
  join kiosk on kiosk.id = attempt.kiosk_id
  left join checkin_circumstance came on came.attempt_id = attempt.id
  left join candidate on candidate.id = attempt.candidate_id
  left join admission on admission.attempt_id = attempt.id
  left join seating on seating.session_id = attempt.session_id and seating.candidate_id = attempt.candidate_id
  left join place on place.id = coalesce(admission.place_id, seating.place_id)
 where attempt.received_at_us >= :from_us and {_MOMENT} >= :from_us and {_MOMENT} < :until_us
   and (place.room_id = :room_id or kiosk.room_id = :room_id)
"""  # noqa: S608 - both parts are constants of this module

_SIGNALS: Final = """
select announcement.id, coalesce(emitted_at_us, planned_at_us) as moment_us, cue_code, outcome, procedure_code
  from announcement join session on session.id = announcement.session_id
 where room_id = :room_id and coalesce(emitted_at_us, planned_at_us) >= :from_us
   and coalesce(emitted_at_us, planned_at_us) < :until_us
"""

_LOG_ENTRIES: Final = """
select log_entry.id, happened_at_us, log_entry.kind, text, corrects_id,
       candidate.name as person, place.label as place
  from log_entry
  left join candidate on candidate.id = log_entry.candidate_id
  left join seating on seating.session_id = log_entry.session_id
                   and seating.candidate_id = log_entry.candidate_id
  left join place on place.id = seating.place_id
 where log_entry.room_id = :room_id and happened_at_us >= :from_us and happened_at_us < :until_us
"""


def _rows(connection: Connection, question: str, room_id: int, interval: Interval) -> list[Row]:
    facts = {"room_id": room_id, "from_us": interval.from_us, "until_us": interval.until_us}
    return connection.execute(question, facts).fetchall()


def _checkin_marks(connection: Connection, room_id: int, interval: Interval) -> list[Mark]:
    return [
        Mark(
            id=f"checkin-{row['id']}",
            kind=_checkin_kind(row),
            moment_us=row["moment_us"],
            code=row["outcome"],
            text=row["title"] or "",
            person=row["person"] or "",
            place=row["place"] or "",
        )
        for row in _rows(connection, _CHECKINS, room_id, interval)
    ]


def _checkin_kind(row: Row) -> MarkKind:
    if row["admission_id"] is not None:
        return MarkKind.ADMITTED
    return {"H": MarkKind.REFERRED, "R": MarkKind.REFUSED}.get(row["answer_kind"], MarkKind.NOTED)


def _signal_marks(connection: Connection, room_id: int, interval: Interval) -> list[Mark]:
    return [
        Mark(
            id=f"signal-{row['id']}",
            kind=MarkKind.SIGNAL if row["outcome"] == "emitted" else MarkKind.MISSED_SIGNAL,
            moment_us=row["moment_us"],
            code=row["cue_code"],
            procedure_code=row["procedure_code"],
        )
        for row in _rows(connection, _SIGNALS, room_id, interval)
    ]


def _log_marks(connection: Connection, room_id: int, interval: Interval) -> list[Mark]:
    return [
        Mark(
            id=f"log-{row['id']}",
            kind=MarkKind.LOG_ENTRY,
            moment_us=row["happened_at_us"],
            code=row["kind"],
            text=row["text"],
            person=row["person"] or "",
            place=row["place"] or "",
            corrects=f"log-{row['corrects_id']}" if row["corrects_id"] else "",
        )
        for row in _rows(connection, _LOG_ENTRIES, room_id, interval)
    ]
