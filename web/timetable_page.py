"""The day's signals on paper (信号时间表): of one session with the words to read aloud, or of the whole day.

Computed from the same course as the signals themselves, so that it shows every change made so far. What hangs
on the wall is a plan: the emitted signal is the law (R9).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from sqlite3 import Connection
from typing import Any, Final

from flask import Blueprint, Response, abort, render_template, request
from flask_login import current_user

from evidence.courses import load_course
from evidence.day import load_rooms, load_sessions
from exam.clock import MINUTE_US, site_time
from exam.course import SessionCourse
from exam.day import Session
from exam.plan_sheet import PlanLine, plan_lines
from exam.procedure import Cue, CueKind, Trigger
from web.downloads import printed
from web.role_words import ROLE_WORDS
from web.services import services

blueprint: Final = Blueprint("timetable_page", __name__)

STYLESHEET: Final = Path(__file__).parent / "static" / "timetable" / "sheet.css"
KIND_WORDS: Final = {
    CueKind.BELL: "铃声和播报",
    CueKind.CHIME_VOICE: "提示音和播报",
    CueKind.BEEP_VOICE: "提示音和播报",
    CueKind.VOICE: "播报",
    CueKind.PROMPT: "屏幕提示",
}
GIVER_WORDS: Final = {
    Trigger.AUTOMATIC: "自动",
    Trigger.ASSESSOR_PRESS: "考评人员按下",
    Trigger.CHAIR_PRESS: "评审组长按下",
    Trigger.ON_DEMAND: "现场负责人按下",
}
# In the order of the table of roles; the lead assessor is a duty and no account's role.
_DUTY_WORDS: Final = {**{str(role): words for role, words in ROLE_WORDS.items()}, "lead_assessor": "考评组长"}


@dataclass(frozen=True, slots=True)
class SessionPlan:
    """One session with its lines, for page and paper."""

    course: SessionCourse
    lines: list[PlanLine]

    @property
    def session(self) -> Session:
        return self.course.session

    @property
    def on_demand(self) -> list[Cue]:
        """What the site lead may let sound at any time."""
        return [cue for cue in self.course.procedure.cues if not cue.is_scheduled]


@blueprint.get("/timetable")
def page() -> str:
    return render_template("timetable/page.html", **_facts())


@blueprint.get("/timetable.pdf")
def pdf() -> Response:
    """Reads nothing but its own stylesheet; fonts are embedded."""
    facts = _facts()
    name = facts["chosen"].session.code if facts["chosen"] else facts["day"].isoformat()
    return printed(render_template("timetable/paper.html", **facts), STYLESHEET, f"timetable-{name}.pdf")


def _facts() -> dict[str, Any]:
    now_us = services().clock.wall_us()
    session_id = request.args.get("session", type=int)
    with services().exam.read() as connection:
        sessions = [one for one in load_sessions(connection) if one.procedure_code in services().procedures]
        days = sorted({_day_of(one) for one in sessions})
        day = _wanted_day(sessions, days, session_id, site_time(now_us).date())
        plans = [_plan(connection, one) for one in sessions if _day_of(one) == day]
        rooms = load_rooms(connection)
    chosen = next((one for one in plans if one.session.id == session_id), None)
    shown = [one for one in plans if one.lines]
    return {
        "day": day,
        "days": days,
        "plans": plans,
        "chosen": chosen,
        "lines": sorted(
            ((line, plan.session) for plan in shown for line in plan.lines),
            key=lambda one: one[0].planned_at_us,
        ),
        "rooms": rooms,
        "now_us": now_us,
        "made_by": current_user.display_name,
        "kind_words": KIND_WORDS,
        "giver_words": GIVER_WORDS,
        "duty_words": duty_words,
        "minute_us": MINUTE_US,
    }


def duty_words(roles: Iterable[str]) -> str:
    """监考人员、考务人员: who does it, always in the same order."""
    wanted = set(roles)
    return "、".join(words for role, words in _DUTY_WORDS.items() if role in wanted)


def _plan(connection: Connection, session: Session) -> SessionPlan:
    course = load_course(connection, session, services().procedures)
    return SessionPlan(course, plan_lines(course))


def _wanted_day(sessions: list[Session], days: list[date], session_id: int | None, today: date) -> date:
    """The session's day, the day asked for, or the next on which there is anything."""
    if session_id is not None:
        found = next((one for one in sessions if one.id == session_id), None)
        return _day_of(found) if found else abort(404)
    asked = request.args.get("day")
    if asked is None:
        return next((one for one in days if one >= today), today)
    found_day = next((one for one in days if one.isoformat() == asked), None)
    return found_day or abort(404)


def _day_of(session: Session) -> date:
    return site_time(session.planned_start_us).date()
