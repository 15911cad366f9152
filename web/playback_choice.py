"""What somebody asks to see: room, stretch of time and reason, read from a form or a link and checked.

A link from elsewhere names a room and a moment; the stretch is then the session that holds it, so
that one press of a reason leads to the picture.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from config.procedures import load_procedures
from evidence.timeline import Interval
from exam.clock import MINUTE_US, SITE_ZONE, site_time, to_us
from exam.day import Room, Session

LONGEST_US: Final = 12 * 60 * MINUTE_US
SHORTEST_REASON, LONGEST_REASON = 2, 200
# Shown around a session: people arrive before check-in opens and hand over after the end.
BEFORE_US: Final = 5 * MINUTE_US
AFTER_US: Final = 15 * MINUTE_US
# Around a moment that belongs to no session.
AROUND_US: Final = 30 * MINUTE_US


@dataclass(frozen=True, slots=True)
class Choice:
    """The fields of the form, as text, and the moment to begin with (empty: where footage begins)."""

    room: str = ""
    date: str = ""
    time_from: str = ""
    time_until: str = ""
    reason: str = ""
    at: str = ""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A choice without faults."""

    room_id: int
    interval: Interval
    reason: str
    at_us: int | None


def session_interval(session: Session) -> Interval:
    """A session with what belongs around it."""
    procedure = load_procedures().get(session.procedure_code)
    opens_us = procedure.check_in_opens_us if procedure else 0
    return Interval(
        session.planned_start_us - opens_us - BEFORE_US,
        session.planned_start_us + session.duration_us + AFTER_US,
    )


def suggested(
    asked: Mapping[str, str], rooms: Sequence[Room], sessions: Sequence[Session], now_us: int
) -> Choice:
    """The form as a link asks for it: `room`, and `session`, `at` or `from` and `until` (microseconds)."""
    at_us = _number(asked.get("at", ""))
    session = _session(asked, sessions, at_us, now_us)
    from_us, until_us = _number(asked.get("from", "")), _number(asked.get("until", ""))
    room_id = _number(asked.get("room", "")) or _first_room(session, rooms)
    if from_us and until_us:
        interval = Interval(from_us, until_us)
    elif session is not None:
        interval = session_interval(session)
    else:
        middle_us = at_us or now_us
        interval = Interval(middle_us - AROUND_US, middle_us + AROUND_US)
    return Choice(
        room=str(room_id),
        date=f"{site_time(interval.from_us):%Y-%m-%d}",
        time_from=f"{site_time(interval.from_us):%H:%M:%S}",
        time_until=f"{site_time(interval.until_us):%H:%M:%S}",
        at=str(at_us or ""),
    )


def submitted(form: Mapping[str, str]) -> Choice:
    """What was sent. A pressed reason wins over a typed one."""
    return Choice(
        room=form.get("room", ""),
        date=form.get("date", ""),
        time_from=form.get("time_from", ""),
        time_until=form.get("time_until", ""),
        reason=(form.get("reason") or form.get("typed_reason", "")).strip(),
        at=form.get("at", ""),
    )


def checked(choice: Choice, rooms: Iterable[Room], now_us: int) -> Wanted | list[str]:
    """The choice as numbers, or every fault as a sentence for the person."""
    faults: list[str] = []
    room_id = _number(choice.room)
    if room_id not in {room.id for room in rooms}:
        faults.append("请选择考场。")
    interval = _interval(choice)
    if interval is None:
        faults.append("请填写日期、开始时间和结束时间。")
    else:
        faults += _interval_faults(interval, now_us)
    if not SHORTEST_REASON <= len(choice.reason) <= LONGEST_REASON:
        faults.append(f"请选择或填写调阅理由（{SHORTEST_REASON}至{LONGEST_REASON}个字）。")
    if faults or interval is None or room_id is None:
        return faults
    at_us = _number(choice.at)
    is_inside = at_us is not None and interval.meets(at_us, at_us + 1)
    return Wanted(room_id, interval, choice.reason, at_us if is_inside else None)


def _interval_faults(interval: Interval, now_us: int) -> list[str]:
    if interval.until_us <= interval.from_us:
        return ["结束时间应晚于开始时间。"]
    if interval.until_us - interval.from_us > LONGEST_US:
        return ["一次最多调阅12小时，请缩短时段。"]
    if interval.from_us >= now_us:
        return ["所选时段尚未开始，还没有录像。"]
    return []


def _interval(choice: Choice) -> Interval | None:
    try:
        ends = [_moment_us(choice.date, time) for time in (choice.time_from, choice.time_until)]
    except ValueError:
        return None
    return Interval(*ends)


def _moment_us(date: str, time: str) -> int:
    return to_us(datetime.fromisoformat(f"{date}T{time}").replace(tzinfo=SITE_ZONE))


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 18 else None


def _session(
    asked: Mapping[str, str], sessions: Sequence[Session], at_us: int | None, now_us: int
) -> Session | None:
    """The session asked for, else the one that holds the moment, else (no moment) the one nearest to now."""
    session_id, room_id = _number(asked.get("session", "")), _number(asked.get("room", ""))
    for session in sessions:
        if session.id == session_id:
            return session
    if at_us is not None:
        holding = [each for each in sessions if session_interval(each).meets(at_us, at_us + 1)]
        in_room = [each for each in holding if room_id in each.room_ids]
        return next(iter(in_room or holding), None)
    begun = [each for each in sessions if session_interval(each).from_us < now_us]
    return max(begun, key=lambda each: each.planned_start_us, default=None)


def _first_room(session: Session | None, rooms: Sequence[Room]) -> int | str:
    if session is not None and session.room_ids:
        return session.room_ids[0]
    return rooms[0].id if rooms else ""
