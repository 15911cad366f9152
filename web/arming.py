"""启用自动信号: look at every signal of every room, then let them sound by themselves (13(3), R9).

Two steps. Whoever arms sends the plan that the page showed, and what stood against it: if the plan is
another one by now, or something stands against it that was not shown, nothing is armed and the page says what
changed. Where the site wants two people, the second one confirms with an own password. Taking it back is one
press with a reason, refused while rooms may be ringing.
"""

from dataclasses import dataclass
from http import HTTPStatus
from sqlite3 import Connection
from typing import Final

from flask import Blueprint, abort, make_response, redirect, render_template, request, url_for
from flask_login import current_user
from werkzeug.wrappers import Response

from evidence.day import load_rooms
from evidence.plan_changes import (
    ArmingAct,
    ArmingKind,
    ArmingLook,
    arm_session,
    arming_acts,
    ask_to_arm,
    disarm_session,
)
from exam.arming import ArmingPlan, effects_of_disarming, read_plan
from exam.arming_warnings import ArmingWarning, SeenWarnings
from exam.course import SessionCourse
from exam.effects import ChangeFacts, EffectRefusal
from web.arming_seal import sealed, seen_in_form
from web.arming_view import ArmingView, arming_view, changed_lines
from web.change_desk import ChangeDesk, find_course
from web.clock_check_view import console_alarm
from web.limits import FAILURES, is_failure, limiter
from web.services import room_topic, services
from web.signed_forms import RefusedFormError, reason_given, second_person

blueprint: Final = Blueprint("arming", __name__)

ACT: Final = "启用自动信号"
NOT_ARMED: Final = "自动信号没有启用"
STILL_ARMED: Final = "自动信号没有停用"
CANCELLED_WORDS: Final = f"本场次已取消，{NOT_ARMED}。"
CHANGED_WORDS: Final = f"计划在您核对之后有变化，{NOT_ARMED}。请看有变化的地方，重新核对后再启用。"
WARNED_WORDS: Final = f"您核对之后又有新的提醒，{NOT_ARMED}。请看标有“新”的，再决定是否启用。"
DONE_MEANWHILE: Final = "情况在您打开页面之后有变化，请看现在的情况再决定。"
RINGING_WORDS: Final = f"信号马上要响或正在响，{STILL_ARMED}。请等它响过再停用。"
UNTOLD_WORDS: Final = f"有考室的设备失去联系，会按原计划自行响铃，{STILL_ARMED}。请先派人到场，再勾选确认。"


class ChangedMeanwhileError(Exception):
    """What was shown is not what is; the message says so."""


@dataclass(frozen=True, slots=True)
class ArmingPage:
    """A session before it is armed, or while it is.

    `untold`: rooms that would ring on if it were not. `seen`: every warning shown in this attempt to arm it.
    `new`: those of them that were not shown before.
    """

    view: ArmingView
    acts: list[ArmingAct]
    untold: frozenset[int]
    seen: SeenWarnings
    new: list[ArmingWarning]

    @property
    def last_act_id(self) -> int:
        """By which the form knows whether somebody armed or disarmed in between; 0: nobody ever."""
        return self.acts[-1].id if self.acts else 0

    @property
    def armed_by(self) -> str:
        """Everybody who had a part in arming it."""
        disarmed = [index for index, one in enumerate(self.acts, 1) if one.kind is ArmingKind.DISARMED]
        lately = self.acts[max(disarmed, default=0) :]
        return "、".join(dict.fromkeys(one.by for one in lately))

    @property
    def armed_plan(self) -> ArmingPlan | None:
        """What was shown to whoever armed it last."""
        return self.acts[-1].plan if self.acts else None

    @property
    def form_seen(self) -> str:
        """The warnings as the form carries them."""
        return sealed(self.view.course.session.id, self.seen)


@blueprint.get("/sessions/<int:session_id>/arm")
def page(session_id: int) -> Response:
    return _page(session_id, "", 200)


@blueprint.post("/sessions/<int:session_id>/arm")
@limiter.limit(FAILURES, deduct_when=is_failure)
def arm(session_id: int) -> Response:
    """Arm what was shown. Pressed again, nothing more is done."""
    try:
        needs_second = services().settings.signals.two_persons_arm
        agreed_by = second_person(ACT, NOT_ARMED) if needs_second else None
        _arm(session_id, agreed_by)
    except RefusedFormError as refusal:
        return _page(session_id, str(refusal), 400)
    except ChangedMeanwhileError as changed:
        return _page(session_id, str(changed), 409)
    return redirect(url_for(".page", session_id=session_id), 303)


