"""The site overview: every room at a glance, the urgent large and the normal small."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from sqlite3 import Connection
from typing import Any, Final

from flask import Blueprint, Response, render_template

from evidence.day import load_rooms
from exam.day import Room
from exam.procedure import Cue, Trigger
from exam.room_phase import needs_arming
from web.access import roles
from web.alarms import alarm_views, read_alarms
from web.attendance import RoomAttendance, attendance_of
from web.capacity import capacity_view
from web.clock_check_view import console_alarm
from web.clock_steps import contradiction_words, open_step_view
from web.recording_view import RoomRecordingView, recording_views
from web.room_view import (
    Alarm,
    RoomView,
    SessionFacts,
    read_cameras,
    room_view,
    session_facts,
    todays_sessions,
)
from web.services import ANY_TOPIC, services
from web.signal_actions import PRESSERS, duty_roles
from web.stream import event_stream

blueprint: Final = Blueprint("overview", __name__)

SHOWN_ROOMS: Final = 4


@dataclass(frozen=True, slots=True)
class SessionView:
    """One session of the day with its rooms. `on_demand` are the cues its lead may give at any time."""

    facts: SessionFacts
    rooms: tuple[RoomView, ...]
    attendance: Mapping[int, RoomAttendance]
    needs_arming: bool
    on_demand: tuple[Cue, ...]

    @property
    def is_over(self) -> bool:
        return all(room.times.stopped_at_us is not None for room in self.rooms)


@dataclass(frozen=True, slots=True)
class Task:
    """One thing a person must see to, in all rooms where it is the same."""

    session: SessionView
    alarm: Alarm
    rooms: tuple[Room, ...]

    @property
    def where(self) -> str:
        labels = [room.label for room in self.rooms]
        if len(labels) <= SHOWN_ROOMS:
            return "、".join(labels)
        return f"{'、'.join(labels[:SHOWN_ROOMS])}等{len(labels)}个考场"


@blueprint.get("/overview")
def page() -> str:
    return render_template("overview/page.html", **_facts())


@blueprint.get("/overview/live")
def live() -> str:
    return render_template("overview/live.html", **_facts())


@blueprint.get("/overview/stream")
def stream() -> Response:
    return event_stream(ANY_TOPIC)


def _facts() -> dict[str, Any]:
    sessions = todays_views()
    return {
        "sessions": sessions,
        "tasks": [task for session in sessions for task in _tasks(session)],
        "alarms": alarm_views(read_alarms()),
        "capacity": capacity_view(),
        "clock_step": open_step_view(),
        "clock_contradiction": contradiction_words(),
        "clock_alarm": console_alarm(),
        "room_count": sum(len(session.rooms) for session in sessions),
        "recordings": _recordings(),
    }


def _recordings() -> dict[int, RoomRecordingView]:
    with services().exam.read() as connection:
        rooms = load_rooms(connection)
        return recording_views(connection, rooms, services().procedures, services().clock.wall_us())


def _tasks(session: SessionView) -> list[Task]:
    """What is red in the session, worst first: the same trouble in many rooms is one task."""
    rooms: dict[tuple[str, str], list[Room]] = defaultdict(list)
    alarms: dict[tuple[str, str], Alarm] = {}
    for view in session.rooms:
        for alarm in view.alarms:
            if alarm.kind == "bad" and not alarm.is_camera:
                key = (alarm.words, alarm.cue_code)
                rooms[key].append(view.room)
                alarms.setdefault(key, alarm)
    found = [Task(session, alarms[key], tuple(rooms[key])) for key in rooms]
    return sorted(found, key=lambda task: not task.alarm.cue_code)


def todays_views() -> list[SessionView]:
    """The sessions of this day with all their rooms."""
    states = read_cameras(services())
    now_us = services().clock.wall_us()
    with services().exam.read() as connection:
        return [
            _view(connection, session_facts(connection, services(), session, states), now_us)
            for session in todays_sessions(connection, now_us)
            if session.procedure_code in services().procedures
        ]


def _view(connection: Connection, facts: SessionFacts, now_us: int) -> SessionView:
    session, roles_here = facts.session, duty_roles()
    rooms = tuple(room_view(connection, facts, room_id, roles_here, now_us) for room_id in session.room_ids)
    started = {view.room.id: view.times.started_at_us for view in rooms}
    may_press = bool(PRESSERS[Trigger.ON_DEMAND] & roles())
    on_demand = tuple(cue for cue in facts.procedure.cues if cue.trigger is Trigger.ON_DEMAND)
    return SessionView(
        facts,
        rooms,
        attendance_of(connection, session.id, started),
        needs_arming(session, now_us),
        on_demand if may_press else (),
    )
