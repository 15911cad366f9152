"""The plan of an exam day in a database of its own, for a rehearsal: rooms, sessions, accounts, players.

Nothing comes back from there by itself, and no candidate goes there. Sessions get ids of their own, so that
no player takes a rehearsed signal for a real one, or the real one for something that it has played already.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from sqlite3 import Connection, Row
from typing import Any, Final

from exam.clock import SECOND_US

# Ids of rehearsed sessions: further from real ones, and from those of another rehearsal, than sessions go.
_IDS_PER_SECOND: Final = 1000
# Stands before the subject of every rehearsed session, wherever it is shown.
MARK: Final = "演练 · "

# In the order in which rows may refer to one another; what a session has is copied for the day's sessions.
_WHOLE: Final = (
    *("site", "staff", "room", "place", "batch", "account", "account_role"),
    *("speaker", "speaker_room", "own_recording", "own_recording_act"),
)
_OF_SESSIONS: Final = ("session_room", "duty", "room_move", "time_grant")
# Only who is logged in now, so that the pages in the rooms go on.
_LOGINS: Final = "closed_at_us is null"


@dataclass(frozen=True, slots=True)
class SessionIds:
    """How the ids of rehearsed sessions are told from the real ones."""

    added: int

    @classmethod
    def at(cls, now_us: int) -> "SessionIds":
        """Those of a rehearsal that begins now."""
        return cls(now_us // SECOND_US * _IDS_PER_SECOND)


def copy_day(real: Connection, copy: Connection, session_ids: Sequence[int], ids: SessionIds) -> None:
    """Fill an empty exam.db with what these sessions need, as planned now; none of them is armed there.

    Call it inside a transaction of the copy.
    """
    for table in _WHOLE:
        _insert(copy, table, real.execute(f"select * from {table}"))  # noqa: S608 - our own names
    _insert(copy, "login", real.execute(f"select * from login where {_LOGINS}"))  # noqa: S608 - our own words
    marks = ", ".join("?" * len(session_ids))
    rows = real.execute(f"select * from session where id in ({marks})", tuple(session_ids))  # noqa: S608 - our own marks
    _insert(copy, "session", (_rehearsed(dict(row), ids) for row in rows))
    for table in _OF_SESSIONS:
        rows = real.execute(f"select * from {table} where session_id in ({marks})", tuple(session_ids))  # noqa: S608 - our own names
        _insert(copy, table, ({**row, "session_id": row["session_id"] + ids.added} for row in rows))
    of_grants = f"grant_id in (select id from time_grant where session_id in ({marks}))"  # noqa: S608 - as above
    given = real.execute(f"select * from time_grant_withdrawal where {of_grants}", tuple(session_ids))  # noqa: S608 - as above
    _insert(copy, "time_grant_withdrawal", given)


def shift_logins(copy: Connection, by_us: int) -> None:
    """Whoever is logged in stays so while the rehearsal leaves out hours."""
    copy.execute(
        "update login set opened_at_us = opened_at_us + ?1, last_used_at_us = last_used_at_us + ?1", (by_us,)
    )


def _rehearsed(session: dict[str, Any], ids: SessionIds) -> dict[str, Any]:
    """Not armed, and marked on every page and screen in the room."""
    return {
        **session,
        "id": session["id"] + ids.added,
        "subject": MARK + session["subject"],
        "armed_at_us": None,
        "armed_by": None,
    }


def _insert(copy: Connection, table: str, rows: Iterable[Row | dict[str, Any]]) -> None:
    for row in rows:
        values = dict(row)
        names = ", ".join(values)
        marks = ", ".join("?" * len(values))
        copy.execute(f"insert into {table} ({names}) values ({marks})", tuple(values.values()))  # noqa: S608 - our own names
