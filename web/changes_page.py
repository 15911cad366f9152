"""The page on which the site lead changes a session on the day: every effect is shown before it is made.

Moved start, other working time, cancelling, time given to a room, and decisions about time that wrong bells
and interruptions took (rules A-7 and R13). Each needs a reason; extending a theory room a second person.
"""

from dataclasses import dataclass
from typing import Any, Final

from flask import Blueprint, abort, make_response, redirect, render_template, request, url_for
from flask_login import current_user
from werkzeug.wrappers import Response

from evidence.courses import load_course
from evidence.day import load_rooms
from evidence.plan_changes import ChangedPlan, plan_changes
from evidence.recording_orders import Who
from exam.clock import MINUTE_US
from exam.course import Grant, SessionCourse
from exam.day import Room
from exam.lost_time import LostTime, undecided
from exam.room_times import RoomTimes, room_times
from web.change_desk import ChangeDesk, Proposal, find_course
from web.change_forms import ChangeForm, loss_name
from web.change_words import (
    CHANGE_REFUSAL_WORDS,
    EFFECT_WORDS,
    LOSS_WORDS,
    PLAN_WORDS,
    REFUSED_EFFECT_WORDS,
    change_words,
)
from web.limits import FAILURES, is_failure, limiter
from web.room_view import todays_sessions
from web.services import ANY_TOPIC, room_topic, services
from web.signed_forms import RefusedFormError, reason_given, second_person

blueprint: Final = Blueprint("changes", __name__)

UNDONE: Final = "变更没有生效"


@dataclass(frozen=True, slots=True)
class SessionChanges:
    """One session of the day with what can be changed of it, and what was."""

    course: SessionCourse
    times: dict[int, RoomTimes]
    losses: list[LostTime]
    made: list[ChangedPlan]

    @property
    def has_started(self) -> bool:
        return any(one.started_at_us is not None for one in self.times.values())

    @property
    def running(self) -> list[int]:
        """Rooms that have started and not finished: these can be given time."""
        return [
            room_id
            for room_id, one in self.times.items()
            if one.started_at_us is not None and one.finished_at_us is None
        ]

    @property
    def grants(self) -> list[Grant]:
        """What was given and stands."""
        return [one for one in self.course.grants if not one.is_withdrawn]

    @property
    def is_over(self) -> bool:
        return all(one.finished_at_us is not None for one in self.times.values())


@blueprint.get("/changes")
def page() -> str:
    now_us = services().clock.wall_us()
    with services().exam.read() as connection:
        sessions = [
            _session_changes(connection, load_course(connection, session, services().procedures))
            for session in todays_sessions(connection, now_us)
            if session.procedure_code in services().procedures and session.cancelled_at_us is None
        ]
        rooms = load_rooms(connection)
    return render_template("changes/page.html", sessions=sessions, rooms=rooms, **_words())


@blueprint.get("/changes/effects")
def effects() -> Response:
    """What the change would do, before anything is made."""
    return _effects(ChangeForm(request.args), "", 200)


@blueprint.post("/changes")
@limiter.limit(FAILURES, deduct_when=is_failure)
def make() -> Response:
    """Make the change, as long as its effects are still accepted."""
    form = ChangeForm(request.form)
    told = frozenset(int(one) for one in request.form.getlist("told") if one.isdecimal())
    try:
        needs_second = _propose(form, told)[0].needs_second_person
        agreed_by = second_person("延长整个考场的时间", UNDONE) if needs_second else None
        who = Who(current_user.account_id, reason_given(), agreed_by)
        is_made, room_ids = _make(form, who, told)
    except RefusedFormError as refusal:
        return _effects(form, str(refusal), 400)
    if not is_made:
        return _effects(form, f"情况已变化，{UNDONE}。请看下面的说明。", 409)
    for room_id in room_ids:
        services().bus.publish(room_topic(room_id))
    services().bus.publish(ANY_TOPIC)
    return redirect(url_for("changes.page"))


def _make(form: ChangeForm, who: Who, told: frozenset[int]) -> tuple[bool, tuple[int, ...]]:
    """Propose again and make it in one transaction: nothing can have happened in between."""
    with services().exam.write() as connection:
        desk = ChangeDesk(connection, services().procedures, services().clock.wall_us())
        course = _course(connection, form)
        proposal = desk.propose(course, form.change(course), told)
        if proposal.is_accepted and (who.agreed_by is not None or not proposal.needs_second_person):
            desk.make(proposal, who, told)
            return True, course.session.room_ids
    return False, ()


def _propose(form: ChangeForm, told: frozenset[int]) -> tuple[Proposal, dict[int, Room]]:
    with services().exam.read() as connection:
        desk = ChangeDesk(connection, services().procedures, services().clock.wall_us())
        course = _course(connection, form)
        return desk.propose(course, form.change(course), told), load_rooms(connection)


def _course(connection: Any, form: ChangeForm) -> SessionCourse:
    course = find_course(connection, form.number("session") or 0, services().procedures)
    if course is None:
        abort(404)
    return course


def _effects(form: ChangeForm, fault: str, code: int) -> Response:
    try:
        # Rooms that nobody can reach are shown as if somebody went there; who makes it says so.
        proposal, rooms = _propose(form, frozenset())
        reached, _ = _propose(form, proposal.untold)
    except RefusedFormError as refusal:
        fault, proposal, rooms, reached = fault or str(refusal), None, {}, None
        code = max(code, 400)
    content = render_template(
        "changes/effects.html",
        fault=fault,
        form=form.kept(),
        proposal=proposal,
        reached=reached,
        rooms=rooms,
        title=change_words(proposal, rooms) if proposal else "",
        **_words(),
    )
    return make_response(content, code)


def _session_changes(connection: Any, course: SessionCourse) -> SessionChanges:
    return SessionChanges(
        course,
        {room_id: room_times(course, room_id) for room_id in course.session.room_ids},
        undecided(course),
        plan_changes(connection, course.session.id),
    )


def _words() -> dict[str, Any]:
    return {
        "effect_words": EFFECT_WORDS,
        "refused_effect_words": REFUSED_EFFECT_WORDS,
        "refusal_words": CHANGE_REFUSAL_WORDS,
        "loss_words": LOSS_WORDS,
        "plan_words": PLAN_WORDS,
        "loss_name": loss_name,
        "minute_us": MINUTE_US,
    }
