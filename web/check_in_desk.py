"""签到 for staff: how far each room is, alarms, whoever is looked for, and what may be done about him.

What was typed to find somebody is posted and stands in no address. What is pressed goes to web.check_in.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import groupby
from sqlite3 import Connection
from typing import Any, Final

from flask import Blueprint, Flask, Response, abort, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from config.check_in import AlarmWords, load_check_in_words
from config.outcomes import load_outcome_texts
from config.ticket_sheet import load_ticket_words
from evidence import check_in_alarms, check_in_history, doubt_cases
from evidence.check_in_alarms import CheckInAlarm
from evidence.check_in_lookup import TICKET_TAIL, Match, find_candidates, free_places
from evidence.courses import load_course
from evidence.day import load_rooms, load_session
from evidence.file_photos import file_photo_of
from evidence.floor_maps import maps_of, read_picture
from exam.admission_facts import Step
from exam.day import Room, Session
from exam.doubt_cases import SEEN_DOUBTS
from exam.identity import masked_name
from exam.outcomes import ordered
from exam.room_times import room_times
from web.access import LEAD, ROOM, Role, concerns_me, require_room, roles
from web.attendance import RoomAttendance, attendance_of
from web.check_in import myself
from web.check_in_card import Desk
from web.kiosk_api import TOPIC
from web.room_view import todays_sessions
from web.services import services
from web.stream import event_stream

blueprint: Final = Blueprint("check_in_desk", __name__, url_prefix="/check-in")

LONGEST_WORDS: Final = 40
SEEN_ALARMS: Final = 10


@dataclass(frozen=True, slots=True)
class RoomLine:
    """One room of one session, and everybody expected there."""

    session: Session
    room: Room
    attendance: RoomAttendance
    # When the room's start signal came; None: not yet.
    started_at_us: int | None


@dataclass(frozen=True, slots=True)
class AlarmLine:
    """One alarm as people read it."""

    alarm: CheckInAlarm
    words: AlarmWords

    @property
    def who(self) -> str:
        """第1考场 12号 张*明; what is known of it."""
        alarm = self.alarm
        place = f"{alarm.place_label}号" if alarm.place_label else ""
        parts = (alarm.room_label, place, masked_name(alarm.candidate_name))
        return " ".join(part for part in parts if part) or alarm.kiosk_label


@blueprint.get("")
def page() -> str:
    return render_template("check_in/page.html", **_facts())


@blueprint.get("/live")
def live() -> str:
    return render_template("check_in/live.html", **_facts())


@blueprint.get("/stream")
def stream() -> Response:
    return event_stream(TOPIC)


@blueprint.post("/lookup")
def lookup() -> AnyResponse | str:
    """Straight to the candidate when there is only one and he is of the own rooms; else the list."""
    words = request.form.get("words", "").strip()[:LONGEST_WORDS]
    with services().exam.read() as connection:
        rooms = load_rooms(connection)
        sessions = [one.id for one in todays_sessions(connection, services().clock.wall_us())]
        found = find_candidates(connection, services().vault, sessions, words) if words else []
        maps = maps_of(connection, {one.room_id for one in found})
    mine = [one for one in found if concerns_me(one.session_id, one.room_id)]
    # A seat is meant in the own rooms; whoever has a number may have come to the wrong door.
    others = [one for one in found if one not in mine] if len(words) >= TICKET_TAIL else []
    if len(mine) == 1 and not others:
        return redirect(_card_address(mine[0]), 303)
    return render_template(
        "check_in/lookup.html",
        words_typed=words,
        matches=[(one, rooms[one.room_id], one in mine) for one in (*mine, *others)],
        maps=maps,
    )


@blueprint.get("/rooms/<int:session_id>/<int:room_id>")
def room(session_id: int, room_id: int) -> str:
    return render_template("check_in/room.html", line=room_line(session_id, room_id))


@blueprint.get("/rooms/<int:session_id>/<int:room_id>/live")
def live_room(session_id: int, room_id: int) -> str:
    return render_template("check_in/room_live.html", line=room_line(session_id, room_id))


@blueprint.get("/candidates/<int:session_id>/<int:candidate_id>")
def card(session_id: int, candidate_id: int) -> str:
    return render_template("check_in/card.html", **_card(session_id, candidate_id))


@blueprint.get("/candidates/<int:session_id>/<int:candidate_id>/live")
def live_card(session_id: int, candidate_id: int) -> str:
    return render_template("check_in/card_live.html", **_card(session_id, candidate_id))


@blueprint.get("/maps/<int:room_id>")
def floor_map(room_id: int) -> Response:
    """The floor plan on which the room is shown."""
    with services().exam.read() as connection:
        found = read_picture(connection, room_id)
    if found is None:
        abort(404)
    return Response(found[0], mimetype=found[1])


@blueprint.get("/walk-in/<int:session_id>")
def walk_in(session_id: int) -> str:
    """The form for somebody who is not on the roster."""
    with services().exam.read() as connection:
        session = load_session(connection, session_id)
        if session is None:
            abort(404)
        free = [one for one in free_places(connection, session_id) if one.is_in_session]
    types = load_ticket_words().document_types
    places = [(label, list(group)) for label, group in groupby(free, key=lambda one: one.room_label)]
    return render_template("check_in/walk_in.html", session=session, walk_in_places=places, types=types)


def install(app: Flask) -> None:
    """Let every page count the alarms that nobody has seen."""

    @app.context_processor
    def about() -> dict[str, object]:
        return {"open_check_in_alarms": open_count}


def open_count() -> int:
    """How many alarms about check-in nobody has seen yet that concern the person who asks."""
    if not roles() & (ROOM | LEAD):
        return 0
    with services().exam.read() as connection:
        places = check_in_alarms.standing_places(connection)
    return sum(concerns_me(session_id, room_id) for session_id, room_id in places)


def _facts() -> dict[str, Any]:
    with services().exam.read() as connection:
        lines = _rooms(connection)
        alarms = check_in_alarms.load_alarms(connection)
        seen = check_in_alarms.load_alarms(connection, seen=True)
    return {
        "sessions": [
            (session, list(rooms)) for session, rooms in groupby(lines, key=lambda one: one.session)
        ],
        "alarms": _lines(alarms),
        "seen": _lines(seen)[:SEEN_ALARMS],
    }


def _lines(alarms: list[CheckInAlarm]) -> list[AlarmLine]:
    words = load_check_in_words().alarms
    mine = [one for one in alarms if concerns_me(one.subject.session_id, one.subject.room_id)]
    return [AlarmLine(one, words[one.kind]) for one in mine]


def _rooms(connection: Connection, session_id: int | None = None) -> list[RoomLine]:
    """The rooms of today, or of one session of today, that concern the person who asks."""
    everything, rooms = services(), load_rooms(connection)
    found = []
    for session in todays_sessions(connection, everything.clock.wall_us()):
        if session_id not in {None, session.id}:
            continue
        if session.procedure_code not in everything.procedures or session.cancelled_at_us is not None:
            continue
        course = load_course(connection, session, everything.procedures)
        started = {room_id: room_times(course, room_id).started_at_us for room_id in session.room_ids}
        for room_id, attendance in attendance_of(connection, session.id, started).items():
            if concerns_me(session.id, room_id):
                found.append(RoomLine(session, rooms[room_id], attendance, _start_of(started, room_id)))
    return found


def _start_of(started: Mapping[int, int | None], room_id: int) -> int | None:
    """When the room's start signal came; for an emergency room outside the plan, the first of the session."""
    if room_id in started:
        return started[room_id]
    return min((at_us for at_us in started.values() if at_us is not None), default=None)


