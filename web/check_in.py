"""Check-in on the console, as JSON: what staff do, alarms, doubts, photos. Pages are built on this.

Who may is decided by the rules (`exam.admission_authority`, `exam.doubt_cases`); the table of web.access only
keeps out those who have no business here at all. Room staff see their own rooms.
"""

from collections.abc import Iterable
from typing import Final

from flask import Blueprint, Response, abort, jsonify, request
from flask.typing import ResponseReturnValue
from flask_login import current_user

from evidence import check_in_alarms, doubt_cases
from evidence.accounts import load_signer
from evidence.check_in_acts import ActRefusedError, do_act
from evidence.check_in_pictures import PictureError, PictureStore, record_view, rooms_of_picture
from evidence.check_in_rows import Lane
from evidence.doubt_cases import CaseRow, NewCase
from exam.admission_authority import Refusal, Signed
from exam.doubt_cases import NewStep, case_refusal
from exam.outcomes import outcome_of
from exam.signers import NOBODY, Signer
from web.access import LEAD, concerns_me, may_enter, require_room, roles
from web.bodies import read_body, refused
from web.check_in_bodies import ConsoleActBody, NewCaseBody, SecondBody, SeenBody, StepBody
from web.check_in_words import alarm_json, case_json, told_case_refusal, told_refusal, wake
from web.limits import FAILURES, is_failure, limiter
from web.services import services
from web.signed_forms import RefusedFormError, proved_account

blueprint: Final = Blueprint("check_in", __name__, url_prefix="/check-in")


@blueprint.post("/acts")
@limiter.limit(FAILURES, deduct_when=is_failure)
def act() -> ResponseReturnValue:
    """Do one act; whoever is logged in signs first. Repeated, it gets the stored answer."""
    body = read_body(ConsoleActBody)
    _require_pictures([body.provided.photo_sha256, body.provided.signature_sha256])
    try:
        second_id = None if body.second is None else _other_account(body.second)
    except RefusedFormError as error:
        return refused("second_unknown", str(error), 403)
    everything = services()
    now_us = everything.clock.wall_us()
    try:
        with everything.exam.write() as connection:
            second = None if second_id is None else load_signer(connection, second_id)
            signed = Signed(myself(), second, body.reason, body.approval_no)
            asked = (body.as_new(Lane.CONSOLE, now_us), signed)
            answer = do_act(connection, everything.vault, asked, everything.check_in_rules, now_us)
    except ActRefusedError as error:
        return told_refusal(error.refusal)
    wake(answer.rooms)
    return Response(answer.body, mimetype="application/json")


@blueprint.get("/alarms")
def alarms() -> ResponseReturnValue:
    """What nobody has seen yet, newest first; `?seen=1` what somebody has."""
    with services().exam.read() as connection:
        found = check_in_alarms.load_alarms(connection, seen=request.args.get("seen") == "1")
    mine = [one for one in found if concerns_me(one.subject.session_id, one.subject.room_id)]
    return jsonify(alarms=[alarm_json(one) for one in mine])


@blueprint.post("/alarms/<int:alarm_id>/seen")
def know(alarm_id: int) -> ResponseReturnValue:
    """Keep that this person has seen the alarm, and what was done."""
    body = read_body(SeenBody)
    with services().exam.read() as connection:
        alarm = next(
            (one for one in check_in_alarms.load_alarms(connection, seen=None) if one.id == alarm_id), None
        )
    if alarm is None:
        abort(404)
    if not concerns_me(alarm.subject.session_id, alarm.subject.room_id):
        abort(403)
    with services().exam.write() as connection:
        now_us = services().clock.wall_us()
        is_first = check_in_alarms.acknowledge(
            connection, alarm_id, current_user.account_id, body.note, now_us
        )
    wake(() if alarm.subject.room_id is None else (alarm.subject.room_id,))
    return jsonify(is_first=is_first)


@blueprint.get("/cases")
def cases() -> ResponseReturnValue:
    """Every doubt of the rooms that concern this person, oldest first; `?open=1` those not decided."""
    with services().exam.read() as connection:
        found = doubt_cases.load_cases(connection)
    wanted = [one for one in found if one.facts.is_open or request.args.get("open") != "1"]
    mine = [one for one in wanted if concerns_me(one.facts.session_id, one.facts.room_id)]
    return jsonify(cases=[case_json(one) for one in mine])


