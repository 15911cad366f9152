"""证据盘: every volume and mirror there ever was; what is lost is declared here, and brought back (整卷恢复).

The console only reads rows and writes orders and decisions; the recorder copies.
"""

from collections.abc import Mapping
from typing import Final

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_login import current_user
from werkzeug.wrappers import Response as AnyResponse

from evidence.disk_views import (
    MirrorView,
    RestoreRequest,
    VolumeView,
    give_restore_order,
    mirror_views,
    volume_views,
)
from evidence.joint_decisions import DecisionKind, JointRow, joint_rows
from evidence.work_orders import OrderKind, WorkState, orders
from web import retention_words
from web.retention_page import reason_of_form
from web.services import services

blueprint: Final = Blueprint("disks", __name__, url_prefix="/disks")

SHOWN_ORDERS: Final = 10
STATE_WORDS: Final[Mapping[WorkState, tuple[str, str]]] = {
    WorkState.WAITING: ("wait", "等待录像服务"),
    WorkState.RUNNING: ("wait", "正在恢复"),
    WorkState.DONE: ("good", "已全部恢复"),
    WorkState.FAILED: ("bad", "没有全部恢复"),
}


@blueprint.get("/")
def page() -> str:
    volumes, mirrors = _disks()
    with services().exam.read() as connection:
        given = orders(connection, OrderKind.VOLUME_RESTORE)[-SHOWN_ORDERS:][::-1]
        asked = joint_rows(connection, DecisionKind.GIVE_UP_MIRROR)
    latest: dict[str, JointRow] = {}
    for each in asked:
        latest.setdefault(each.subject, each)
    return render_template(
        "disks/page.html",
        volumes=volumes,
        targets=[each for each in volumes if each.is_there],
        mirrors=[(each, latest.get(each.uuid)) for each in mirrors],
        orders=[(each, services().footage.report(each.id)) for each in given],
        state_words=STATE_WORDS,
        words=retention_words,
    )


@blueprint.post("/restore")
def restore() -> AnyResponse:
    """Order a lost volume to be brought back; the recorder finds the order there."""
    volumes, _mirrors = _disks()
    known = {each.id: each for each in volumes}
    lost = known.get(request.form.get("volume", 0, type=int))
    target = known.get(request.form.get("target", 0, type=int))
    if lost is None or target is None or not reason_of_form():
        flash("请选择恢复到哪个证据卷，并填写原因。")
    elif lost.is_there:
        flash("这个证据卷仍然接着，没有丢失，不需要整卷恢复。")
    elif not target.is_there:
        flash("目标证据卷没有接上。")
    else:
        asked = RestoreRequest(lost, target, reason_of_form(), current_user.account_id)
        with services().exam.write() as connection:
            give_restore_order(connection, asked, services().clock.wall_us())
    return redirect(url_for(".page"), 303)


def _disks() -> tuple[list[VolumeView], list[MirrorView]]:
    index = services().footage()
    if index is None:  # no recorder has ever run here
        return [], []
    with index.read() as footage:
        return volume_views(footage), mirror_views(footage)
