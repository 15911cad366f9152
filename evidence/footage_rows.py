"""Writing the footage index: every insert and update of footage.db, as functions of one transaction.

Facts that must be provable later (segments, gaps, quarantined files, clock steps) get their ledger leaf here.

Only the recorder calls these. Rows of runs and gaps are completed once (ended); segments never change, but
for their volume (evidence.relocation_rows).
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import PurePath
from sqlite3 import Connection

from evidence.footage import SEAM_US, CameraState, Cause, Origin
from evidence.fragments import ParsedFile, pack
from evidence.ledger import LeafKind, append
from evidence.picture_time import Before, Placement


@dataclass(frozen=True, slots=True)
class NewRun:
    """A connection about to be made."""

    uuid: str
    camera_uuid: str
    boot_id: str
    started_at_us: int
    started_monotonic_us: int


@dataclass(frozen=True, slots=True)
class OpenRun:
    """A run whose end nobody recorded."""

    id: int
    camera_uuid: str
    boot_id: str
    started_at_us: int


@dataclass(frozen=True, slots=True)
class NewSegment:
    """A durable, hashed file about to get its row.

    `hole_cause`: why pictures of its run are missing right before it, if nobody noticed that they are.
    """

    run_id: int
    sequence: int
    camera_uuid: str
    volume_id: int
    path: str
    size_bytes: int
    sha256: bytes
    origin: Origin
    hole_cause: Cause = Cause.UNPLAYABLE


def add_volume(connection: Connection, uuid: str, path: PurePath, now_us: int) -> int:
    """Record a footage folder, or where a known one is mounted now."""
    row = connection.execute(
        "insert into volume (uuid, path, created_at_us) values (?, ?, ?)"
        " on conflict (uuid) do update set path = excluded.path returning id",
        (uuid, str(path), now_us),
    ).fetchone()
    return int(row[0])


def volume_uuid_at(connection: Connection, path: PurePath) -> str | None:
    """The volume last seen in that folder."""
    row = connection.execute(
        "select uuid from volume where path = ? order by id desc limit 1", (str(path),)
    ).fetchone()
    return None if row is None else str(row[0])


def volume_path_of(connection: Connection, uuid: str) -> str | None:
    """The folder where that volume was last seen."""
    row = connection.execute("select path from volume where uuid = ?", (uuid,)).fetchone()
    return None if row is None else str(row[0])


def add_run(connection: Connection, run: NewRun) -> int:
    """Record a run before its first byte; a run already known (adoption) keeps its row."""
    connection.execute(
        "insert into run (uuid, camera_uuid, boot_id, started_at_us, started_monotonic_us)"
        " values (?, ?, ?, ?, ?) on conflict (uuid) do nothing",
        (run.uuid, run.camera_uuid, run.boot_id, run.started_at_us, run.started_monotonic_us),
    )
    return int(connection.execute("select id from run where uuid = ?", (run.uuid,)).fetchone()[0])


def end_run(connection: Connection, run_id: int, ended_at_us: int, cause: Cause) -> None:
    """Record the end of a run; a run already ended keeps its first cause."""
    connection.execute(
        "update run set ended_at_us = ?, end_cause = ? where id = ? and ended_at_us is null",
        (ended_at_us, cause, run_id),
    )


def open_runs(connection: Connection) -> list[OpenRun]:
    """Runs without an end, oldest first."""
    rows = connection.execute(
        "select id, camera_uuid, boot_id, started_at_us from run where ended_at_us is null order by id"
    )
    return [OpenRun(*row) for row in rows]


def segment_before(connection: Connection, run_id: int, sequence: int) -> Before | None:
    """What the segment just before this place in the run taught about time."""
    row = connection.execute(
        "select ended_at_us, camera_offset_us from segment where run_id = ? and sequence = ?",
        (run_id, sequence - 1),
    ).fetchone()
    return None if row is None else Before(row[0], row[1])


def has_segment(connection: Connection, run_id: int, sequence: int) -> bool:
    """Whether this place in the run is taken by a file already."""
    row = connection.execute("select 1 from segment where run_id = ? and sequence = ?", (run_id, sequence))
    return row.fetchone() is not None


def add_segment(
    connection: Connection, new: NewSegment, parsed: ParsedFile, placement: Placement, now_us: int
) -> int:
    """The row that makes a file footage, its fragment map, and the end of the gap before it."""
    _account_for_absence(connection, new, placement, now_us)
    _take_out_of_gaps(connection, new, placement, now_us)
    return insert_segment(connection, new, parsed, placement, now_us)


def insert_segment(
    connection: Connection, new: NewSegment, parsed: ParsedFile, placement: Placement, now_us: int
) -> int:
    """The row and the fragment map alone; whoever calls this accounts for the time around."""
    fragments = pack(placement.fragments)
    row = connection.execute(
        "insert into segment (run_id, sequence, camera_uuid, volume_id, path, started_at_us, ended_at_us,"
        " media_us, clock_source, camera_offset_us, size_bytes, sha256, origin, ingested_at_us)"
        " values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) returning id as segment_id, sequence,"
        " camera_uuid, path, started_at_us, ended_at_us, media_us, clock_source, camera_offset_us,"
        " size_bytes, origin",
        (
            new.run_id,
            new.sequence,
            new.camera_uuid,
            new.volume_id,
            new.path,
            placement.started_at_us,
            placement.ended_at_us,
            parsed.media_us,
            placement.clock_source,
            placement.camera_offset_us,
            new.size_bytes,
            new.sha256,
            new.origin,
            now_us,
        ),
    ).fetchone()
    connection.execute(
        "insert into fragment_map (segment_id, init_bytes, codec, width_px, height_px, fragments, sound,"
        " sound_codec) values (?, ?, ?, ?, ?, ?, ?, ?)",
        (
            *(row[0], parsed.init_bytes, parsed.codec, parsed.width_px, parsed.height_px, fragments),
            *(parsed.sound.kind, parsed.sound.codec),
        ),
    )
    digests = {"sha256": new.sha256.hex(), "fragments_sha256": hashlib.sha256(fragments).hexdigest()}
    append(connection, LeafKind.SEGMENT, {**dict(row), **digests}, now_us)
    return int(row[0])


def _account_for_absence(connection: Connection, new: NewSegment, placement: Placement, now_us: int) -> None:
    """Close the camera's open gap where this footage begins; record a hole nobody had noticed."""
    if _is_run_over(connection, new.run_id) and _continue_absence(
        connection, new.camera_uuid, placement, now_us
    ):
        return
    if end_absence(connection, new.camera_uuid, placement.started_at_us, now_us):
        return
    hole = _hole_before(connection, new)
    if hole is not None and placement.started_at_us - hole[0] > SEAM_US:
        note_absence(connection, new.camera_uuid, *hole, now_us)
        end_absence(connection, new.camera_uuid, placement.started_at_us, now_us)


