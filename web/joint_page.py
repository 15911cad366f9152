"""What two people decide together (两人决定): a source of time is revoked, a lost mirror is given up.

Each is asked for and decided where it is shown: on the page of disposals, and on that of disks.
"""

from typing import Final

from flask import Blueprint, abort, flash, redirect, url_for
from werkzeug.wrappers import Response as AnyResponse

from evidence.disk_views import mirror_views
from evidence.joint_decisions import DecisionKind, decide_jointly, find_joint, propose_jointly
from evidence.time_authorities import load_authority
from exam.joint_decisions import JointError, Step
from web.retention_page import decision, reason_of_form
from web.services import services

blueprint: Final = Blueprint("joint", __name__, url_prefix="/decisions")

SHOWN_AT: Final = {
    DecisionKind.REVOKE_AUTHORITY: "disposals.page",
    DecisionKind.GIVE_UP_MIRROR: "disks.page",
}
# What the second person may do, or who asked for it.
TAKEN: Final = frozenset({Step.CONFIRMED, Step.WITHDRAWN})


@blueprint.post("/authorities/<int:authority_id>")
def revoke_authority(authority_id: int) -> AnyResponse:
    """Ask for a source of time to be revoked."""
    with services().exam.read() as connection:
        if load_authority(connection, authority_id) is None:
            abort(404)
    return _propose(DecisionKind.REVOKE_AUTHORITY, str(authority_id))


@blueprint.post("/mirrors/<int:mirror_id>")
def give_up_mirror(mirror_id: int) -> AnyResponse:
    """Ask for a mirror to be given up for lost."""
    index = services().footage()
    if index is None:
        abort(404)
    with index.read() as footage:
        known = {each.id: each for each in mirror_views(footage)}
    if mirror_id not in known:
        abort(404)
    if known[mirror_id].is_there:
        flash("这个副本盘仍然接着，没有灭失。")
        return redirect(url_for(SHOWN_AT[DecisionKind.GIVE_UP_MIRROR]), 303)
    return _propose(DecisionKind.GIVE_UP_MIRROR, known[mirror_id].uuid)


@blueprint.post("/<int:decision_id>/<step>")
def take(decision_id: int, step: str) -> AnyResponse:
    """Confirm or withdraw what was asked for."""
    if step not in TAKEN or not reason_of_form():
        abort(400)
    with services().exam.read() as connection:
        known = find_joint(connection, decision_id)
    if known is None:
        abort(404)
    try:
        with services().exam.write() as connection:
            decide_jointly(connection, decision_id, Step(step), decision(reason_of_form()))
    except JointError as error:
        flash(str(error))
    return redirect(url_for(SHOWN_AT[known.kind]), 303)


def _propose(kind: DecisionKind, subject: str) -> AnyResponse:
    if not reason_of_form():
        abort(400)
    try:
        with services().exam.write() as connection:
            propose_jointly(connection, kind, subject, decision(reason_of_form()))
    except JointError as error:
        flash(str(error))
    return redirect(url_for(SHOWN_AT[kind]), 303)
