"""The kiosk row that stands for the console, in acts that are made at no kiosk."""

from sqlite3 import Connection
from typing import Final

# The console itself, as the kiosk of acts that are made at none. Its token is nobody's.
CONSOLE_UUID: Final = "c0115013-0000-4000-8000-000000000000"
CONSOLE_LABEL: Final = "控制台（人工）"


def console_kiosk_id(connection: Connection) -> int | None:
    """The kiosk row that stands for the console; None: nothing was done there yet."""
    row = connection.execute("select id from kiosk where uuid = ?", (CONSOLE_UUID,)).fetchone()
    return None if row is None else int(row["id"])


def console_kiosk(connection: Connection, now_us: int) -> int:
    """The same; made when first needed, and shut out from the start."""
    known = console_kiosk_id(connection)
    if known is not None:
        return known
    row = connection.execute(
        "insert into kiosk (uuid, label, token_sha256, enrolled_at_us, revoked_at_us)"
        " values (?, ?, randomblob(32), ?, ?) returning id",
        (CONSOLE_UUID, CONSOLE_LABEL, now_us, now_us),
    ).fetchone()
    return int(row["id"])
