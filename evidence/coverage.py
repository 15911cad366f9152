"""How much of an interval each camera covers, and why it does not cover the rest (Art. 11(2): 全程覆盖).

Absence is drawn, never inferred away: every moment of the interval belongs to exactly one part. One
file that is missing or damaged is an unreadable part of its own and never hides the others.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import lru_cache
from pathlib import Path
from sqlite3 import Connection, Row
from typing import Final

from evidence.codecs import is_browser_playable
from evidence.footage import (
    LONGEST_SEGMENT_US,
    SEAM_US,
    CameraState,
    Cause,
    Gap,
    Recording,
    Segment,
    camera_states,
    gaps_between,
    segment,
)
from evidence.fragments import FragmentMapError, unpack_map
from evidence.timeline import Interval
from exam.clock import SECOND_US

# A camera state older than this says nothing about now: the recorder rewrites it every two seconds.
FRESH_US: Final = 15 * SECOND_US


class PartKind(StrEnum):
    """What an interval holds for one camera."""

    FOOTAGE = "footage"
    # Recorded in a codec that browsers cannot show: to be seen after an export.
    OTHER_CODEC = "other_codec"
    # Indexed, but the file is gone, short, or its map is damaged.
    UNREADABLE = "unreadable"
    # Was footage, and was destroyed by a register that names it.
    DISPOSED = "disposed"
    GAP = "gap"
    # Being recorded: the file is not complete, so not yet ingested.
    PENDING = "pending"
    # Neither footage nor a recorded gap: nobody was recording.
    UNRECORDED = "unrecorded"
    FUTURE = "future"


@dataclass(frozen=True, slots=True)
class Part:
    """A stretch of one camera's time with one explanation.

    `cause` is set for gaps only, `register` is the number of the disposal register for what was destroyed,
    `damage` is a code of evidence.fixity_rows.Soundness for an unreadable part that was found so.
    """

    kind: PartKind
    from_us: int
    until_us: int
    cause: Cause | None = None
    register: str = ""
    damage: str = ""

    @property
    def reason(self) -> str:
        """Why there is nothing to see, as a code."""
        return str(self.cause or self.damage or self.kind)


def coverage(connection: Connection, camera_uuid: str, interval: Interval, now_us: int) -> list[Part]:
    """The interval of one camera cut into parts, oldest first, without hole or overlap."""
    rows = _segment_rows(connection, camera_uuid, interval)
    readable = [row for row in rows if _is_readable(row)]
    state = camera_states(connection).get(camera_uuid)
    ended_us = max((row["ended_at_us"] for row in rows), default=interval.from_us)
    gaps = gaps_between(connection, camera_uuid, interval.from_us, interval.until_us)
    layers = [
        *_joined(row for row in readable if is_browser_playable(row["codec"])),
        *(Part(PartKind.OTHER_CODEC, row["started_at_us"], row["ended_at_us"]) for row in readable),
        *(
            Part(PartKind.DISPOSED, row["started_at_us"], row["ended_at_us"], register=row["register"])
            for row in rows
            if row["register"] is not None
        ),
        *(
            Part(PartKind.UNREADABLE, row["started_at_us"], row["ended_at_us"], damage=row["damage"] or "")
            for row in rows
        ),
        *(_gap_part(gap, now_us) for gap in gaps),
        Part(PartKind.FUTURE, max(now_us, interval.from_us), interval.until_us),
        *_pending(state, ended_us, now_us),
        Part(PartKind.UNRECORDED, interval.from_us, interval.until_us),
    ]
    return _layered(layers, interval)


def playable_segments(connection: Connection, camera_uuid: str, interval: Interval) -> list[Segment]:
    """The segments whose files a browser can play, oldest first; the others are parts of their own."""
    rows = _segment_rows(connection, camera_uuid, interval)
    playable = (row for row in rows if is_browser_playable(row["codec"]) and _is_readable(row))
    found = (segment(connection, row["id"]) for row in playable)
    return [each for each in found if each is not None]


def _segment_rows(connection: Connection, camera_uuid: str, interval: Interval) -> list[Row]:
    return connection.execute(
        "select segment.id, run_id, started_at_us, ended_at_us, size_bytes, segment.path,"
        " volume.path as volume_path, fragments, codec,"
        " (select plan_number from disposal where segment_id = segment.id and done_at_us is not null)"
        " as register,"
        " (select kind from damage where segment_id = segment.id and repaired_at_us is null) as damage"
        " from segment join volume on volume.id = volume_id"
        " join fragment_map on fragment_map.segment_id = segment.id"
        " where camera_uuid = ? and started_at_us > ? and started_at_us < ? and ended_at_us > ?"
        " order by started_at_us, run_id, sequence",
        (camera_uuid, interval.from_us - LONGEST_SEGMENT_US, interval.until_us, interval.from_us),
    ).fetchall()


def _is_readable(row: Row) -> bool:
    """Whether map and file are there with every byte the index knows, and no reading found it damaged."""
    if row["register"] is not None or row["damage"] is not None:
        return False
    try:
        size_bytes = (Path(row["volume_path"]) / row["path"]).stat().st_size
    except OSError:
        return False
    return size_bytes >= row["size_bytes"] and _is_sound(row["fragments"])


@lru_cache(maxsize=4096)
def _is_sound(packed: bytes) -> bool:
    # Maps never change, and a page asks for the same ones every few seconds.
    try:
        return bool(unpack_map(packed))
    except FragmentMapError:
        return False


def _joined(rows: Iterable[Row]) -> Iterator[Part]:
    """Footage with the seams between segments of one run closed."""
    run_id, from_us, until_us = 0, 0, 0
    for row in rows:
        if row["run_id"] == run_id and row["started_at_us"] - until_us <= SEAM_US:
            until_us = max(until_us, row["ended_at_us"])
            continue
        if until_us:
            yield Part(PartKind.FOOTAGE, from_us, until_us)
        run_id, from_us, until_us = row["run_id"], row["started_at_us"], row["ended_at_us"]
    if until_us:
        yield Part(PartKind.FOOTAGE, from_us, until_us)


def _gap_part(gap: Gap, now_us: int) -> Part:
    until_us = now_us if gap.ended_at_us is None else gap.ended_at_us
    return Part(PartKind.GAP, gap.started_at_us, until_us, gap.cause)


def _pending(state: CameraState | None, ended_us: int, now_us: int) -> Iterator[Part]:
    """What is in the growing file: from the last complete one, or from the connection's start, to now."""
    is_fresh = state is not None and now_us - state.updated_at_us <= FRESH_US
    if state is not None and is_fresh and state.state is Recording.RECORDING:
        yield Part(PartKind.PENDING, max(ended_us, state.since_us), now_us)


def _layered(layers: Iterable[Part], interval: Interval) -> list[Part]:
    """Earlier layers hide later ones; everything is cut to the interval."""
    parts: list[Part] = []
    for layer in layers:
        visible = [
            replace(layer, from_us=free.from_us, until_us=free.until_us)
            for free in _uncovered(parts, max(layer.from_us, interval.from_us), interval.until_us)
            if free.from_us < layer.until_us
        ]
        cut = [replace(part, until_us=min(part.until_us, layer.until_us)) for part in visible]
        parts = sorted([*parts, *cut], key=lambda part: part.from_us)
    return parts


def _uncovered(parts: Iterable[Part], from_us: int, until_us: int) -> Iterator[Interval]:
    """What the ordered parts leave free between the two moments."""
    for part in parts:
        if part.until_us <= from_us:
            continue
        if part.from_us > from_us:
            yield Interval(from_us, min(part.from_us, until_us))
        from_us = max(from_us, part.until_us)
        if from_us >= until_us:
            return
    if from_us < until_us:
        yield Interval(from_us, until_us)
