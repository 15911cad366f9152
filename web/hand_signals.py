"""One tap records that a start or stop was given by hand bell just now: it becomes T0 or TE (rule A-6)."""

from collections.abc import Mapping
from typing import Final

from flask import Blueprint, Response, abort, jsonify, request
from flask_login import current_user

from evidence.announcements import record_by_hand
from evidence.courses import load_course
from evidence.day import load_session
from exam.clock import SECOND_US
from exam.hand_records import HandRecord, RecordRefusal, Told, judge_record
from web.access import Role, require_room, roles
from web.services import room_topic, services
from web.signals import room_by_code

blueprint: Final = Blueprint("hand_signals", __name__)

# How long ago the button may say it was: a tablet without network sends late.
LATEST_US: Final = 600 * SECOND_US
REFUSAL_WORDS: Final[Mapping[RecordRefusal, str]] = {
    RecordRefusal.CANCELLED: "本场次已取消。",
    RecordRefusal.NO_SIGNAL: "只有开考和终止信号可以这样记录。",
    RecordRefusal.FUTURE: "时间在将来，请核对设备时间。",
    RecordRefusal.TOO_OLD: "已超过10分钟，请现场负责人补记。",
    RecordRefusal.AUTOMATIC: "这个信号可能正在自动响铃，请稍候几秒。",
    RecordRefusal.BEFORE_OPENING: "考场尚未开放。",
    RecordRefusal.NOT_STARTED: "本考场尚未开考。",
    RecordRefusal.BEFORE_START: "终止时间早于开考时间。",
    RecordRefusal.BEFORE_PLAN: "早于计划时间，只有现场负责人可以这样记录。",
    RecordRefusal.ALREADY: "这个时间已经记录。",
}


@blueprint.post("/api/sessions/<int:session_id>/rooms/<code>/by-hand/<cue_code>")
def record(session_id: int, code: str, cue_code: str) -> tuple[Response, int]:
    """The signal was given by hand in the room, just now or `ago_us` before."""
    room = room_by_code(code)
    require_room(session_id, room.id, to_act=True)
    ago_us = _ago_us()
    with services().exam.write() as connection:
        session = load_session(connection, session_id)
        if session is None or room.id not in session.room_ids:
            abort(404)
        course = load_course(connection, session, services().procedures)
        now_us = services().clock.wall_us()
        told = Told(room.id, cue_code, now_us - ago_us, is_lead=Role.SITE_LEAD in roles())
        found = judge_record(course, told, now_us)
        if not isinstance(found, HandRecord):
            return jsonify(error=found, advice=REFUSAL_WORDS[found]), 409
        record_by_hand(connection, found, current_user.account_id, now_us)
    services().bus.publish(room_topic(room.id))
    return jsonify(cue=cue_code, happened_at_us=found.happened_at_us), 200


def _ago_us() -> int:
    told = request.get_json()
    ago_us = told.get("ago_us", 0) if isinstance(told, dict) else None
    if type(ago_us) is not int or not 0 <= ago_us <= LATEST_US:
        abort(400)
    return ago_us
