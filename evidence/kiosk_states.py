"""What each kiosk last said about itself: one row, rewritten by every heartbeat. A state, no record."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from sqlite3 import Connection, Row

from exam.kiosk_health import Beat, Part, PartState, is_off


@dataclass(frozen=True, slots=True)
class Report:
    """One heartbeat as a kiosk sends it. `sent_at_us` is by its own clock."""

    sent_at_us: int
    queue_length: int
    needs_human: int
    roster_revision: int | None
    disk_free_bytes: int
    is_out_of_service: bool
    parts: Mapping[Part, PartState] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)
    boot_id: str = ""
    # PINs that are locked there after too many wrong tries.
    locked_pins: Sequence[int] = ()


def keep_report(
    connection: Connection, kiosk_id: int, report: Report, current_revision: int | None, now_us: int
) -> None:
    """Keep what the kiosk said; since when its clock is off and its roster behind goes on from before."""
    before = load_beat(connection, kiosk_id)
    offset_us = report.sent_at_us - now_us
    is_behind = report.roster_revision != current_revision
    connection.execute(
        "insert or replace into kiosk_state (kiosk_id, heard_at_us, offset_us, offset_since_us, queue_length,"
        " needs_human, roster_revision, behind_since_us, disk_free_bytes, parts, versions,"
        " is_out_of_service, boot_id, locked_pins)"
        " values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            kiosk_id,
            now_us,
            offset_us,
            _since(before.offset_since_us if before else None, now_us) if is_off(offset_us) else None,
            report.queue_length,
            report.needs_human,
            report.roster_revision,
            _since(before.behind_since_us if before else None, now_us) if is_behind else None,
            report.disk_free_bytes,
            json.dumps(report.parts),
            json.dumps(report.versions, ensure_ascii=False),
            report.is_out_of_service,
            report.boot_id,
            json.dumps(list(report.locked_pins)),
        ),
    )


def load_beat(connection: Connection, kiosk_id: int) -> Beat | None:
    """The kiosk's last heartbeat; None while it has sent none."""
    row = connection.execute("select * from kiosk_state where kiosk_id = ?", (kiosk_id,)).fetchone()
    return None if row is None else _beat(row)


def load_beats(connection: Connection) -> dict[int, Beat]:
    """The last heartbeat of every kiosk that sent one, by the kiosk's id."""
    return {row["kiosk_id"]: _beat(row) for row in connection.execute("select * from kiosk_state")}


def _since(before_us: int | None, now_us: int) -> int:
    return now_us if before_us is None else before_us


def _beat(row: Row) -> Beat:
    parts = json.loads(row["parts"])
    return Beat(
        heard_at_us=row["heard_at_us"],
        offset_us=row["offset_us"],
        offset_since_us=row["offset_since_us"],
        queue_length=row["queue_length"],
        needs_human=row["needs_human"],
        roster_revision=row["roster_revision"],
        behind_since_us=row["behind_since_us"],
        disk_free_bytes=row["disk_free_bytes"],
        is_out_of_service=bool(row["is_out_of_service"]),
        parts={Part(name): PartState(state) for name, state in parts.items()},
        versions=json.loads(row["versions"]),
        boot_id=row["boot_id"],
        locked_pins=tuple(json.loads(row["locked_pins"])),
    )
