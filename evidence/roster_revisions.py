"""Which revision of its roster package each kiosk should hold: a new number only when the content changed.

The number stands with every attempt a kiosk judged alone, so years later it can be told what it knew. What
is kept is a keyed digest of the content: enough to see that something changed, not what.
"""

import json
from hashlib import sha256
from sqlite3 import Connection
from typing import Final

from evidence.kiosks import Kiosk
from evidence.ledger import LeafKind, append
from evidence.roster_boxes import canonical
from evidence.roster_content import RosterContent, days_of
from evidence.roster_package import Revision
from evidence.vault import Vault

# Everything small that a package depends on; candidates and seats are counted by triggers instead.
_SMALL: Final = (
    "select changes from roster_counter",
    "select id, planned_start_us, batch_id from session order by id",
    "select id, closed_at_us from batch order by id",
    "select id, room_id, label, kind from place order by id",
    "select staff_id, session_id, room_id from duty order by id",
    "select max(id) from staff_pin",
    "select max(id) from ticket_voiding",
    "select max(id) from room_move",
    "select max(id) from ticket_reissue",
    "select id, disabled_at_us, staff_id from account order by id",
    "select account_id, role from account_role order by account_id, role",
    "select id, room_id, revoked_at_us from kiosk order by id",
    "select kiosk_id, room_id from kiosk_room order by kiosk_id, room_id",
    "select kiosk_id, session_id from kiosk_session order by kiosk_id, session_id",
)


def fingerprint(connection: Connection, now_us: int) -> bytes:
    """Changes whenever any package may have changed; costs a few milliseconds however long the roster is."""
    seen = sha256(repr(days_of(now_us)).encode())
    for question in _SMALL:
        rows = [list(row) for row in connection.execute(question)]
        seen.update(json.dumps(rows).encode())
    return seen.digest()


def current_revision(connection: Connection, kiosk_id: int) -> Revision | None:
    """The revision that the kiosk should hold; None before its first."""
    row = connection.execute(
        "select revision, made_at_us from roster_revision where kiosk_id = ? order by id desc limit 1",
        (kiosk_id,),
    ).fetchone()
    return None if row is None else Revision(row["revision"], row["made_at_us"])


def is_current(connection: Connection, vault: Vault, kiosk: Kiosk, content: RosterContent) -> bool:
    """Whether the kiosk's present revision says just this."""
    row = connection.execute(
        "select digest from roster_revision where kiosk_id = ? order by id desc limit 1", (kiosk.id,)
    ).fetchone()
    return row is not None and row["digest"] == _digest(vault, content)


def note_content(
    connection: Connection, vault: Vault, kiosk: Kiosk, content: RosterContent, now_us: int
) -> Revision:
    """The revision of this content: the present one while it says the same, else the next."""
    before = current_revision(connection, kiosk.id)
    if before is not None and is_current(connection, vault, kiosk, content):
        return before
    number = 1 if before is None else before.number + 1
    digest = _digest(vault, content)
    row = connection.execute(
        "insert into roster_revision (kiosk_id, revision, digest, candidates, made_at_us)"
        " values (?, ?, ?, ?, ?) returning id",
        (kiosk.id, number, digest, len(content.people), now_us),
    ).fetchone()
    body = {
        "roster_revision_id": row["id"],
        "kiosk_id": kiosk.id,
        "kiosk_uuid": kiosk.uuid,
        "revision": number,
        "digest": digest.hex(),
        "candidates": len(content.people),
        "made_at_us": now_us,
    }
    append(connection, LeafKind.ROSTER_REVISION, body, now_us)
    return Revision(number, now_us)


def _digest(vault: Vault, content: RosterContent) -> bytes:
    return vault.index("roster revision/" + canonical(content.to_value()).decode())
