"""The running entries of the proctor log (监考日志), from which the 考场记录单 is made (13(5)).

Entries are never changed or removed: a mistake is corrected by a new entry that names the old one.
A repeated request adds nothing and gets the entry it made before.
"""

from dataclasses import dataclass
from sqlite3 import Connection

from evidence.ledger import LeafKind, append, salted_digest


class LogEntryError(Exception):
    """The entry contradicts the day's facts, such as a candidate of another room."""


@dataclass(frozen=True, slots=True)
class NewEntry:
    """What a proctor notes. `nonce` is made by the tablet before sending."""

    nonce: str
    session_id: int
    room_id: int
    account_id: int
    kind: str
    happened_at_us: int
    text: str = ""
    candidate_id: int | None = None
    corrects_id: int | None = None


@dataclass(frozen=True, slots=True)
class LogEntry:
    """An entry as people read it. `corrected_by_id` names the entry that replaced this one, if any."""

    id: int
    kind: str
    text: str
    happened_at_us: int
    recorded_at_us: int
    author: str
    candidate_name: str | None
    place_label: str | None
    corrects_id: int | None
    corrected_by_id: int | None


def add_entry(connection: Connection, entry: NewEntry, now_us: int) -> int:
    """Keep the entry; returns its id, the same one when the request is repeated.

    Raises LogEntryError when the session does not sit in the room, the candidate does not sit
    there, or the corrected entry is another room's or has been corrected already.
    """
    known = connection.execute("select id from log_entry where nonce = ?", (entry.nonce,)).fetchone()
    if known is not None:
        return int(known["id"])
    _check(connection, entry)
    row = connection.execute(
        "insert into log_entry (nonce, session_id, room_id, happened_at_us, recorded_at_us, account_id, kind,"
        " text, candidate_id, corrects_id) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
        " returning id as log_entry_id, nonce, session_id, room_id, happened_at_us, account_id, kind,"
        " candidate_id, corrects_id, salt, text",
        (
            entry.nonce,
            entry.session_id,
            entry.room_id,
            entry.happened_at_us,
            now_us,
            entry.account_id,
            entry.kind,
            entry.text,
            entry.candidate_id,
            entry.corrects_id,
        ),
    ).fetchone()
    fact = dict(row)
    digest = salted_digest(fact.pop("salt"), fact.pop("text"))
    append(connection, LeafKind.LOG_ENTRY, {**fact, "text_salted_sha256": digest}, now_us)
    return int(row["log_entry_id"])


def load_entries(connection: Connection, session_id: int, room_id: int) -> list[LogEntry]:
    """The log of one room in one session, newest first."""
    rows = connection.execute(
        "select entry.id, entry.kind, entry.text, entry.happened_at_us, entry.recorded_at_us,"
        " account.display_name, candidate.name, place.label, entry.corrects_id,"
        " (select id from log_entry later where later.corrects_id = entry.id)"
        " from log_entry entry"
        " join account on account.id = entry.account_id"
        " left join candidate on candidate.id = entry.candidate_id"
        " left join seating on seating.session_id = entry.session_id"
        "  and seating.candidate_id = entry.candidate_id"
        " left join place on place.id = seating.place_id"
        " where entry.session_id = ? and entry.room_id = ? order by entry.happened_at_us desc, entry.id desc",
        (session_id, room_id),
    )
    return [LogEntry(*row) for row in rows]


def _check(connection: Connection, entry: NewEntry) -> None:
    here = (entry.session_id, entry.room_id)
    if not _exists(connection, "select 1 from session_room where session_id = ? and room_id = ?", here):
        raise LogEntryError("the session does not sit in this room")
    if entry.candidate_id is not None and not _exists(
        connection,
        "select 1 from seating join place on place.id = place_id"
        " where session_id = ? and room_id = ? and candidate_id = ?",
        (*here, entry.candidate_id),
    ):
        raise LogEntryError("the candidate does not sit in this room")
    if entry.corrects_id is not None and not _exists(
        connection,
        "select 1 from log_entry where session_id = ? and room_id = ? and id = ?"
        " and id not in (select corrects_id from log_entry where corrects_id is not null)",
        (*here, entry.corrects_id),
    ):
        raise LogEntryError("the entry to correct is not in this log or has been corrected already")


def _exists(connection: Connection, question: str, parameters: tuple[int, ...]) -> bool:
    return connection.execute(question, parameters).fetchone() is not None
