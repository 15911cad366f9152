"""Disposal registers (销毁清册): proposed, approved by two, given time from outside, ordered (R19).

The console only writes what people decide. The recorder carries it out and asks everything again before
each file. Who tries what is not his is refused, and that is on record too.
"""

from pathlib import Path
from typing import Any, Final

import structlog
from flask import Blueprint, Response, abort, redirect, render_template, request, url_for
from flask_login import current_user
from werkzeug.wrappers import Response as AnyResponse

from config.retention import load_retention_policy
from evidence.disposal_attempts import Attempt, note_attempt
from evidence.disposal_plans import (
    APPROVED,
    REJECTED,
    Plan,
    PlanError,
    Proposal,
    add_authority,
    decide_plan,
    find_plan,
    load_authorities,
    load_plans,
    order_disposal,
    propose_plan,
)
from evidence.disposal_progress import Outcome, camera_labels, plan_outcome
from evidence.disposal_times import add_time, check_time
from evidence.due_list import due_files, outlook
from evidence.joint_decisions import DecisionKind, decided_subjects, joint_rows
from evidence.outside_time import (
    Authority,
    AuthorityKind,
    OutsideTimeError,
    cosigned_text,
    cosigner_token,
    time_question,
)
from evidence.retention import load_batches
from web import retention_words
from web.downloads import download, printed
from web.retention_page import decision, policy, reason_of_form
from web.services import services

blueprint: Final = Blueprint("disposals", __name__, url_prefix="/disposals")

STYLESHEET: Final = Path(__file__).parent / "static" / "retention" / "register.css"
# More lines than this are not printed: the list itself is a text file whose digest stands on the register.
MOST_LINES: Final = 500
LARGEST_TOKEN_BYTES: Final = 64 * 1024
REFUSED: Final = 400
REVOKED: Final = DecisionKind.REVOKE_AUTHORITY

_log: Final = structlog.get_logger("disposal")


@blueprint.after_app_request
def note_refused(response: Response) -> Response:
    """Write down who was refused here, or sent a DELETE anywhere."""
    is_ours = request.blueprint == blueprint.name and request.method == "POST"
    if response.status_code >= REFUSED and (is_ours or request.method == "DELETE"):
        endpoint = request.endpoint or "none"
        _log.warning("disposal_attempt_refused", endpoint=endpoint, answer=response.status_code)
        if current_user.is_authenticated:
            attempt = Attempt(endpoint, current_user.account_id, response.status_code)
            with services().exam.write() as connection:
                note_attempt(connection, attempt, services().clock.wall_us())
    return response


@blueprint.get("/")
def page() -> str:
    with services().exam.read() as connection:
        plans = load_plans(connection)
        revocations = {each.subject: each for each in joint_rows(connection, REVOKED)[::-1]}
        authorities = [(row, revocations.get(str(row["id"]))) for row in load_authorities(connection)]
        batches = load_batches(connection)
    return render_template(
        "retention/disposals.html",
        plans=[(each, _outcome(each)) for each in plans],
        authorities=authorities,
        batches=[batch for batch in batches if batch.closed_at_us is not None],
        words=retention_words,
    )


@blueprint.post("/")
def propose() -> AnyResponse:
    batch_id = request.form.get("batch", type=int)
    appraisal = request.form.get("appraisal", "").strip()
    index = services().footage()
    if batch_id is None or not appraisal or index is None:
        return _refused("请选择批次并填写鉴定意见。", ".page")
    with services().exam.read() as exam, index.read() as footage:
        view = outlook(exam, policy().years, services().clock.wall_us())
        files = due_files(footage, view, batch_id)
    proposal = Proposal(batch_id, load_retention_policy().footage.legal_basis, appraisal, files)
    try:
        with services().exam.write() as connection:
            plan_id = propose_plan(connection, proposal, decision(appraisal))
    except PlanError as error:
        return _refused(str(error), ".page")
    return redirect(url_for(".plan", plan_id=plan_id), 303)


@blueprint.get("/<int:plan_id>")
def plan(plan_id: int) -> str:
    return render_template("retention/plan.html", **_facts(plan_id), moment="2032-01-05T01:00:00Z")


@blueprint.post("/<int:plan_id>/decide")
def decide(plan_id: int) -> AnyResponse:
    _known(plan_id)
    verdict = request.form.get("verdict", "")
    if verdict not in {APPROVED, REJECTED} or not reason_of_form():
        return _refused("请填写审批意见。", ".plan", plan_id)
    try:
        with services().exam.write() as connection:
            decide_plan(connection, plan_id, verdict, decision(reason_of_form()))
    except PlanError as error:
        return _refused(str(error), ".plan", plan_id)
    return redirect(url_for(".plan", plan_id=plan_id), 303)


