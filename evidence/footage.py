"""Reading the footage index: segments, gaps, what each camera does now, and where a moment lies.

Every function answers from the database alone; no file is opened. Writing is `evidence.footage_rows`.
"""

from bisect import bisect_right
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from sqlite3 import Connection, Row
from typing import Final

from evidence.codecs import is_browser_playable
from evidence.fragments import Fragment, unpack_map
from evidence.sound import NO_SOUND, Sound, SoundKind
from exam.clock import MINUTE_US

# Two segments of one run this close belong together: the difference is measurement, not absence.
SEAM_US: Final = 500_000
# No file is longer (the schema checks it): a search for an interval may start this much before it.
LONGEST_SEGMENT_US: Final = 60 * MINUTE_US


class Cause(StrEnum):
    """Why a camera does not record, or why a run ended."""

    STARTING = "starting"
    UNREACHABLE = "unreachable"
    UNAUTHORIZED = "unauthorized"
    REFUSED = "refused"
    TOO_MANY_SESSIONS = "too_many_sessions"
    UNPLAYABLE = "unplayable"
    STALLED = "stalled"
    CAMERA_CLOSED = "camera_closed"
    TIMESTAMP_JUMP = "timestamp_jump"
    FORMAT_CHANGE = "format_change"
    CLOCK_STEP = "clock_step"
    RECORDER_CRASH = "recorder_crash"
    POWER_LOSS = "power_loss"
    OPERATOR_STOP = "operator_stop"
    # Ends runs, never begins a gap: nothing is owed any more.
    SCHEDULE_OVER = "schedule_over"
    # Found later: no recorder ran; or the plan did not ask for footage at the time.
    RECORDER_OFF = "recorder_off"
    LATE_PLAN = "late_plan"
    CAMERA_CHANGED = "camera_changed"
    CAMERA_RETIRED = "camera_retired"
    DISK_FULL = "disk_full"
    DISK_FAULT = "disk_fault"
    INDEX_LOST = "index_lost"
    # No footage folder holds the disk it should.
    DISK_MISSING = "disk_missing"


class Recording(StrEnum):
    """What a camera is doing."""

    CONNECTING = "connecting"
    RECORDING = "recording"
    STALLED = "stalled"
    DOWN = "down"
    STOPPED = "stopped"
    # Nothing is owed now: recorded again when the schedule says so.
    STANDBY = "standby"


class ClockSource(StrEnum):
    """How the wall times of a segment were found."""

    SENDER_REPORTS = "sender_reports"
    ARRIVAL = "arrival"


class Origin(StrEnum):
    """Whether a segment was closed by its own recorder or found after a crash."""

    LIVE = "live"
    ADOPTED = "adopted"


@dataclass(frozen=True, slots=True)
class Stream:
    """What a browser must know before it can play: the init segment and the codec."""

    init_bytes: int
    codec: str
    width_px: int
    height_px: int
    sound: Sound = NO_SOUND

    @property
    def is_browser_playable(self) -> bool:
        """Whether every browser can show it."""
        return is_browser_playable(self.codec)


@dataclass(frozen=True, slots=True)
class Segment:
    """One file of footage with everything needed to seek and play it."""

    id: int
    run_id: int
    sequence: int
    camera_uuid: str
    volume_path: str
    path: str
    started_at_us: int
    ended_at_us: int
    media_us: int
    clock_source: ClockSource
    camera_offset_us: int | None
    size_bytes: int
    sha256: bytes
    origin: Origin
    stream: Stream
    fragments: list[Fragment]

    @property
    def init_bytes(self) -> int:
        """Bytes before the first fragment."""
        return self.stream.init_bytes

    @property
    def codec(self) -> str:
        """Codec string for browsers, such as 'avc1.64001f'."""
        return self.stream.codec

    @property
    def file(self) -> Path:
        """Absolute path of the file."""
        return Path(self.volume_path) / self.path


@dataclass(frozen=True, slots=True)
class Span:
    """An interval with footage, seams between segments of a run already closed."""

    started_at_us: int
    ended_at_us: int


@dataclass(frozen=True, slots=True)
class Gap:
    """An interval without footage. `ended_at_us` is None while it lasts."""

    id: int
    camera_uuid: str
    started_at_us: int
    ended_at_us: int | None
    cause: Cause


@dataclass(frozen=True, slots=True)
class CameraState:
    """What one camera was doing at `updated_at_us`. Older than some seconds means: no recorder runs."""

    camera_uuid: str
    state: Recording
    since_us: int
    last_bytes_at_us: int | None
    cause: Cause | None
    bitrate_bps: int
    updated_at_us: int


_SEGMENT: Final = (
    "select s.*, v.path as volume_path, m.init_bytes, m.codec, m.width_px, m.height_px, m.fragments,"
    " m.sound, m.sound_codec"
    " from segment s join volume v on v.id = s.volume_id join fragment_map m on m.segment_id = s.id"
)


def segments_between(connection: Connection, camera_uuid: str, from_us: int, until_us: int) -> list[Segment]:
    """The segments that touch the interval, earliest first, with their fragments."""
    rows = connection.execute(
        f"{_SEGMENT} where s.camera_uuid = ? and s.started_at_us > ? and s.started_at_us < ?"
        " and s.ended_at_us > ? order by s.started_at_us, s.run_id, s.sequence",
        (camera_uuid, from_us - LONGEST_SEGMENT_US, until_us, from_us),
    )
    return [_segment(row) for row in rows]