def _hole_before(connection: Connection, new: NewSegment) -> tuple[int, Cause] | None:
    """Where the camera's latest footage ends, and why nothing would follow until this.

    None when its run was ended, and what followed noted. A run that was never ended is one of a recorder
    that was killed, as in `evidence.adoption.settle_broken_runs`.
    """
    row = connection.execute(
        "select segment.ended_at_us, run.id, end_cause from segment join run on run.id = run_id"
        " where segment.camera_uuid = ? order by segment.started_at_us desc limit 1",
        (new.camera_uuid,),
    ).fetchone()
    if row is None:
        return None
    if row[1] == new.run_id:
        return int(row[0]), new.hole_cause
    return (int(row[0]), Cause.RECORDER_CRASH) if row[2] is None else None


def _is_run_over(connection: Connection, run_id: int) -> bool:
    row = connection.execute("select ended_at_us from run where id = ?", (run_id,)).fetchone()
    return row[0] is not None


def _continue_absence(connection: Connection, camera_uuid: str, placement: Placement, now_us: int) -> bool:
    """Footage that comes late, after its run was over, does not end the gap that follows it."""
    gap = connection.execute(
        "select started_at_us, cause from gap where camera_uuid = ? and ended_at_us is null", (camera_uuid,)
    ).fetchone()
    if gap is None:
        return False
    if placement.ended_at_us > gap[0]:
        end_absence(connection, camera_uuid, placement.started_at_us, now_us)
        note_absence(connection, camera_uuid, placement.ended_at_us, Cause(gap[1]), now_us)
    return True


