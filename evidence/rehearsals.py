"""Rehearsals of exam days on record: a row with a leaf each, never changed."""

import hashlib
import json
from dataclasses import asdict, dataclass
from sqlite3 import Connection, Row
from typing import Final

from evidence.ledger import LeafKind, append
from exam.rehearsal import Became, Rehearsed, RehearsedSignal

_KEPT: Final = "select rehearsal.*, display_name from rehearsal join account on account.id = account_id"


@dataclass(frozen=True, slots=True)
class KeptRehearsal:
    """A rehearsal on record; `by` is the name of who ran it."""

    id: int
    rehearsed: Rehearsed
    by: str


def keep_rehearsal(connection: Connection, rehearsed: Rehearsed, account_id: int) -> int:
    """Keep it with its leaf; returns its id."""
    content = rehearsal_content(rehearsed)
    open_count = sum(not one.had_turn for one in rehearsed.signals)
    counts = (len(rehearsed.signals) - open_count, len(rehearsed.failed), open_count)
    row = connection.execute(
        "insert into rehearsal (exam_day, content, signal_count, failed_count, open_count, account_id,"
        " began_at_us, ended_at_us) values (?, ?, ?, ?, ?, ?, ?, ?)"
        " returning id as rehearsal_id, exam_day, signal_count, failed_count, open_count, account_id,"
        " began_at_us, ended_at_us",
        (rehearsed.exam_day, content, *counts, account_id, rehearsed.began_at_us, rehearsed.ended_at_us),
    ).fetchone()
    body = {**dict(row), "content_sha256": hashlib.sha256(content.encode()).hexdigest()}
    append(connection, LeafKind.REHEARSAL, body, rehearsed.ended_at_us)
    return int(row["rehearsal_id"])


def rehearsal_content(rehearsed: Rehearsed) -> str:
    """The signals as they are kept: canonical JSON."""
    found = [asdict(one) for one in rehearsed.signals]
    return json.dumps(found, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def rehearsals_of(connection: Connection, exam_day: str) -> list[KeptRehearsal]:
    """The rehearsals of that day, the newest first."""
    rows = connection.execute(f"{_KEPT} where exam_day = ? order by rehearsal.id desc", (exam_day,))
    return [_kept(row) for row in rows]


def find_rehearsal(connection: Connection, rehearsal_id: int) -> KeptRehearsal | None:
    """One rehearsal; None: there is none of this id."""
    row = connection.execute(f"{_KEPT} where rehearsal.id = ?", (rehearsal_id,)).fetchone()
    return None if row is None else _kept(row)


def _kept(row: Row) -> KeptRehearsal:
    signals = [
        RehearsedSignal(**{**one, "became": Became(one["became"])}) for one in json.loads(row["content"])
    ]
    rehearsed = Rehearsed(row["exam_day"], row["began_at_us"], row["ended_at_us"], tuple(signals))
    return KeptRehearsal(row["id"], rehearsed, row["display_name"])