def room_line(session_id: int, room_id: int) -> RoomLine:
    """The room with its people. 403 to others, 404 where there is none today."""
    require_room(session_id, room_id)
    with services().exam.read() as connection:
        line = next((one for one in _rooms(connection, session_id) if one.room.id == room_id), None)
    if line is None:
        abort(404)
    return line


def _card(session_id: int, candidate_id: int) -> dict[str, Any]:
    me, everything = myself(), services()
    with everything.exam.read() as connection:
        person = check_in_history.load_person(connection, session_id, candidate_id)
        if person is None:
            abort(404)
        require_room(session_id, person.room_id)
        attempts = check_in_history.load_attempts(connection, session_id, candidate_id)
        now_us = everything.clock.wall_us()
        desk = Desk(connection, everything.vault, everything.check_in_rules, me, person, attempts, now_us)
        facts = desk.facts()
        cases = doubt_cases.cases_of(connection, [candidate_id])
        return {
            "person": person,
            "attempts": attempts,
            "acts": check_in_history.load_acts(connection, session_id, candidate_id),
            "cases": [one for one in cases if one.facts.session_id == session_id and one.facts.is_open],
            "offers": desk.offers(),
            "left_at_us": None if facts.seat is None else facts.seat.left_at_us,
            "against": [load_outcome_texts()[one] for one in ordered(facts.reasons)],
            "standing": next((one for one in attempts if one.stands), None),
            "words": load_check_in_words(),
            "texts": load_outcome_texts(),
            "seen_doubts": SEEN_DOUBTS,
            "is_lead": Role.SITE_LEAD in roles(),
            "file_photo": file_photo_of(connection, candidate_id),
            "maps": maps_of(connection, {person.room_id}),
            "asks_bag": Step.BAG in desk.rules.policy.steps,
        }


def _card_address(match: Match) -> str:
    return url_for("check_in_desk.card", session_id=match.session_id, candidate_id=match.candidate_id)
