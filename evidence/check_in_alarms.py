"""Check-in alarms (签到告警): what a person must see about check-in, until somebody says that he has.

Raised in the transaction of the fact they come from. The same trouble of the same person is not raised
again while nobody has seen the first.
"""

import json
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from sqlite3 import Connection, Row
from typing import Final

from evidence.ledger import LeafKind, append, salted_digest
from exam.upload_rules import AlarmKind

_ALARMS: Final = """
select alarm.*, room.label as room_label, room.code as room_code, session.code as session_code,
       candidate.name as candidate_name, candidate.ticket_no, place.label as place_label,
       kiosk.label as kiosk_label, coalesce(came.corrected_at_us, alarm.raised_at_us) as at_us,
       account.display_name as known_by, seen.acknowledged_at_us, seen.note
  from check_in_alarm as alarm
  left join room on room.id = alarm.room_id
  left join session on session.id = alarm.session_id
  left join candidate on candidate.id = alarm.candidate_id
  left join seating on seating.session_id = alarm.session_id and seating.candidate_id = alarm.candidate_id
  left join place on place.id = seating.place_id
  left join kiosk on kiosk.id = alarm.kiosk_id
  left join checkin_circumstance as came on came.attempt_id = alarm.attempt_id
  left join check_in_alarm_acknowledgement as seen on seen.alarm_id = alarm.id
  left join account on account.id = seen.account_id
"""
# Pictures of everybody who was taken for this candidate in this session, so that people can compare.
_PHOTOS: Final = """
select came.photo_sha256 from checkin_attempt as attempt
  join checkin_circumstance as came on came.attempt_id = attempt.id and came.photo_sha256 is not null
 where attempt.id = :attempt
    or :candidate in (attempt.candidate_id, attempt.ticket_candidate_id, attempt.id_number_candidate_id)
       and (attempt.session_id = :session or attempt.session_id is null) order by attempt.id
"""


@dataclass(frozen=True, slots=True)
class Subject:
    """What an alarm came from and whom it concerns; None where unknown or nobody."""

    attempt_id: int | None = None
    act_id: int | None = None
    kiosk_id: int | None = None
    candidate_id: int | None = None
    session_id: int | None = None
    room_id: int | None = None


@dataclass(frozen=True, slots=True)
class RoomAlarm:
    """An alarm as its room must know it; names nobody but by his place."""

    kind: AlarmKind
    room_id: int | None
    place_label: str
    raised_at_us: int


@dataclass(frozen=True, slots=True)
class Seen:
    """Who has seen an alarm, and what he says was done."""

    display_name: str
    at_us: int
    note: str


@dataclass(frozen=True, slots=True)
class CheckInAlarm:
    """One alarm as people read it. Empty texts where nothing is known; `seen` is None while it stands."""

    id: int
    kind: AlarmKind
    subject: Subject
    # When what it tells of happened, by this machine's clock as far as known; and when it was raised.
    at_us: int
    raised_at_us: int
    room_label: str
    session_code: str
    candidate_name: str
    ticket_no: str
    place_label: str
    kiosk_label: str
    # SHA-256 in hex of the photos that were taken of this candidate in this session.
    photos: tuple[str, ...]
    seen: Seen | None


def raise_alarms(
    connection: Connection, kinds: Iterable[AlarmKind], about: Subject, now_us: int
) -> list[int]:
    """Raise each of these about one subject; returns the ids of those that were not standing already."""
    return [
        _insert(connection, kind, about, now_us)
        for kind in dict.fromkeys(kinds)
        if not _stands(connection, kind, about)
    ]


def load_alarms(
    connection: Connection, *, seen: bool | None = False, room_id: int | None = None
) -> list[CheckInAlarm]:
    """Alarms, newest first: those nobody has seen (seen=False), those somebody has (True), or all (None).

    `room_id` asks for one room only.
    """
    rows = connection.execute(
        f"{_ALARMS} where (:room is null or alarm.room_id = :room)"
        " and (:seen is null or (seen.id is not null) = :seen) order by alarm.id desc",
        {"room": room_id, "seen": seen},
    ).fetchall()
    return [_alarm(connection, row) for row in rows]


def standing_places(connection: Connection) -> list[tuple[int | None, int | None]]:
    """Session and room of every alarm that nobody has seen: enough to count them on every page."""
    rows = connection.execute(
        "select session_id, room_id from check_in_alarm as alarm"
        " where not exists (select 1 from check_in_alarm_acknowledgement where alarm_id = alarm.id)"
    )
    return [(row["session_id"], row["room_id"]) for row in rows]


