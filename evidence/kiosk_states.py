"""What each kiosk last said about itself: one row, rewritten by every heartbeat. A state, no record."""

import json
from sqlite3 import Connection, Row

from exam.kiosk_health import Beat, Part, PartState, Report, Trouble, reported


def keep_report(
    connection: Connection, kiosk_id: int, report: Report, present_revision: int | None, now_us: int
) -> None:
    """Keep what the kiosk said. Since when each trouble lasts goes on from the last time."""
    before = load_beat(connection, kiosk_id)
    earlier = {} if before is None else before.since
    offset_us = report.sent_at_us - now_us
    since = {one: earlier.get(one, now_us) for one in reported(report, offset_us, present_revision)}
    connection.execute(
        "insert or replace into kiosk_state (kiosk_id, heard_at_us, offset_us, queue_length, needs_human,"
        " roster_revision, since, disk_free_bytes, parts, versions, is_out_of_service, boot_id, locked_pins)"
        " values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            kiosk_id,
            now_us,
            offset_us,
            report.queue_length,
            report.needs_human,
            report.roster_revision,
            json.dumps(since),
            report.disk_free_bytes,
            json.dumps(dict(report.parts)),
            json.dumps(dict(report.versions), ensure_ascii=False),
            report.is_out_of_service,
            report.boot_id,
            json.dumps(report.locked_pins),
        ),
    )


def load_beat(connection: Connection, kiosk_id: int) -> Beat | None:
    """The kiosk's last heartbeat; None while it has sent none."""
    row = connection.execute("select * from kiosk_state where kiosk_id = ?", (kiosk_id,)).fetchone()
    return None if row is None else _beat(row)


def load_beats(connection: Connection) -> dict[int, Beat]:
    """The last heartbeat of every kiosk that sent one, by the kiosk's id."""
    return {row["kiosk_id"]: _beat(row) for row in connection.execute("select * from kiosk_state")}


def _beat(row: Row) -> Beat:
    report = Report(
        sent_at_us=row["heard_at_us"] + row["offset_us"],
        queue_length=row["queue_length"],
        needs_human=row["needs_human"],
        roster_revision=row["roster_revision"],
        disk_free_bytes=row["disk_free_bytes"],
        is_out_of_service=bool(row["is_out_of_service"]),
        parts={Part(name): PartState(state) for name, state in json.loads(row["parts"]).items()},
        versions=json.loads(row["versions"]),
        boot_id=row["boot_id"],
        locked_pins=tuple(json.loads(row["locked_pins"])),
    )
    since = {Trouble(name): at_us for name, at_us in json.loads(row["since"]).items()}
    return Beat(report, row["heard_at_us"], row["offset_us"], since)