def _take_out_of_gaps(connection: Connection, new: NewSegment, placement: Placement, now_us: int) -> None:
    """Footage that comes late shrinks or splits the gaps that were closed over it meanwhile.

    Each change is a new leaf that names the gap; the latest leaf of a gap stands.
    """
    rows = connection.execute(
        "select id, started_at_us, ended_at_us, cause from gap"
        " where camera_uuid = ? and ended_at_us >= ? and started_at_us <= ?",
        (new.camera_uuid, placement.started_at_us, placement.ended_at_us),
    ).fetchall()
    # Between two files of one run a little is measurement, not absence.
    seam_before_us = SEAM_US if has_segment(connection, new.run_id, new.sequence - 1) else 0
    seam_after_us = SEAM_US if has_segment(connection, new.run_id, new.sequence + 1) else 0
    for gap_id, started_us, ended_us, cause in rows:
        parts: list[tuple[int, int]] = []
        if placement.started_at_us - started_us > seam_before_us:
            parts.append((started_us, min(ended_us, placement.started_at_us)))
        if ended_us - placement.ended_at_us > seam_after_us:
            parts.append((max(started_us, placement.ended_at_us), ended_us))
        if parts == [(started_us, ended_us)]:
            continue
        first, *others = parts or [(started_us, started_us)]
        connection.execute("update gap set started_at_us = ?, ended_at_us = ? where id = ?", (*first, gap_id))
        changed = [gap_id]
        for other in others:
            added = connection.execute(
                "insert into gap (camera_uuid, cause, started_at_us, ended_at_us) values (?, ?, ?, ?)",
                (new.camera_uuid, cause, *other),
            )
            changed.append(added.lastrowid)
        _append_gaps(connection, changed, now_us)


def add_past_gap(
    connection: Connection, camera_uuid: str, interval: tuple[int, int], cause: Cause, now_us: int
) -> None:
    """A gap that was over before anybody noted it."""
    added = connection.execute(
        "insert into gap (camera_uuid, cause, started_at_us, ended_at_us) values (?, ?, ?, ?)",
        (camera_uuid, cause, *interval),
    )
    _append_gaps(connection, [added.lastrowid], now_us)


def _append_gaps(connection: Connection, gap_ids: Iterable[int | None], now_us: int) -> None:
    for gap_id in gap_ids:
        gap = connection.execute(
            "select id as gap_id, camera_uuid, started_at_us, ended_at_us, cause from gap where id = ?",
            (gap_id,),
        ).fetchone()
        append(connection, LeafKind.GAP_END, dict(gap), now_us)


def last_footage_us(connection: Connection, camera_uuid: str) -> int | None:
    """Where the camera's latest footage ends; None when it has none."""
    row = connection.execute(
        "select ended_at_us from segment where camera_uuid = ? order by started_at_us desc limit 1",
        (camera_uuid,),
    ).fetchone()
    return None if row is None else int(row[0])


def note_absence(connection: Connection, camera_uuid: str, from_us: int, cause: Cause, now_us: int) -> None:
    """The camera does not record, for this cause. An open gap with another cause ends where this begins."""
    row = connection.execute(
        "select started_at_us, cause from gap where camera_uuid = ? and ended_at_us is null", (camera_uuid,)
    ).fetchone()
    if row is not None and row[1] == cause:
        return
    started_us = from_us if row is None else max(from_us, row[0])
    end_absence(connection, camera_uuid, started_us, now_us)
    opened = connection.execute(
        "insert into gap (camera_uuid, started_at_us, cause) values (?, ?, ?)"
        " returning id as gap_id, camera_uuid, started_at_us, cause",
        (camera_uuid, started_us, cause),
    ).fetchone()
    append(connection, LeafKind.GAP_OPEN, dict(opened), now_us)