@blueprint.post("/sessions/<int:session_id>/disarm")
def disarm(session_id: int) -> Response:
    """Nothing sounds by itself any more."""
    try:
        _disarm(session_id, reason_given())
    except RefusedFormError as refusal:
        return _page(session_id, str(refusal), 400)
    except ChangedMeanwhileError as changed:
        return _page(session_id, str(changed), 409)
    return redirect(url_for(".page", session_id=session_id), 303)


def _arm(session_id: int, agreed_by: int | None) -> None:
    """Arm the plan that was looked at, all in one transaction. Raises ChangedMeanwhileError."""
    seen, clock_wrong = seen_in_form(session_id), console_alarm()
    with services().exam.write() as connection:
        course, now_us = _course(connection, session_id), services().clock.wall_us()
        if course.session.cancelled_at_us is not None:
            raise ChangedMeanwhileError(CANCELLED_WORDS)
        if course.session.armed_at_us is not None:
            return
        view = arming_view(connection, course, now_us, clock_wrong)
        if request.form.get("plan") != view.plan.text:
            raise ChangedMeanwhileError(CHANGED_WORDS)
        _require_same_acts(connection, session_id)
        if seen.unseen(view.against):
            raise ChangedMeanwhileError(WARNED_WORDS)
        look = ArmingLook(view.plan, seen.at_press(view.against))
        if agreed_by is not None:
            ask_to_arm(connection, session_id, current_user.account_id, now_us, look)
        arm_session(connection, session_id, agreed_by or current_user.account_id, now_us, look)
    _wake(course)


def _disarm(session_id: int, reason: str) -> None:
    with services().exam.write() as connection:
        course, now_us = _course(connection, session_id), services().clock.wall_us()
        if course.session.armed_at_us is None:
            return
        _require_same_acts(connection, session_id)
        untold = ChangeDesk(connection, services().procedures, now_us).untold(course)
        told = untold & {int(one) for one in request.form.getlist("told") if one.isdecimal()}
        found = {
            one.refusal for one in effects_of_disarming(course, ChangeFacts(now_us, untold - told)).refusals
        }
        if found:
            is_ringing = EffectRefusal.ABOUT_TO_SOUND in found
            raise ChangedMeanwhileError(RINGING_WORDS if is_ringing else UNTOLD_WORDS)
        labels = [room.label for room in load_rooms(connection).values() if room.id in told]
        by_hand = f"（已派人告知：{'、'.join(labels)}）" if labels else ""
        disarm_session(connection, session_id, current_user.account_id, now_us, reason + by_hand)
    _wake(course)


def _require_same_acts(connection: Connection, session_id: int) -> None:
    """A form that was opened before somebody armed or disarmed is about something else."""
    acts = arming_acts(connection, session_id)
    if request.form.get("last_act") != str(acts[-1].id if acts else 0):
        raise ChangedMeanwhileError(DONE_MEANWHILE)


def _page(session_id: int, fault: str, code: int) -> Response:
    """The session as it is now; what differs from the plan in the form is shown first."""
    now_us, clock_wrong = services().clock.wall_us(), console_alarm()
    with services().exam.read() as connection:
        course = _course(connection, session_id)
        view = arming_view(connection, course, now_us, clock_wrong)
        before = seen_in_form(session_id)
        shown = ArmingPage(
            view,
            arming_acts(connection, session_id),
            ChangeDesk(connection, services().procedures, now_us).untold(course),
            before.looked_again(view.against),
            before.unseen(view.against) if code != HTTPStatus.OK else [],
        )
    is_armed = course.session.armed_at_us is not None
    plan_before = shown.armed_plan if is_armed else read_plan(request.form.get("plan", ""))
    changed = changed_lines(view, plan_before) if plan_before else []
    two_persons = services().settings.signals.two_persons_arm
    content = render_template(
        "arming/page.html", page=shown, view=view, fault=fault, changed=changed, two_persons=two_persons
    )
    return make_response(content, code)


def _course(connection: Connection, session_id: int) -> SessionCourse:
    return find_course(connection, session_id, services().procedures) or abort(404)


def _wake(course: SessionCourse) -> None:
    for room_id in course.session.room_ids:
        services().bus.publish(room_topic(room_id))
