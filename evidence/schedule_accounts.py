"""Settles what cameras owed against what they hold, so that every scheduled second is accounted for.

Invariant 4 for everything the running recorder could not write down itself: time when no recorder ran,
time that entered the plan late, absences that outlived the schedule. The recorder calls it when it
starts and every few seconds; settling twice changes nothing.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from sqlite3 import Connection
from typing import Final

from evidence.footage import SEAM_US, Cause, gaps_between, spans_between
from evidence.footage_rows import end_absence
from evidence.ledger import LeafKind, append
from evidence.presence import load_presences, nobody_there
from evidence.recording_plan import PlannedCamera
from evidence.timeline import Interval
from exam.recording_decision import Ground, Owed, owed_spans

Missing = tuple[Interval, Cause]
_NOT_A_FAULT: Final = frozenset({Cause.SCHEDULE_OVER, Cause.CAMERA_RETIRED})


def owed_until(owed: Sequence[Owed], camera: PlannedCamera, until_us: int) -> list[Interval]:
    """What a camera owed up to a moment.

    A camera that was retired owes nothing after that. One that was added owes the session that is on, from
    its first second, but nothing that was over then.
    """
    end_us = until_us if camera.retired_at_us is None else min(until_us, camera.retired_at_us)
    mine = (_since(one, camera.added_at_us or 0) for one in owed)
    return [Interval(a, b) for a, b in owed_spans((one for one in mine if one is not None), end_us)]


def _since(one: Owed, added_at_us: int) -> Owed | None:
    if one.until_us <= added_at_us:
        return None
    return one if one.ground is Ground.SESSION else replace(one, from_us=max(one.from_us, added_at_us))


def end_outlived_absence(
    connection: Connection, camera_uuid: str, owed: Sequence[Interval], now_us: int
) -> None:
    """End the camera's open gap where its schedule ended; one in which nothing was owed gets no length.

    `owed` reaches up to now: an interval that ends there is still running.
    """
    row = connection.execute(
        "select started_at_us from gap where camera_uuid = ? and ended_at_us is null", (camera_uuid,)
    ).fetchone()
    if row is None:
        return
    ends = [one.until_us for one in owed if one.from_us <= row[0] < one.until_us]
    end_us = min([*ends, now_us]) if ends else row[0]
    if end_us < now_us:
        end_absence(connection, camera_uuid, end_us, now_us)


def missing(connection: Connection, camera_uuid: str, owed: Sequence[Interval]) -> list[Missing]:
    """What the camera owed and has neither footage nor a gap of, with the cause that can be known."""
    presences = load_presences(connection)
    found: list[Missing] = []
    for interval in owed:
        for hole in _holes(connection, camera_uuid, interval):
            away = list(nobody_there(presences, hole))
            found += away
            there = _without(hole, [one for one, _ in away])
            found += [(part, _cause(connection, camera_uuid, part)) for part in there]
    return sorted(found, key=lambda one: one[0].from_us)


def write_missing(connection: Connection, camera_uuid: str, found: Sequence[Missing], now_us: int) -> None:
    """Record gaps that are over, each with its leaf."""
    for interval, cause in found:
        row = connection.execute(
            "insert into gap (camera_uuid, started_at_us, ended_at_us, cause) values (?, ?, ?, ?)"
            " returning id as gap_id, camera_uuid, started_at_us, ended_at_us, cause",
            (camera_uuid, interval.from_us, interval.until_us, cause),
        ).fetchone()
        append(connection, LeafKind.GAP_END, dict(row), now_us)


def _holes(connection: Connection, camera_uuid: str, interval: Interval) -> Iterator[Interval]:
    footage = spans_between(connection, camera_uuid, interval.from_us, interval.until_us)
    gaps = gaps_between(connection, camera_uuid, interval.from_us, interval.until_us)
    covered = [
        *(Interval(one.started_at_us, one.ended_at_us) for one in footage),
        *(Interval(one.started_at_us, one.ended_at_us or interval.until_us) for one in gaps),
    ]
    return _without(interval, covered)


def _without(interval: Interval, covered: Sequence[Interval]) -> Iterator[Interval]:
    from_us = interval.from_us
    for one in sorted(covered, key=lambda part: part.from_us):
        if one.from_us > from_us:
            yield Interval(from_us, one.from_us)
        from_us = max(from_us, one.until_us)
    if from_us < interval.until_us:
        yield Interval(from_us, interval.until_us)


def _cause(connection: Connection, camera_uuid: str, hole: Interval) -> Cause:
    """Why a recorder that was there has nothing: a run ended, one was about to begin, or no plan said so."""
    runs = connection.execute(
        "select started_at_us, ended_at_us, end_cause from run where camera_uuid = ?"
        " and started_at_us <= ? and (ended_at_us is null or ended_at_us >= ?) order by started_at_us",
        (camera_uuid, hole.until_us + SEAM_US, hole.from_us - SEAM_US),
    ).fetchall()
    ended = [Cause(row["end_cause"]) for row in runs if row["end_cause"] is not None]
    faults = [cause for cause in ended if cause not in _NOT_A_FAULT]
    if faults:
        return faults[0]
    return Cause.STARTING if runs else Cause.LATE_PLAN