def standing_in(connection: Connection, session_id: int, kinds: Collection[AlarmKind]) -> list[RoomAlarm]:
    """The alarms of these kinds in the rooms of one session that nobody has seen, oldest first."""
    rows = connection.execute(
        "select alarm.kind, alarm.room_id, place.label as place_label, raised_at_us"
        " from check_in_alarm as alarm"
        " left join seating on seating.session_id = alarm.session_id"
        "  and seating.candidate_id = alarm.candidate_id"
        " left join place on place.id = place_id"
        " where alarm.session_id = ? and alarm.kind in (select value from json_each(?))"
        " and not exists (select 1 from check_in_alarm_acknowledgement where alarm_id = alarm.id)"
        " order by alarm.id",
        (session_id, json.dumps(sorted(kinds))),
    )
    return [RoomAlarm(AlarmKind(row[0]), row[1], row[2] or "", row[3]) for row in rows]


def acknowledge(connection: Connection, alarm_id: int, account_id: int, note: str, now_us: int) -> bool:
    """Keep that this person has seen the alarm. False when somebody had before, or there is no such alarm."""
    row = connection.execute(
        "insert into check_in_alarm_acknowledgement (alarm_id, note, account_id, acknowledged_at_us)"
        " select id, ?, ?, ? from check_in_alarm where id = ? on conflict do nothing"
        " returning id as check_in_alarm_acknowledgement_id, alarm_id, note, salt, account_id,"
        " acknowledged_at_us",
        (note.strip(), account_id, now_us, alarm_id),
    ).fetchone()
    if row is None:
        return False
    fact = dict(row)
    digest = salted_digest(fact.pop("salt"), fact.pop("note"))
    body = {**fact, "note_salted_sha256": digest}
    append(connection, LeafKind.CHECK_IN_ALARM_ACKNOWLEDGED, body, now_us)
    return True


def _stands(connection: Connection, kind: AlarmKind, about: Subject) -> bool:
    row = connection.execute(
        "select 1 from check_in_alarm as alarm where kind = ? and candidate_id is ? and session_id is ?"
        " and room_id is ? and (candidate_id is not null or attempt_id is ?)"
        " and (kiosk_id is ? or candidate_id is not null)"
        " and not exists (select 1 from check_in_alarm_acknowledgement where alarm_id = alarm.id)",
        (
            kind,
            about.candidate_id,
            about.session_id,
            about.room_id,
            about.attempt_id,
            about.kiosk_id,
        ),
    ).fetchone()
    return row is not None


def _insert(connection: Connection, kind: AlarmKind, about: Subject, now_us: int) -> int:
    row = connection.execute(
        "insert into check_in_alarm (kind, attempt_id, act_id, kiosk_id, candidate_id, session_id, room_id,"
        " raised_at_us) values (?, ?, ?, ?, ?, ?, ?, ?) returning id as check_in_alarm_id, kind, attempt_id,"
        " act_id, kiosk_id, candidate_id, session_id, room_id, raised_at_us",
        (
            kind,
            about.attempt_id,
            about.act_id,
            about.kiosk_id,
            about.candidate_id,
            about.session_id,
            about.room_id,
            now_us,
        ),
    ).fetchone()
    append(connection, LeafKind.CHECK_IN_ALARM, dict(row), now_us)
    return int(row["check_in_alarm_id"])


def _alarm(connection: Connection, row: Row) -> CheckInAlarm:
    photos = connection.execute(
        _PHOTOS,
        {"attempt": row["attempt_id"], "candidate": row["candidate_id"], "session": row["session_id"]},
    ).fetchall()
    seen = row["acknowledged_at_us"]
    return CheckInAlarm(
        id=row["id"],
        kind=AlarmKind(row["kind"]),
        subject=Subject(
            row["attempt_id"],
            row["act_id"],
            row["kiosk_id"],
            row["candidate_id"],
            row["session_id"],
            row["room_id"],
        ),
        at_us=row["at_us"],
        raised_at_us=row["raised_at_us"],
        room_label=row["room_label"] or "",
        session_code=row["session_code"] or "",
        candidate_name=row["candidate_name"] or "",
        ticket_no=row["ticket_no"] or "",
        place_label=row["place_label"] or "",
        kiosk_label=row["kiosk_label"] or "",
        photos=tuple(dict.fromkeys(one["photo_sha256"] for one in photos)),
        seen=None if seen is None else Seen(row["known_by"], seen, row["note"]),
    )
