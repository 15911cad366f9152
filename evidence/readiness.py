"""The signed sheet of what is ready and what is open (考前核对单), and what people found of the printer.

Rows with a leaf each, never changed. What the lines say is put together by the console.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from sqlite3 import Connection, Row
from typing import Final

from evidence.ledger import LeafKind, append, salted_digest
from exam.readiness import LineState, ReadinessLine, Topic, open_lines

_SHEETS: Final = (
    "select readiness_sheet.*, display_name from readiness_sheet join account on account.id = account_id"
)


class Printed(StrEnum):
    """What came out of the printer."""

    PRINTED = "printed"
    NOT_PRINTED = "not_printed"


@dataclass(frozen=True, slots=True)
class PrinterCheck:
    """The last word of a person about the printer; `by` is the person's name."""

    id: int
    outcome: Printed
    by: str
    checked_at_us: int
    account_id: int


@dataclass(frozen=True, slots=True)
class NewSheet:
    """A sheet that somebody signs. `exam_day` as 2026-11-22; `note` is needed where a line is open."""

    exam_day: str
    lines: Sequence[ReadinessLine]
    note: str
    account_id: int


@dataclass(frozen=True, slots=True)
class KeptSheet:
    """A sheet on record; `sha256` is of `content` in UTF-8, in hex, as the ledger has it."""

    id: int
    exam_day: str
    content: str
    open_count: int
    note: str
    account_id: int
    by: str
    signed_at_us: int

    @property
    def sha256(self) -> str:
        """The digest that stands in the ledger."""
        return hashlib.sha256(self.content.encode()).hexdigest()

    @property
    def lines(self) -> list[ReadinessLine]:
        """Every line as it was shown."""
        return [
            ReadinessLine(**{**one, "topic": Topic(one["topic"]), "state": LineState(one["state"])})
            for one in json.loads(self.content)["lines"]
        ]


def keep_printer_check(connection: Connection, outcome: Printed, account_id: int, now_us: int) -> int:
    """Keep what the person found, with its leaf; returns its id."""
    row = connection.execute(
        "insert into printer_check (outcome, account_id, checked_at_us) values (?, ?, ?)"
        " returning id as printer_check_id, outcome, account_id, checked_at_us",
        (outcome, account_id, now_us),
    ).fetchone()
    append(connection, LeafKind.PRINTER_CHECK, dict(row), now_us)
    return int(row["printer_check_id"])


def last_printer_check(connection: Connection, since_us: int) -> PrinterCheck | None:
    """The latest word about the printer since that moment; None: nobody looked."""
    row = connection.execute(
        "select printer_check.id, outcome, display_name, checked_at_us, account_id from printer_check"
        " join account on account.id = account_id where checked_at_us >= ?"
        " order by printer_check.id desc limit 1",
        (since_us,),
    ).fetchone()
    return None if row is None else PrinterCheck(row[0], Printed(row["outcome"]), *tuple(row)[2:])


def sign_sheet(connection: Connection, new: NewSheet, now_us: int) -> int:
    """Keep the sheet and its leaf; returns its id."""
    content = sheet_content(new.exam_day, new.lines)
    open_count = len(open_lines(new.lines))
    row = connection.execute(
        "insert into readiness_sheet (exam_day, content, open_count, note, account_id, signed_at_us)"
        " values (?, ?, ?, ?, ?, ?) returning id, salt",
        (new.exam_day, content, open_count, new.note, new.account_id, now_us),
    ).fetchone()
    body = {
        "readiness_sheet_id": row["id"],
        "exam_day": new.exam_day,
        "content_sha256": hashlib.sha256(content.encode()).hexdigest(),
        "open_count": open_count,
        "note_salted_sha256": salted_digest(row["salt"], new.note),
        "account_id": new.account_id,
        "signed_at_us": now_us,
    }
    append(connection, LeafKind.READINESS_SHEET, body, now_us)
    return int(row["id"])


def sheet_content(exam_day: str, lines: Sequence[ReadinessLine]) -> str:
    """The lines as they are kept: canonical JSON."""
    found = {"exam_day": exam_day, "lines": [asdict(one) for one in lines]}
    return json.dumps(found, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def seated_counts(connection: Connection, session_ids: Sequence[int]) -> list[int]:
    """How many people have a place in each room of each of these sessions."""
    marks = ", ".join("?" * len(session_ids))
    rows = connection.execute(
        f"select count(*) from seating join place on place.id = place_id where session_id in ({marks})"  # noqa: S608 - our own marks
        " group by session_id, room_id",
        tuple(session_ids),
    )
    return [row[0] for row in rows]


def sheets_of(connection: Connection, exam_day: str) -> list[KeptSheet]:
    """The sheets signed for that day, the newest first."""
    rows = connection.execute(f"{_SHEETS} where exam_day = ? order by readiness_sheet.id desc", (exam_day,))
    return [_kept(row) for row in rows]


def find_sheet(connection: Connection, sheet_id: int) -> KeptSheet | None:
    """One sheet; None: there is none of this id."""
    row = connection.execute(f"{_SHEETS} where readiness_sheet.id = ?", (sheet_id,)).fetchone()
    return None if row is None else _kept(row)


def _kept(row: Row) -> KeptSheet:
    return KeptSheet(
        id=row["id"],
        exam_day=row["exam_day"],
        content=row["content"],
        open_count=row["open_count"],
        note=row["note"],
        account_id=row["account_id"],
        by=row["display_name"],
        signed_at_us=row["signed_at_us"],
    )
