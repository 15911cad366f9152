"""The site overview: every room at a glance, the urgent large and the normal small."""

from dataclasses import dataclass
from typing import Final

from flask import Blueprint, Response, render_template

from exam.procedure import Cue, Trigger
from exam.room_phase import needs_arming
from web.access import roles
from web.room_view import RoomView, SessionFacts, read_cameras, room_view, session_facts, todays_sessions
from web.services import ANY_TOPIC, services
from web.signal_actions import PRESSERS, duty_roles
from web.stream import event_stream

blueprint: Final = Blueprint("overview", __name__)


@dataclass(frozen=True, slots=True)
class SessionView:
    """One session of the day with its rooms. `on_demand` are the cues its lead may give at any time."""

    facts: SessionFacts
    rooms: tuple[RoomView, ...]
    needs_arming: bool
    on_demand: tuple[Cue, ...]

    @property
    def is_over(self) -> bool:
        return all(room.times.stopped_at_us is not None for room in self.rooms)


@blueprint.get("/overview")
def page() -> str:
    return render_template("overview/page.html", sessions=_sessions())


@blueprint.get("/overview/live")
def live() -> str:
    return render_template("overview/live.html", sessions=_sessions())


@blueprint.get("/overview/stream")
def stream() -> Response:
    return event_stream(ANY_TOPIC)


def _sessions() -> list[SessionView]:
    states = read_cameras(services())
    now_us = services().clock.wall_us()
    with services().exam.read() as connection:
        return [
            _view(
                facts := session_facts(connection, services(), session, states),
                tuple(
                    room_view(connection, facts, room_id, duty_roles(), now_us)
                    for room_id in session.room_ids
                ),
                now_us,
            )
            for session in todays_sessions(connection, now_us)
        ]


def _view(facts: SessionFacts, rooms: tuple[RoomView, ...], now_us: int) -> SessionView:
    may_press = bool(PRESSERS[Trigger.ON_DEMAND] & roles())
    on_demand = tuple(cue for cue in facts.procedure.cues if cue.trigger is Trigger.ON_DEMAND)
    return SessionView(facts, rooms, needs_arming(facts.session, now_us), on_demand if may_press else ())
