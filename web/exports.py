"""Exporting footage (导出): who takes what, why and where to; then how far it is, and where it lies.

The console only writes the order; the recorder carries it out. A page can be left and come back to. Target
folders are those of the settings, chosen by number: no path ever comes from a browser.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask_login import current_user
from werkzeug.wrappers import Response as AnyResponse

from config.footage_words import load_footage_words
from evidence import day
from evidence.export_orders import (
    GB,
    ExportRequest,
    SiteCamera,
    export_orders,
    find_export,
    give_export_order,
    site_cameras,
)
from evidence.export_plan import Asker, CopyOptions
from evidence.work_orders import WorkState
from web.access import may
from web.playback_choice import Choice, Wanted, checked, submitted, suggested
from web.services import services

blueprint: Final = Blueprint("exports", __name__, url_prefix="/exports")

LONGEST_NAME: Final = 60
STATE_WORDS: Final[Mapping[WorkState, tuple[str, str]]] = {
    WorkState.WAITING: ("wait", "等待录像服务"),
    WorkState.RUNNING: ("wait", "正在导出"),
    WorkState.DONE: ("good", "已完成"),
    WorkState.FAILED: ("bad", "未完成"),
}


@dataclass(frozen=True, slots=True)
class Form:
    """What was sent, or is suggested; `choice` is the part that playback asks for as well."""

    choice: Choice
    cameras: frozenset[str] = frozenset()
    organisation: str = ""
    second_person: str = ""
    target: int = 0
    max_gb: str = ""
    with_play: bool = True
    burn_in: bool = False
    read_back: bool = True
    faults: list[str] = field(default_factory=list)


@blueprint.get("/")
def page() -> str:
    with services().exam.read() as connection:
        rooms = list(day.load_rooms(connection).values())
        sessions = day.load_sessions(connection)
        cameras = site_cameras(connection)
    choice = suggested(request.args, rooms, sessions, services().clock.wall_us())
    chosen = frozenset(camera.uuid for camera in cameras if str(camera.room_id) == choice.room)
    return _page(Form(choice, chosen))


@blueprint.post("/")
def order() -> tuple[str, int] | AnyResponse:
    """Write the order down; the recorder finds it there."""
    now_us = services().clock.wall_us()
    with services().exam.read() as connection:
        known = {camera.uuid: camera for camera in site_cameras(connection)}
        rooms = day.load_rooms(connection)
    chosen = [known[uuid] for uuid in request.form.getlist("camera") if uuid in known]
    form = _form(chosen)
    wanted = checked(form.choice, rooms.values(), now_us)
    faults = [*([] if isinstance(wanted, Wanted) else wanted), *_faults(form)]
    if faults or not isinstance(wanted, Wanted):
        form.faults.extend(fault for fault in faults if chosen or fault != "请选择考场。")
        return _page(form), 400
    asked = ExportRequest(
        account_id=current_user.account_id,
        room_ids=tuple(sorted({camera.room_id for camera in chosen})),
        camera_uuids=tuple(camera.uuid for camera in chosen),
        interval=wanted.interval,
        target=services().settings.export_folders[form.target],
        asker=Asker(current_user.display_name, form.organisation, form.second_person, wanted.reason),
        options=_options(form),
    )
    with services().exam.write() as connection:
        order_id = give_export_order(connection, asked, now_us)
    return redirect(url_for(".progress", order_id=order_id), 303)


@blueprint.get("/<int:order_id>")
def progress(order_id: int) -> str:
    """How far it is; asks again by itself until it is over."""
    with services().exam.read() as connection:
        found = find_export(connection, order_id)
    if found is None:
        abort(404)
    made = services().footage.report(order_id)
    return render_template("exports/progress.html", wish=found, made=made, words=STATE_WORDS[made.state])


def _page(form: Form) -> str:
    with services().exam.read() as connection:
        orders = [(each, services().footage.report(each.order_id)) for each in export_orders(connection)]
        cameras = site_cameras(connection)
    return render_template(
        "exports/page.html",
        form=form,
        choice=form.choice,
        cameras=cameras,
        orders=orders,
        words=STATE_WORDS,
        folders=services().settings.export_folders,
        reasons=load_footage_words().reasons,
        may_order=may("exports.order"),
    )


def _form(chosen: list[SiteCamera]) -> Form:
    sent = request.form
    choice = submitted({**sent.to_dict(), "room": str(chosen[0].room_id) if chosen else ""})
    target = sent.get("target", "0")
    return Form(
        choice,
        frozenset(camera.uuid for camera in chosen),
        sent.get("organisation", "").strip(),
        sent.get("second_person", "").strip(),
        int(target) if target.isascii() and target.isdigit() else -1,
        sent.get("max_gb", "").strip(),
        "with_play" in sent,
        "burn_in" in sent,
        "read_back" in sent,
    )


def _faults(form: Form) -> list[str]:
    said: list[str] = []
    if not form.cameras:
        said.append("请至少选择一台摄像机。")
    if not 2 <= len(form.organisation) <= LONGEST_NAME:
        said.append("请填写调取人员的单位。")
    if len(form.second_person) > LONGEST_NAME:
        said.append("在场第二人的姓名过长。")
    if not 0 <= form.target < len(services().settings.export_folders):
        said.append("请选择导出到哪里。")
    if form.max_gb and not _is_size(form.max_gb):
        said.append("每个介质的容量请填写整数（GB），不限制则留空。")
    return said


def _is_size(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 6 and int(text) > 0


def _options(form: Form) -> CopyOptions:
    max_bytes = int(form.max_gb) * GB if form.max_gb else None
    return CopyOptions(max_bytes, form.with_play, form.burn_in, form.read_back)