def segment(connection: Connection, segment_id: int) -> Segment | None:
    """One segment by its number."""
    row = connection.execute(f"{_SEGMENT} where s.id = ?", (segment_id,)).fetchone()
    return None if row is None else _segment(row)


def last_sound(connection: Connection, camera_uuid: str) -> Sound:
    """What became of the sound in the camera's latest file."""
    row = connection.execute(
        "select sound, sound_codec from segment join fragment_map on segment_id = id"
        " where camera_uuid = ? order by started_at_us desc limit 1",
        (camera_uuid,),
    ).fetchone()
    return NO_SOUND if row is None else Sound(SoundKind(row[0]), row[1])


def spans_between(connection: Connection, camera_uuid: str, from_us: int, until_us: int) -> list[Span]:
    """Where there is footage in the interval, cut to it; cheap enough for a whole day."""
    rows = connection.execute(
        "select run_id, started_at_us, ended_at_us from segment"
        " where camera_uuid = ? and started_at_us > ? and started_at_us < ? and ended_at_us > ?"
        " order by started_at_us",
        (camera_uuid, from_us - LONGEST_SEGMENT_US, until_us, from_us),
    )
    spans: list[Span] = []
    last_run = 0
    for run_id, started, ended in rows:
        started_us, ended_us = max(started, from_us), min(ended, until_us)
        if spans and run_id == last_run and started_us - spans[-1].ended_at_us <= SEAM_US:
            spans[-1] = Span(spans[-1].started_at_us, max(ended_us, spans[-1].ended_at_us))
        else:
            spans.append(Span(started_us, ended_us))
        last_run = run_id
    return spans


def gaps_between(connection: Connection, camera_uuid: str, from_us: int, until_us: int) -> list[Gap]:
    """The gaps that touch the interval, earliest first; a gap that still lasts included."""
    rows = connection.execute(
        "select id, camera_uuid, started_at_us, ended_at_us, cause from gap"
        " where camera_uuid = ? and started_at_us < ? and (ended_at_us is null or ended_at_us > ?)"
        " and started_at_us is not ended_at_us order by started_at_us, id",
        (camera_uuid, until_us, from_us),
    )
    return [Gap(row[0], row[1], row[2], row[3], Cause(row[4])) for row in rows]


def camera_states(connection: Connection) -> dict[str, CameraState]:
    """The latest state of every camera, by its uuid."""
    rows = connection.execute("select * from camera_state order by camera_uuid")
    return {
        row["camera_uuid"]: CameraState(
            camera_uuid=row["camera_uuid"],
            state=Recording(row["state"]),
            since_us=row["since_us"],
            last_bytes_at_us=row["last_bytes_at_us"],
            cause=Cause(row["cause"]) if row["cause"] else None,
            bitrate_bps=row["bitrate_bps"],
            updated_at_us=row["updated_at_us"],
        )
        for row in rows
    }


def volume_paths(connection: Connection) -> list[Path]:
    """Every folder that footage was ever written to, wherever it is mounted now."""
    return [Path(row[0]) for row in connection.execute("select path from volume order by id")]


def seek(connection: Connection, camera_uuid: str, wall_us: int) -> tuple[Segment, Fragment, int] | None:
    """Where the picture of that moment lies: segment, fragment, and microseconds into the fragment.

    None when the camera has no footage of the moment. A seam between two segments of one run
    answers with the last picture before it.
    """
    row = connection.execute(
        f"{_SEGMENT} where s.camera_uuid = ? and s.started_at_us <= ? order by s.started_at_us desc limit 1",
        (camera_uuid, wall_us),
    ).fetchone()
    if row is None or (wall_us >= row["ended_at_us"] and not _is_in_seam(connection, row, wall_us)):
        return None
    found = _segment(row)
    at = bisect_right(found.fragments, wall_us, key=lambda fragment: fragment.wall_us) - 1
    fragment = found.fragments[max(at, 0)]
    inside_us = min(max(wall_us - fragment.wall_us, 0), fragment.duration_us - 1)
    return found, fragment, inside_us


def _is_in_seam(connection: Connection, row: Row, wall_us: int) -> bool:
    follows = connection.execute(
        "select 1 from segment where run_id = ? and sequence = ? and started_at_us between ? and ?",
        (row["run_id"], row["sequence"] + 1, wall_us, row["ended_at_us"] + SEAM_US),
    ).fetchone()
    return follows is not None


def _segment(row: Row) -> Segment:
    return Segment(
        id=row["id"],
        run_id=row["run_id"],
        sequence=row["sequence"],
        camera_uuid=row["camera_uuid"],
        volume_path=row["volume_path"],
        path=row["path"],
        started_at_us=row["started_at_us"],
        ended_at_us=row["ended_at_us"],
        media_us=row["media_us"],
        clock_source=ClockSource(row["clock_source"]),
        camera_offset_us=row["camera_offset_us"],
        size_bytes=row["size_bytes"],
        sha256=row["sha256"],
        origin=Origin(row["origin"]),
        stream=Stream(
            *(row["init_bytes"], row["codec"], row["width_px"], row["height_px"]),
            Sound(SoundKind(row["sound"]), row["sound_codec"]),
        ),
        fragments=unpack_map(row["fragments"]),
    )
