"""The page 签到机: enrol, bind, switch, roll and revoke kiosks, and see how each of them is.

A one-time token is shown once, in the answer to the press that made it; it stands in no address and in
no log. Decisions need a reason where somebody will ask for it later.
"""

from typing import Final

from flask import Blueprint, Response, abort, make_response, redirect, render_template, request, url_for
from flask_login import current_user
from werkzeug.wrappers import Response as AnyResponse

from evidence import kiosk_enrolments, kiosks
from evidence.kiosk_enrolments import Offer
from evidence.kiosks import Scope
from evidence.recording_orders import Who
from evidence.staff_pins import unlock
from exam.clock import MINUTE_US
from exam.enrolment import LOOPBACK, VALID_US, EnrolmentText
from web.kiosk_roster import TOPIC
from web.kiosks_view import load_view, need_words
from web.services import services
from web.stream import event_stream
from web.ticket_sheet import qr_of
from web.tls import Certificates, fingerprint

blueprint: Final = Blueprint("kiosks_page", __name__, url_prefix="/kiosks")

LONGEST_LABEL: Final = 20
SHORTEST_REASON: Final = 2
LONGEST_REASON: Final = 200


class _Refused(Exception):  # noqa: N818 - an answer to the person, not a fault
    """What was asked cannot be done; the message says what to do."""


@blueprint.get("")
def page() -> Response:
    return _page("", 200)


@blueprint.get("/live")
def live() -> Response:
    return _page("", 200, "kiosks/live.html")


@blueprint.get("/stream")
def stream() -> Response:
    return event_stream(TOPIC)


@blueprint.post("/enrolments")
def enrol() -> Response:
    """Make a one-time text for a new kiosk, or for one that enrols again, and show it once."""
    try:
        wanted = _wanted()
    except _Refused as refusal:
        return _page(str(refusal), 400)
    now_us = services().clock.wall_us()
    with services().exam.write() as connection:
        token = kiosk_enrolments.offer(connection, wanted, current_user.account_id, now_us)
    files = Certificates(services().settings.keys_folder)
    url = request.host_url.rstrip("/")
    mark = fingerprint(files.ca).replace(":", "").lower() if url.startswith("https:") else ""
    text = EnrolmentText(url, token, mark)
    content = render_template(
        "kiosks/enrolment.html",
        wanted=wanted,
        line=text.to_line(),
        qr=qr_of(text.to_json()),
        ends_at_us=now_us + VALID_US,
        minutes=VALID_US // MINUTE_US,
        is_local=request.host.rpartition(":")[0] in LOOPBACK,
    )
    return make_response(content)


@blueprint.post("/<int:kiosk_id>/switch")
def switch(kiosk_id: int) -> AnyResponse:
    """Take the kiosk out of service, or back."""
    is_out = request.form.get("to") == "out"
    try:
        who = Who(current_user.account_id, _reason() if is_out else "")
    except _Refused as refusal:
        return _page(str(refusal), 400)
    _kiosk(kiosk_id)
    with services().exam.write() as connection:
        kiosk_enrolments.switch(connection, kiosk_id, who, services().clock.wall_us(), is_out=is_out)
    return _done()


@blueprint.post("/<int:kiosk_id>/revoke")
def revoke(kiosk_id: int) -> AnyResponse:
    """Shut the kiosk out; it wipes itself when it next asks."""
    _kiosk(kiosk_id)
    try:
        who = Who(current_user.account_id, _reason())
    except _Refused as refusal:
        return _page(str(refusal), 400)
    with services().exam.write() as connection:
        kiosk_enrolments.revoke(connection, kiosk_id, who, services().clock.wall_us())
    return _done()


@blueprint.post("/<int:kiosk_id>/roll")
def roll(kiosk_id: int) -> AnyResponse:
    """Let the kiosk fetch another token."""
    if _kiosk(kiosk_id).public_key is None:
        return _page("这台签到机登记时没有密钥，不能更换令牌。请重新登记。", 409)
    with services().exam.write() as connection:
        kiosk_enrolments.want_roll(connection, kiosk_id, services().clock.wall_us())
    return _done()


@blueprint.post("/<int:kiosk_id>/bind")
def bind(kiosk_id: int) -> AnyResponse:
    """Let the kiosk serve other rooms and sessions."""
    _kiosk(kiosk_id)
    with services().exam.write() as connection:
        who = Who(current_user.account_id, "")
        kiosk_enrolments.bind(connection, kiosk_id, _scope(), who, services().clock.wall_us())
    return _done()


@blueprint.post("/pins/<int:account_id>/unlock")
def unlock_pin(account_id: int) -> AnyResponse:
    """Let a person try again whose PIN was locked after too many wrong tries."""
    with services().exam.write() as connection:
        known = connection.execute("select 1 from staff_pin where account_id = ?", (account_id,)).fetchone()
        if known is None:
            abort(404)
        unlock(connection, account_id, current_user.account_id, services().clock.wall_us())
    return _done()


def _done() -> AnyResponse:
    services().bus.publish(TOPIC)
    return redirect(url_for("kiosks_page.page"), 303)


def _kiosk(kiosk_id: int) -> kiosks.Kiosk:
    with services().exam.read() as connection:
        found = kiosks.load_kiosk(connection, kiosk_id)
    return found if found is not None else abort(404)


def _wanted() -> Offer:
    again = request.form.get("kiosk", type=int)
    with services().exam.read() as connection:
        if again is not None:
            row = connection.execute("select label from kiosk where id = ?", (again,)).fetchone()
            if row is None:
                abort(404)
            return Offer(row["label"], kiosks.scope_of(connection, again), again)
        label = request.form.get("label", "").strip()
        if not 1 <= len(label) <= LONGEST_LABEL:
            raise _Refused(f"请填写签到机名称（不超过{LONGEST_LABEL}个字）。")
        if connection.execute("select 1 from kiosk where label = ?", (label,)).fetchone():
            raise _Refused(f"已有名为“{label}”的签到机。换机器请用它的“重新登记”，新增请换一个名称。")
    return Offer(label, _scope())


def _scope() -> Scope:
    """The rooms and sessions that were ticked; those that do not exist are left out."""
    with services().exam.read() as connection:
        rooms = {row["id"] for row in connection.execute("select id from room")}
        sessions = {row["id"] for row in connection.execute("select id from session")}
    return Scope(
        tuple(sorted(rooms & set(request.form.getlist("room", type=int)))),
        tuple(sorted(sessions & set(request.form.getlist("session", type=int)))),
    )


def _reason() -> str:
    reason = request.form.get("reason", "").strip()
    if not SHORTEST_REASON <= len(reason) <= LONGEST_REASON:
        raise _Refused("请写明原因（2至200字）。")
    return reason


def _page(fault: str, code: int, template: str = "kiosks/page.html") -> Response:
    now_us = services().clock.wall_us()
    with services().exam.read() as connection:
        view = load_view(connection, now_us)
        number = 1 + connection.execute("select count(*) from kiosk").fetchone()[0]
    content = render_template(
        template,
        view=view,
        fault=fault,
        needs=[(one, need_words(one, view.rooms)) for one in view.needs],
        suggestion=request.form.get("label", "") or f"{number}号签到机",
    )
    return make_response(content, code)