@blueprint.post("/cases")
def open_case() -> ResponseReturnValue:
    """A doubt that a person saw, for example when documents are checked again at the seat (13(3))."""
    body = read_body(NewCaseBody)
    everything = services()
    with everything.exam.read() as connection:
        row = connection.execute(
            "select room_id from seating join place on place.id = place_id"
            " where session_id = ? and candidate_id = ?",
            (body.session_id, body.candidate_id),
        ).fetchone()
    if row is None:
        return told_refusal(Refusal.NOBODY)
    require_room(body.session_id, row["room_id"], to_act=True)
    _require_pictures(body.photos)
    new = NewCase(
        outcome_of(body.reason),
        body.candidate_id,
        body.session_id,
        row["room_id"],
        documents_held=body.documents_held,
        photos=tuple(body.photos),
        opened_by=current_user.account_id,
    )
    with everything.exam.write() as connection:
        case_id = doubt_cases.open_case(connection, new, everything.clock.wall_us())
    wake((row["room_id"],))
    return jsonify(case_id=case_id), 201


@blueprint.post("/cases/<int:case_id>/steps")
@limiter.limit(FAILURES, deduct_when=is_failure)
def step(case_id: int) -> ResponseReturnValue:
    """A look or a decision; who may, and when, is the rule's."""
    body = read_body(StepBody)
    try:
        signer_id = current_user.account_id if body.signer is None else _other_account(body.signer)
    except RefusedFormError as error:
        return refused("signer_unknown", str(error), 403)
    everything = services()
    with everything.exam.write() as connection:
        case = _case(doubt_cases.load_cases(connection, [case_id]))
        signer = load_signer(connection, signer_id) or NOBODY
        new = NewStep(body.step, body.finding, signer, body.reason)
        refusal = case_refusal(case.facts, new)
        if refusal is None:
            doubt_cases.take_step(connection, case_id, new, everything.clock.wall_us())
            case = _case(doubt_cases.load_cases(connection, [case_id]))
    if refusal is not None:
        return told_case_refusal(refusal)
    wake(() if case.facts.room_id is None else (case.facts.room_id,))
    return jsonify(case_json(case))


@blueprint.get("/pictures/<digest>")
def picture(digest: str) -> ResponseReturnValue:
    """A photo or signature, to those whose room it concerns; who looks is on record. Nobody's to keep."""
    store = PictureStore(services().settings.check_in_folder, services().vault)
    with services().exam.read() as connection:
        where = rooms_of_picture(connection, digest)
    if not _concern_me(where):
        abort(403)
    try:
        with services().exam.write() as connection:
            record_view(connection, digest, current_user.account_id, services().clock.wall_us())
        with services().exam.read() as connection:
            found = store.read(connection, digest)
    except PictureError:
        abort(404)
    response = Response(found.content, mimetype=found.media_type)
    response.headers["Cache-Control"] = "private, no-store"
    return response


def myself() -> Signer:
    """Who is logged in, as somebody who signs."""
    with services().exam.read() as connection:
        return load_signer(connection, current_user.account_id) or NOBODY


def _concern_me(where: Iterable[tuple[int, int]]) -> bool:
    return bool(roles() & LEAD) or any(may_enter(*one) for one in where)


def _require_pictures(digests: Iterable[str | None]) -> None:
    """Refuse (403) to name a picture of other rooms: naming it would open it for the own room."""
    with services().exam.read() as connection:
        for digest in digests:
            where = rooms_of_picture(connection, digest) if digest else []
            if where and not _concern_me(where):
                abort(403)


def _case(found: list[CaseRow]) -> CaseRow:
    if not found:
        abort(404)
    case = found[0]
    if not concerns_me(case.facts.session_id, case.facts.room_id):
        abort(403)
    return case


def _other_account(other: SecondBody) -> int:
    return proved_account(other.login_name, other.password, "另一人的登录名或密码不正确。没有办理。")