@blueprint.get("/<int:plan_id>/list.txt")
def document(plan_id: int) -> Response:
    """The frozen list itself; `sha256sum` of it is the digest that was approved."""
    found = _known(plan_id)
    return download(found.document.encode(), "text/plain; charset=utf-8", f"disposal-{plan_id}.txt")


@blueprint.get("/<int:plan_id>/question.tsq")
def question(plan_id: int) -> Response:
    """What to send to a time stamping authority."""
    return download(
        time_question(_known(plan_id).digest), "application/timestamp-query", f"disposal-{plan_id}.tsq"
    )


@blueprint.get("/<int:plan_id>/cosign.txt")
def cosign(plan_id: int) -> Response:
    """What a cosigner signs, for the moment that he puts in."""
    text = cosigned_text(_known(plan_id).digest, request.args.get("moment", ""))
    return download(text.encode(), "text/plain; charset=utf-8", f"cosign-{plan_id}.txt")


@blueprint.post("/<int:plan_id>/time")
def take_time(plan_id: int) -> AnyResponse:
    _known(plan_id)
    authority_id = request.form.get("authority", type=int)
    try:
        token = _token()
        # Another program checks it: nobody shall wait for that to write a check-in.
        with services().exam.read() as connection:
            checked = check_time(connection, plan_id, authority_id or 0, token)
        with services().exam.write() as connection:
            add_time(connection, checked, decision("外部时间"))
    except (PlanError, OutsideTimeError) as error:
        return _refused(str(error), ".plan", plan_id)
    return redirect(url_for(".plan", plan_id=plan_id), 303)


@blueprint.post("/<int:plan_id>/order")
def order(plan_id: int) -> AnyResponse:
    """The last decision by people: from here on the recorder acts."""
    _known(plan_id)
    try:
        with services().exam.write() as connection:
            order_disposal(connection, plan_id, request.form.getlist("witness"), decision("按清册执行销毁"))
    except PlanError as error:
        return _refused(str(error), ".plan", plan_id)
    return redirect(url_for(".plan", plan_id=plan_id), 303)


@blueprint.get("/<int:plan_id>/register.pdf")
def register(plan_id: int) -> Response:
    """The register on A4, to be signed by those who watched; reads nothing but its own stylesheet."""
    page = render_template("retention/register.html", **_facts(plan_id), most_lines=MOST_LINES)
    return printed(page, STYLESHEET, f"disposal-register-{plan_id}.pdf")


@blueprint.post("/authorities")
def register_authority() -> AnyResponse:
    name = request.form.get("name", "").strip()
    kind = request.form.get("kind", "")
    upload = request.files.get("pem")
    if not name or kind not in set(AuthorityKind) or upload is None:
        return _refused("请填写名称、种类并选择文件。", ".page")
    pem = upload.stream.read(LARGEST_TOKEN_BYTES).decode("ascii", "replace").strip() + "\n"
    try:
        with services().exam.write() as connection:
            add_authority(connection, name, Authority(AuthorityKind(kind), pem), decision("登记时间来源"))
    except (PlanError, OutsideTimeError) as error:
        return _refused(str(error), ".page")
    return redirect(url_for(".page"), 303)


def _token() -> bytes:
    upload = request.files.get("token")
    if upload is not None and upload.filename:
        return upload.stream.read(LARGEST_TOKEN_BYTES)
    return cosigner_token(request.form.get("moment", ""), request.form.get("signature", ""))


def _known(plan_id: int) -> Plan:
    try:
        with services().exam.read() as connection:
            return find_plan(connection, plan_id)
    except PlanError:
        abort(404)


def _outcome(found: Plan) -> Outcome:
    index = services().footage()
    if index is None:
        return Outcome({}, frozenset(), ())
    with index.read() as footage:
        return plan_outcome(footage, found.id, [each.id for each in found.orders])


def _facts(plan_id: int) -> dict[str, Any]:
    found = _known(plan_id)
    with services().exam.read() as connection:
        names = {row.id: row for row in load_batches(connection)}
        labels = camera_labels(connection)
        revoked = decided_subjects(connection, REVOKED)
        authorities = [
            row
            for row in load_authorities(connection)
            if row["recorded_at_us"] <= found.proposed_at_us and str(row["id"]) not in revoked
        ]
    return {
        "plan": found,
        "head": found.head,
        "files": found.files,
        "batch": names[found.batch_id],
        "outcome": _outcome(found),
        "cameras": labels,
        "authorities": authorities,
        "approved": [each for each in found.approvals if each.decision == APPROVED],
        "words": retention_words,
    }


def _refused(sentence: str, endpoint: str, plan_id: int | None = None) -> AnyResponse:
    """The page again with the sentence, as a refusal that is written down."""
    target = url_for(endpoint) if plan_id is None else url_for(endpoint, plan_id=plan_id)
    return Response(render_template("retention/refused.html", sentence=sentence, target=target), 409)
