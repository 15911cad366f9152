"""What staff did at a kiosk that worked alone, on its way to the console (人工签到，待上传).

Order: `keep` before the candidate is let in; then `delivered` once the console has it on record, or
`set_aside` for a person. Nothing is ever deleted. What was signed is sealed with the outbox key.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from sqlite3 import Connection
from typing import Any, Final

from evidence.database import WriterDatabase
from evidence.roster_boxes import WrongKeyError, seal, unseal

SEALED_AS: Final = "outbox act"


@dataclass(frozen=True, slots=True)
class LetIn:
    """Whom this kiosk let in alone, and when by the console's clock."""

    candidate_id: int
    session_id: int
    place_id: int
    at_us: int


@dataclass(frozen=True, slots=True)
class WaitingAct:
    """An act that the console must hear of. `body` is None when the key does not open it."""

    nonce: str
    body: dict[str, Any] | None


class ActBox:
    """The acts in kiosk.db. Safe for several threads."""

    def __init__(self, database: WriterDatabase, key: bytes) -> None:
        self._database, self._key = database, key

    def keep(
        self, body: Mapping[str, Any], said: Callable[[int], Mapping[str, Any]], outcome: str, let_in: LetIn
    ) -> None:
        """Keep an act, durable when this returns, with what is `said` of its sequence. The same one once.

        Call it before the candidate is let in.
        """
        nonce: str = body["nonce"]
        with self._database.write() as connection:
            sequence = connection.execute("select coalesce(max(id), 0) + 1 from staff_act").fetchone()[0]
            whole = {**body, "kiosk": dict(said(sequence))}
            connection.execute(
                "insert into staff_act (id, nonce, happened_at_us, sealed_body, outcome, candidate_id,"
                " session_id, place_id, let_in_at_us) values (?, ?, ?, ?, ?, ?, ?, ?, ?)"
                " on conflict (nonce) do nothing",
                (
                    sequence,
                    nonce,
                    body["happened_at_us"],
                    seal(self._key, whole, f"{SEALED_AS}/{nonce}"),
                    outcome,
                    let_in.candidate_id,
                    let_in.session_id,
                    let_in.place_id,
                    let_in.at_us,
                ),
            )

    def waiting(self) -> list[WaitingAct]:
        """What the console must hear of, oldest first."""
        with self._database.read() as connection:
            rows = connection.execute(
                "select nonce, sealed_body from staff_act where state = 'waiting' order by id"
            ).fetchall()
        return [WaitingAct(row["nonce"], self._opened(row["nonce"], row["sealed_body"])) for row in rows]

    def delivered(self, nonce: str, now_us: int) -> None:
        """The console has it on record; what was sealed is not needed any more."""
        with self._database.write() as connection:
            mark_delivered(connection, "staff_act", nonce, now_us)

    def set_aside(self, nonce: str, problem: str) -> None:
        """A person must look: the console does not take it. It stays, and nothing waits for it."""
        with self._database.write() as connection:
            mark_aside(connection, "staff_act", nonce, problem)

    def _opened(self, nonce: str, sealed: str) -> dict[str, Any] | None:
        return opened_body(self._key, sealed, f"{SEALED_AS}/{nonce}")


def mark_delivered(connection: Connection, table: str, nonce: str, now_us: int) -> None:
    """A row of `scan` or `staff_act` is on record at the console."""
    connection.execute(
        f"update {table} set state = 'delivered', sealed_body = null, problem = '', delivered_at_us = ?"  # noqa: S608 - our own names
        " where nonce = ?",
        (now_us, nonce),
    )


def mark_aside(connection: Connection, table: str, nonce: str, problem: str) -> None:
    """A person must look at a row of `scan` or `staff_act`."""
    connection.execute(
        f"update {table} set state = 'needs_human', problem = ? where nonce = ?",  # noqa: S608 - our own names
        (problem, nonce),
    )


def opened_body(key: bytes, sealed: str, purpose: str) -> dict[str, Any] | None:
    """What was sealed for this purpose; None: with another key."""
    try:
        body: dict[str, Any] = unseal(key, sealed, purpose)
    except WrongKeyError:
        return None
    return body
