"""The whole site at a glance: who is expected and in, which cameras look where, who sits on which place.

Reads only; what the figures mean for a person is decided by the rules and said by the pages.
"""

from collections import defaultdict
from dataclasses import dataclass
from sqlite3 import Connection, Row
from typing import Any, Final

from evidence.doubt_cases import IS_OPEN
from evidence.seat_checks import IS_CHECKED


@dataclass(frozen=True, slots=True)
class HeadCount:
    """People of one session in one room.

    `referred`: sent to the site lead and not in yet; of two people's documents, the ticket's holder.
    """

    expected: int
    admitted: int
    referred: int
    absent: int


@dataclass(frozen=True, slots=True)
class RoomCamera:
    """A camera in service and the room it looks at."""

    uuid: str
    label: str


@dataclass(frozen=True, slots=True)
class SeatedCandidate:
    """A place of the room, and who should sit there. Candidate fields are None on a free place."""

    place_id: int
    place_label: str
    grid_row: int
    grid_col: int
    candidate_id: int | None
    candidate_name: str | None
    ticket_no: str | None
    admitted_at_us: int | None
    is_recorded_absent: bool
    # A doubt about him is open.
    is_in_doubt: bool


@dataclass(frozen=True, slots=True)
class Attendance:
    """How it stands with one expected candidate at his place.

    `is_referred`: sent to people and not in yet; `is_in_doubt`: a doubt about him is open.
    """

    room_id: int
    place_id: int
    place_label: str
    grid_row: int
    grid_col: int
    candidate_id: int
    candidate_name: str
    admitted_at_us: int | None
    is_absent: bool
    is_referred: bool
    is_in_doubt: bool
    # His documents were looked at again at the seat (13(3)).
    is_checked: bool


@dataclass(frozen=True, slots=True)
class OpenBatch:
    """An assessment round that is not archived."""

    code: str
    name: str


# Entries of the proctor log that stand: not corrected by a later one.
_ABSENT: Final = """
select candidate_id from log_entry
 where session_id = :session and kind = 'absent' and candidate_id is not null
   and id not in (select corrects_id from log_entry where corrects_id is not null)
"""

# Whoever was sent to people, of two people's documents the ticket's holder.
_REFERRED: Final = """
select coalesce(candidate_id, ticket_candidate_id) from checkin_attempt
 where (session_id = :session or session_id is null) and json_extract(answer, '$.kind') = 'H'
   and coalesce(candidate_id, ticket_candidate_id) is not null
"""

_IN_DOUBT: Final = f"""
exists (select 1 from doubt_case where doubt_case.session_id = seating.session_id
         and doubt_case.candidate_id = candidate.id and {IS_OPEN})
"""  # noqa: S608 - a constant

_COUNTS: Final = f"""
select place.room_id as room_id, count(*) as expected,
       count(admission.id) as admitted,
       sum(admission.id is null and seating.candidate_id in ({_REFERRED})) as referred,
       sum(admission.id is null and seating.candidate_id in ({_ABSENT})) as absent
  from seating join place on place.id = seating.place_id
  left join admission on admission.session_id = seating.session_id
       and admission.candidate_id = seating.candidate_id and admission.voided_at_us is null
 where seating.session_id = :session
 group by place.room_id
"""  # noqa: S608 - both parts are constants of this module

_SEATS: Final = f"""
select place.id as place_id, place.label as place_label, grid_row, grid_col,
       candidate.id as candidate_id, candidate.name as candidate_name, candidate.ticket_no,
       admission.admitted_at_us, coalesce(candidate.id in ({_ABSENT}), 0) as is_recorded_absent,
       {_IN_DOUBT} as is_in_doubt
  from place
  left join seating on seating.place_id = place.id and seating.session_id = :session
  left join candidate on candidate.id = seating.candidate_id
  left join admission on admission.session_id = seating.session_id
       and admission.candidate_id = seating.candidate_id and admission.voided_at_us is null
 where place.room_id = :room
 order by grid_row, grid_col
"""  # noqa: S608 - both parts are constants of this module

_ATTENDANCE: Final = f"""
select place.room_id, place.id as place_id, place.label as place_label, grid_row, grid_col,
       candidate.id as candidate_id, candidate.name as candidate_name, admission.admitted_at_us,
       admission.id is null and candidate.id in ({_ABSENT}) as is_absent,
       admission.id is null and candidate.id in ({_REFERRED}) as is_referred, {IS_CHECKED} as is_checked,
       {_IN_DOUBT} as is_in_doubt
  from seating
  join place on place.id = seating.place_id
  join candidate on candidate.id = seating.candidate_id
  left join admission on admission.session_id = seating.session_id
       and admission.candidate_id = seating.candidate_id and admission.voided_at_us is null
 where seating.session_id = :session
 order by place.room_id, grid_row, grid_col
"""  # noqa: S608 - all parts are constants


def site_name(connection: Connection) -> str | None:
    """What the site is called; None while no site plan has been taken in."""
    row = connection.execute("select name from site").fetchone()
    return None if row is None else str(row["name"])


def open_batches(connection: Connection) -> list[OpenBatch]:
    """The batches that rosters can still be taken into, newest first."""
    rows = connection.execute("select code, name from batch where closed_at_us is null order by id desc")
    return [OpenBatch(*row) for row in rows]


def head_counts(connection: Connection, session_id: int) -> dict[int, HeadCount]:
    """How many are expected and in, by room; rooms without seated candidates are left out."""
    rows = connection.execute(_COUNTS, {"session": session_id})
    return {
        row["room_id"]: HeadCount(row["expected"], row["admitted"], row["referred"], row["absent"])
        for row in rows
    }


def attendance(connection: Connection, session_id: int) -> dict[int, list[Attendance]]:
    """Everybody who is expected in the session, by room, front row first."""
    found: dict[int, list[Attendance]] = defaultdict(list)
    for row in connection.execute(_ATTENDANCE, {"session": session_id}):
        fact: dict[str, Any] = dict(row)
        for name in ("is_absent", "is_referred", "is_in_doubt", "is_checked"):
            fact[name] = bool(fact[name])
        found[row["room_id"]].append(Attendance(**fact))
    return dict(found)


def room_cameras(connection: Connection) -> dict[int, list[RoomCamera]]:
    """The cameras in service, by room."""
    found: dict[int, list[RoomCamera]] = defaultdict(list)
    for row in connection.execute(
        "select room_id, uuid, label from camera where retired_at_us is null order by room_id, id"
    ):
        found[row["room_id"]].append(RoomCamera(row["uuid"], row["label"]))
    return dict(found)


def seat_map(connection: Connection, session_id: int, room_id: int) -> list[SeatedCandidate]:
    """Every place of the room, front row first, and who should sit there in this session."""
    rows = connection.execute(_SEATS, {"session": session_id, "room": room_id})
    return [_seated(row) for row in rows]


def _seated(row: Row) -> SeatedCandidate:
    return SeatedCandidate(
        place_id=row["place_id"],
        place_label=row["place_label"],
        grid_row=row["grid_row"],
        grid_col=row["grid_col"],
        candidate_id=row["candidate_id"],
        candidate_name=row["candidate_name"],
        ticket_no=row["ticket_no"],
        admitted_at_us=row["admitted_at_us"],
        is_recorded_absent=bool(row["is_recorded_absent"]),
        is_in_doubt=bool(row["is_in_doubt"]),
    )
