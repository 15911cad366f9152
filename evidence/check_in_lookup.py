"""Finding a candidate by what staff can read: a seat, the end of a ticket or of a document number (R7).

Numbers of documents are under the site key: those with the same last four characters are opened and
compared here, and no number leaves this module.
"""

import json
from collections.abc import Collection
from dataclasses import dataclass
from sqlite3 import Connection
from typing import Final

from evidence.roster import ID_NUMBER
from evidence.vault import Vault
from exam.day import RoomKind
from exam.identity import masked_name, normalise, tail
from exam.tickets import normalise_ticket

# As many as staff are used to: the last five of a ticket, the last six of a document (Sichuan, 2015).
TICKET_TAIL: Final = 5
DOCUMENT_TAIL: Final = 6
MOST: Final = 40

_SEATED: Final = """
select seating.session_id, seating.candidate_id, candidate.name, id_number_tail, id_number_cipher,
       place.label as place_label, place.room_id, session.code as session_code,
       upper(place.label) = :ticket
       or length(:ticket) >= :ticket_tail and substr(ticket_no, -length(:ticket)) = :ticket as is_said
  from seating
  join candidate on candidate.id = seating.candidate_id
  join place on place.id = seating.place_id
  join session on session.id = seating.session_id
 where seating.session_id in (select value from json_each(:sessions)) and (is_said or id_number_tail = :tail)
 order by session.planned_start_us, place.room_id, grid_row, grid_col
"""
_FREE: Final = """
select place.id, place.label, place.room_id, room.label as room_label, room.kind as room_kind,
       exists (select 1 from session_room where session_id = :session and session_room.room_id = room.id)
       as is_in_session
  from place join room on room.id = place.room_id
 where (is_in_session or room.kind = 'contingency_hall')
   and not exists (select 1 from seating where session_id = :session and place_id = place.id)
   and not exists (select 1 from admission where session_id = :session and place_id = place.id
                    and voided_at_us is null)
 order by room.id, grid_row, grid_col
"""


@dataclass(frozen=True, slots=True)
class Match:
    """A candidate whom the words fit, and where he belongs."""

    session_id: int
    candidate_id: int
    masked_name: str
    id_tail: str
    session_code: str
    room_id: int
    place_label: str


@dataclass(frozen=True, slots=True)
class FreePlace:
    """A place of the session, or of an emergency room, on which nobody sits or is expected."""

    id: int
    label: str
    room_id: int
    room_label: str
    room_kind: RoomKind
    is_in_session: bool


def find_candidates(
    connection: Connection, vault: Vault, session_ids: Collection[int], words: str
) -> list[Match]:
    """Everybody of these sessions with that seat, end of the ticket, or end of the document's number.

    At most MOST. Raises VaultError for a number under another key.
    """
    ticket, number = normalise_ticket(words), normalise(words)
    rows = connection.execute(
        _SEATED,
        {
            "sessions": json.dumps(sorted(session_ids)),
            "ticket": ticket,
            "ticket_tail": TICKET_TAIL,
            "tail": tail(number) if len(number) >= DOCUMENT_TAIL else None,
        },
    )
    found = [
        Match(
            session_id=row["session_id"],
            candidate_id=row["candidate_id"],
            masked_name=masked_name(row["name"]),
            id_tail=row["id_number_tail"],
            session_code=row["session_code"],
            room_id=row["room_id"],
            place_label=row["place_label"],
        )
        for row in rows
        if row["is_said"] or vault.decrypt(row["id_number_cipher"], ID_NUMBER).endswith(number)
    ]
    return found[:MOST]


def free_places(connection: Connection, session_id: int) -> list[FreePlace]:
    """Where somebody of this session may be seated: its own rooms, and emergency rooms (R21)."""
    return [
        FreePlace(
            row["id"],
            row["label"],
            row["room_id"],
            row["room_label"],
            RoomKind(row["room_kind"]),
            bool(row["is_in_session"]),
        )
        for row in connection.execute(_FREE, {"session": session_id})
    ]