def end_absence(connection: Connection, camera_uuid: str, at_us: int, now_us: int) -> bool:
    """The camera records again from here (or need not). False when no gap was open."""
    ended = connection.execute(
        "update gap set ended_at_us = max(started_at_us, ?) where camera_uuid = ? and ended_at_us is null"
        " returning id as gap_id, camera_uuid, started_at_us, ended_at_us, cause",
        (at_us, camera_uuid),
    ).fetchone()
    if ended is not None:
        append(connection, LeafKind.GAP_END, dict(ended), now_us)
    return ended is not None


def has_open_gap(connection: Connection, camera_uuid: str) -> bool:
    """Whether the camera's absence is already on record."""
    row = connection.execute(
        "select 1 from gap where camera_uuid = ? and ended_at_us is null", (camera_uuid,)
    ).fetchone()
    return row is not None


def known_paths(connection: Connection, volume_id: int, folder: str) -> set[str]:
    """The paths with a segment row directly below one folder of a volume."""
    rows = connection.execute(
        "select path from segment where volume_id = ? and path > ? and path < ?",
        (volume_id, folder + "/", folder + "0"),
    )
    return {row[0] for row in rows}


def quarantined_paths(connection: Connection, volume_id: int) -> set[str]:
    """The paths of a volume that lie in quarantine with a row."""
    rows = connection.execute("select path from quarantined_file where volume_id = ?", (volume_id,))
    return {row[0] for row in rows}


@dataclass(frozen=True, slots=True)
class NewQuarantine:
    """A file, or the torn end of one, that is kept without being footage."""

    volume_id: int
    found_path: str
    path: str
    reason: str


def add_quarantined(connection: Connection, new: NewQuarantine, now_us: int) -> None:
    """Record a file in quarantine; repeating it after a crash changes nothing."""
    added = connection.execute(
        "insert into quarantined_file (volume_id, found_path, path, reason, quarantined_at_us)"
        " values (?, ?, ?, ?, ?) on conflict (volume_id, path) do nothing returning id",
        (new.volume_id, new.found_path, new.path, new.reason, now_us),
    ).fetchone()
    if added is None:
        return
    body = {
        "quarantined_file_id": added[0],
        "volume_id": new.volume_id,
        # Digests: a stranger's file may be called anything, also by a person's name.
        "found_path_sha256": hashlib.sha256(new.found_path.encode()).hexdigest(),
        "path_sha256": hashlib.sha256(new.path.encode()).hexdigest(),
        "reason_sha256": hashlib.sha256(new.reason.encode()).hexdigest(),
    }
    append(connection, LeafKind.QUARANTINED_FILE, body, now_us)


def write_states(connection: Connection, states: Iterable[CameraState]) -> None:
    """What every camera does now, in place of what it did before."""
    connection.executemany(
        "insert into camera_state (camera_uuid, state, since_us, last_bytes_at_us, cause, bitrate_bps,"
        " updated_at_us) values (?, ?, ?, ?, ?, ?, ?) on conflict (camera_uuid) do update set"
        " state = excluded.state, since_us = excluded.since_us, last_bytes_at_us = excluded.last_bytes_at_us,"
        " cause = excluded.cause, bitrate_bps = excluded.bitrate_bps, updated_at_us = excluded.updated_at_us",
        [
            (
                state.camera_uuid,
                state.state,
                state.since_us,
                state.last_bytes_at_us,
                state.cause or "",
                state.bitrate_bps,
                state.updated_at_us,
            )
            for state in states
        ],
    )


def add_clock_step(connection: Connection, noticed_at_us: int, step_us: int) -> None:
    """The host's wall clock jumped."""
    added = connection.execute(
        "insert into clock_step (noticed_at_us, step_us) values (?, ?)"
        " returning id as clock_step_id, noticed_at_us, step_us",
        (noticed_at_us, step_us),
    ).fetchone()
    append(connection, LeafKind.CLOCK_STEP, dict(added), noticed_at_us)
