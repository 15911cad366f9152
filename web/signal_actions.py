"""What people do with signals on the day: give one by pressing, confirm a step.

Whether a press may do anything is decided in `exam.presses`, under the writer's lock.
"""

from collections.abc import Mapping
from sqlite3 import Connection
from typing import Any, Final

from flask import Blueprint, Response, abort, jsonify, request, url_for
from flask_login import current_user

from evidence import announcements
from evidence.announcements import Confirmation
from evidence.courses import load_course, procedure_of
from evidence.day import load_rooms, load_session
from evidence.doubt_cases import open_cases_in
from exam.cues import room_cues
from exam.day import Room, Session
from exam.doubt_cases import may_close_room
from exam.presses import PressedRoom, PressRefusal, PressVerdict
from exam.procedure import Cue, Trigger
from exam.timetable import timetable
from web.access import Role, may_act, require_room, roles
from web.services import room_topic, services
from web.signal_emission import PRESS_LEAD_US, give
from web.signals import room_by_code

blueprint: Final = Blueprint("signal_actions", __name__)

PRESSERS: Final[Mapping[Trigger, frozenset[Role]]] = {
    Trigger.AUTOMATIC: frozenset({Role.SITE_LEAD}),
    Trigger.ON_DEMAND: frozenset({Role.SITE_LEAD}),
    Trigger.ASSESSOR_PRESS: frozenset({Role.ASSESSOR, Role.SITE_LEAD}),
    Trigger.CHAIR_PRESS: frozenset({Role.REVIEW_CHAIR, Role.SITE_LEAD}),
}

REFUSAL_WORDS: Final[Mapping[PressRefusal, str]] = {
    PressRefusal.CANCELLED: "本场次已取消。",
    PressRefusal.UNKNOWN_CUE: "本场次没有这个信号。",
    PressRefusal.AUTOMATIC: "这个信号会按时自动发出，不需要手动发出。",
    PressRefusal.TOO_EARLY: "时间未到，不能提前发出信号。",
    PressRefusal.NOT_STARTED: "本考场尚未开考。",
    PressRefusal.STOPPED: "本考场已经结束。",
    PressRefusal.OUTSIDE_WINDOW: "不在本场次的时间范围内，不能发出信号。",
    PressRefusal.HELD: "考场处于中断状态，请先恢复考试。",
    PressRefusal.NOT_EVACUATED: "本考场没有疏散，不需要恢复。",
}

OPEN_DOUBTS_WORDS: Final = (
    "本考场还有{}件存疑没有结论：由两名监考、考评人员核对签字，再由现场负责人作出结论，然后确认这一步。"
)


@blueprint.post("/api/sessions/<int:session_id>/press/<cue_code>")
def press(session_id: int, cue_code: str) -> tuple[Response, int]:
    """Give the signal in every room of the session where the person may, or in those the body names."""
    session = _session(session_id)
    cue = procedure_of(session, services().procedures).cue(cue_code)
    if cue is None:
        abort(404)
    if not PRESSERS[cue.trigger] & roles():
        abort(403)
    rooms = _pressed_rooms(session)
    answers = _give(session, cue, rooms)
    _wake(tuple(room.id for room in rooms))
    is_given = any("emitted_at_us" in answer for answer in answers.values())
    return jsonify(cue=cue_code, rooms=answers), 200 if is_given else 409


@blueprint.post("/api/sessions/<int:session_id>/rooms/<code>/confirmations")
def confirm(session_id: int, code: str) -> tuple[Response, int]:
    session, room = _session(session_id), room_by_code(code)
    if room.id not in session.room_ids:
        abort(404)
    require_room(session_id, room.id, to_act=True)
    cue = procedure_of(session, services().procedures).cue(str(_body().get("cue")))
    if cue is None or cue.confirmation is None:
        abort(404)
    if not cue.roles & duty_roles():
        abort(403)
    now_us = services().clock.wall_us()
    if not _has_come(session, room, cue, now_us):
        return jsonify(error="too_early", advice="这一步还没有到时间，请稍后再确认。"), 409
    with services().exam.write() as connection:
        doubts = _open_doubts(connection, session, room, cue)
        if doubts:
            see = {"address": url_for("doubts.page"), "words": "查看存疑"}
            return jsonify(error="open_cases", advice=OPEN_DOUBTS_WORDS.format(doubts), see=see), 409
        tick = Confirmation(session.id, room.id, cue.code, current_user.account_id, now_us)
        is_first = announcements.confirm(connection, tick)
        confirmed = announcements.load_confirmed(connection, session.id, room.id)
    _wake((room.id,))
    return jsonify(cue=cue.code, confirmed_at_us=confirmed[cue.code], is_first=is_first), 200


def _open_doubts(connection: Connection, session: Session, room: Room, cue: Cue) -> int:
    """How many doubts keep this tick from being made; none but at the step that closes the room."""
    if services().procedures[session.procedure_code].closing_step != cue.code:
        return 0
    cases = [case.facts for case in open_cases_in(connection, session.id, room.id)]
    return 0 if may_close_room(cases, session.id, room.id) else len(cases)


def duty_roles() -> frozenset[str]:
    """The person's roles as cues name them: assessors may be the lead assessor, the site lead ticks all."""
    own = frozenset(str(role) for role in roles())
    if Role.SITE_LEAD in own:
        return frozenset(str(role) for role in Role) | {"lead_assessor"}
    return own | {"lead_assessor"} if Role.ASSESSOR in own else own


def _give(session: Session, cue: Cue, rooms: list[Room]) -> dict[str, dict[str, Any]]:
    answers = {}
    with services().exam.write() as connection:
        now_us = services().clock.wall_us()
        course = load_course(connection, session, services().procedures)
        for room in rooms:
            pressed = PressedRoom(course, room.id)
            verdict = give(connection, pressed, cue.code, current_user.account_id, now_us)
            answers[room.code] = _answer(verdict, now_us)
    return answers


def _answer(verdict: PressVerdict, now_us: int) -> dict[str, Any]:
    if verdict.refusal is not None:
        return {"outcome": verdict.refusal, "advice": REFUSAL_WORDS[verdict.refusal]}
    if verdict.already is not None:
        return {"outcome": "already", "emitted_at_us": verdict.already.emitted_at_us}
    return {"outcome": "emitted", "emitted_at_us": now_us + PRESS_LEAD_US}


def _pressed_rooms(session: Session) -> list[Room]:
    with services().exam.read() as connection:
        rooms = load_rooms(connection)
    named = _body().get("rooms")
    own = [rooms[room_id] for room_id in session.room_ids if may_act(session.id, room_id)]
    wanted = own if named is None else [room for room in own if room.code in named]
    if not wanted:
        abort(403)
    return wanted


def _has_come(session: Session, room: Room, cue: Cue, now_us: int) -> bool:
    with services().exam.read() as connection:
        course = load_course(connection, session, services().procedures)
    mine = [one for one in room_cues(course, room.id) if one.cue.code == cue.code]
    return any(step.has_come for step in timetable(mine, {}, now_us).steps)


def _body() -> dict[str, Any]:
    """The JSON object of the request; an absent body counts as an empty one."""
    if not request.content_length:
        return {}
    body = request.get_json()
    if not isinstance(body, dict) or not isinstance(body.get("rooms", []), list):
        abort(400)
    return body


def _session(session_id: int) -> Session:
    with services().exam.read() as connection:
        session = load_session(connection, session_id)
    if session is None:
        abort(404)
    return session


def _wake(room_ids: tuple[int, ...]) -> None:
    for room_id in room_ids:
        services().bus.publish(room_topic(room_id))
