"""Rows of what staff do about check-in, with their leaves."""

import json
from collections.abc import Mapping
from sqlite3 import Connection, Row
from typing import Final

from evidence.act_facts import NewAct
from evidence.check_in_rows import Lane
from evidence.ledger import LeafKind, append, salted_digest

# What people wrote, and what was told: the leaf commits to them without holding them.
_SALTED: Final = ("reason", "approval_no", "answer")


def is_same_act(row: Row, new: NewAct) -> bool:
    """Whether this row is what is asked for now, about the same person, attempt, place and reason.

    At a kiosk all of that is signed; on the console a person whom the attempt names is not compared again.
    """
    asked = (new.act, new.lane, new.kiosk_id, new.place_id, new.room_id, new.subject_nonce)
    kept = tuple(row[name] for name in ("act", "lane", "kiosk_id", "place_id", "room_id", "subject_nonce"))
    words = (new.reason.strip(), new.approval_no, signed_text(new))
    if asked != kept or words != (row["reason"], row["approval_no"], row["subject"]):
        return False
    if new.subject_attempt_id is not None:
        return bool(row["subject_attempt_id"] == new.subject_attempt_id)
    is_signed = new.lane is Lane.STAFF_AT_KIOSK
    return is_signed or all(
        told in {None, row[name]}
        for name, told in (("session_id", new.session_id), ("candidate_id", new.candidate_id))
    )


def signed_text(new: NewAct) -> str:
    """What of the act was signed, as it is kept."""
    return json.dumps(dict(new.signed_subject), ensure_ascii=False, sort_keys=True)


def insert_act(connection: Connection, values: Mapping[str, int | str | None], now_us: int) -> int:
    """Write the act down with its leaf; returns its id."""
    names, marks = ", ".join(values), ", ".join("?" * len(values))
    row = connection.execute(
        f"insert into check_in_act ({names}) values ({marks}) returning *",  # noqa: S608 - our own names
        tuple(values.values()),
    ).fetchone()
    fact = dict(row)
    salt = fact.pop("salt")
    digests = {f"{name}_salted_sha256": salted_digest(salt, fact.pop(name)) for name in _SALTED}
    signed = {f"{name}_sha256": salted_digest(b"", fact.pop(name)) for name in ("subject", "signatures")}
    body = {"check_in_act_id": fact.pop("id"), **fact, **digests, **signed}
    append(connection, LeafKind.CHECK_IN_ACT, body, now_us)
    return int(row["id"])
