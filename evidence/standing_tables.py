"""Tables that are changed in place, and what their rows add up to in the ledger.

A fact that is only added has its own leaf. The plan of the day, who sits where, the people and the accounts
are changed as the day goes on: for each of these tables the ledger knows the sum of the salted digests of all
its rows. The one connection that writes notes the rows it adds, changes and takes away, and corrects the sum
in the same transaction. Whoever changes a row by another way leaves the sum as it was: it never fits again.
"""

import hashlib
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from sqlite3 import Connection
from typing import Final

from evidence.ledger import LeafKind, append, salted_digest

# Each table and its columns; `x:` before one of bytes. Columns that say what is going on are left out. Who
# changes this list adds a schema step: after one, every sum is taken anew.
STANDING: Final[Mapping[str, str]] = {
    "site": "id uuid code name address created_at_us",
    "room": "id code label kind directions",
    "place": "id room_id kind label grid_row grid_col",
    "camera": "id uuid room_id label address username x:password_cipher retired_at_us added_at_us",
    "staff": "id name badge_no",
    "batch": "id code name occupation level ticket_form closed_at_us",
    "session": "id batch_id code kind subject procedure_code planned_start_us duration_us armed_at_us"
    " armed_by cancelled_at_us",
    "session_room": "session_id room_id",
    "duty": "id staff_id session_id room_id role",
    "candidate": "id batch_id name document_type x:id_number_cipher x:id_number_index id_number_tail"
    " ticket_no employer blocked_reason",
    "seating": "id session_id candidate_id place_id",
    "kiosk": "id uuid label room_id x:token_sha256 enrolled_at_us revoked_at_us x:public_key hardware"
    " x:next_token_sha256 roll_wanted_at_us",
    "kiosk_room": "kiosk_id room_id",
    "kiosk_session": "kiosk_id session_id",
    "speaker": "id uuid label serves_all x:invitation_sha256 invited_until_us x:token_sha256 enrolled_at_us"
    " revoked_at_us",
    "speaker_room": "speaker_id room_id",
    "account": "id staff_id login_name display_name password_hash created_at_us disabled_at_us",
    "account_role": "account_id role",
    "export_request": "work_order_id organisation requested_by second_person",
}
_MODULUS: Final = 1 << 256
SALT_BYTES: Final = 16
_LATEST: Final = "select row_count, sum from table_digest where table_name = ? order by id desc limit 1"


@dataclass(frozen=True, slots=True)
class Sum:
    """How many rows a table has, and what they add up to."""

    rows: int = 0
    value: int = 0

    def changed(self, sign: int, digest: int) -> "Sum":
        """With one row more (1), or less (-1)."""
        return Sum(self.rows + sign, (self.value + sign * digest) % _MODULUS)

    @property
    def text(self) -> str:
        """As it is kept."""
        return f"{self.value:064x}"


def watch(connection: Connection) -> None:
    """Let the writing connection note every row that it changes; ends with the connection."""
    connection.execute("create temp table standing_change (table_name text, sign integer, line text)")
    for table, columns in STANDING.items():
        gone, made = ("-1", _line(columns, "old.")), ("1", _line(columns, "new."))
        for act, notes in {"insert": [made], "delete": [gone], "update": [gone, made]}.items():
            values = ", ".join(f"('{table}', {sign}, {line})" for sign, line in notes)
            connection.execute(
                f"create temp trigger standing_{table}_{act} after {act} on main.{table} begin"  # noqa: S608 - our own names
                f" insert into standing_change values {values}; end"
            )


def record_anew(connection: Connection, now_us: int) -> None:
    """Take every sum as the table is: after a schema step, which may have changed rows by itself."""
    salt = site_salt(connection)
    for table in STANDING:
        found = add_up(connection, table, salt)
        if found != (latest_sum(connection, table) or Sum()):
            _record(connection, table, (found, salt), now_us)


def record_changed(connection: Connection, now_us: int) -> None:
    """Keep the new sums of what this transaction has changed, before it is committed."""
    changes = connection.execute("select table_name, sign, line from standing_change").fetchall()
    if not changes:
        return
    salt = site_salt(connection)
    before = {table: latest_sum(connection, table) or Sum() for table in {row[0] for row in changes}}
    after = dict(before)
    for table, sign, line in changes:
        after[table] = after[table].changed(sign, _digest(salt, table, line))
    for table in sorted(after):
        if after[table] != before[table]:
            _record(connection, table, (after[table], salt), now_us)
    connection.execute("delete from standing_change")


def has_sums(connection: Connection) -> bool:
    """Whether the ledger knows any sum yet."""
    return connection.execute("select 1 from table_digest limit 1").fetchone() is not None


def changed_behind(connection: Connection) -> list[str]:
    """The tables whose rows do not add up to what the ledger last knew."""
    salt = site_salt(connection)
    return [
        table
        for table in STANDING
        if add_up(connection, table, salt) != (latest_sum(connection, table) or Sum())
    ]


def latest_sum(connection: Connection, table: str) -> Sum | None:
    """What the rows of a table should add up to; None when nobody has said so yet."""
    row = connection.execute(_LATEST, (table,)).fetchone()
    return None if row is None else Sum(row["row_count"], int(row["sum"], 16))


def add_up(connection: Connection, table: str, salt: bytes) -> Sum:
    """What the rows of a table add up to now."""
    lines = connection.execute(f"select {_line(STANDING[table])} from {table}")  # noqa: S608 - our own names
    return _total(_digest(salt, table, line) for (line,) in lines)


def site_salt(connection: Connection) -> bytes:
    """The salt of all these sums: that of the first, or a new one."""
    row = connection.execute("select salt from table_digest order by id limit 1").fetchone()
    return os.urandom(SALT_BYTES) if row is None else bytes(row["salt"])


def _total(digests: Iterable[int]) -> Sum:
    found = Sum()
    for digest in digests:
        found = found.changed(1, digest)
    return found


def _record(connection: Connection, table: str, new: tuple[Sum, bytes], now_us: int) -> None:
    found, salt = new
    row = connection.execute(
        "insert into table_digest (table_name, row_count, sum, salt, recorded_at_us) values (?, ?, ?, ?, ?)"
        " returning id",
        (table, found.rows, found.text, salt, now_us),
    ).fetchone()
    body: dict[str, int | str] = {
        "table_digest_id": row["id"],
        "table_name": table,
        "row_count": found.rows,
        "sum_salted_sha256": salted_digest(salt, found.text),
    }
    append(connection, LeafKind.TABLE_DIGEST, body, now_us)


def _digest(salt: bytes, table: str, line: str) -> int:
    return int.from_bytes(hashlib.sha256(salt + f"{table} {line}".encode()).digest())


def _line(columns: str, row: str = "") -> str:
    """A row as one text, by SQL."""
    names = columns.split()
    parts = [f"hex({row}{name[2:]})" if name.startswith("x:") else f"{row}{name}" for name in names]
    return f"json_array({', '.join(parts)})"
