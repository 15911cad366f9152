"""Camera preflight (摄像机检查): order a check, watch it, read and print every camera's findings.

The pictures show rooms, so whoever administers the machine reads the findings without them.
"""

import base64
from pathlib import Path
from typing import Any, Final

from flask import Blueprint, Response, abort, redirect, render_template, request, url_for
from flask_login import current_user
from werkzeug.wrappers import Response as AnyResponse

from evidence.preflight import preflight_picture
from evidence.work_orders import NewOrder, OrderKind, give_order
from web.access import LEAD, PATROL, Role, roles
from web.downloads import printed
from web.preflight_view import CameraCheck, PreflightView, load_view
from web.services import ANY_TOPIC, services
from web.stream import event_stream

blueprint: Final = Blueprint("preflight", __name__, url_prefix="/preflight")

STYLESHEET: Final = Path(__file__).parent / "static" / "preflight" / "sheet.css"
LONGEST_REASON: Final = 200
USUAL_REASON: Final = "考前摄像机检查"
TOPIC: Final = "preflight"
# Cameras that somebody must go to stand first; among equals the order of the rooms stays.
_URGENCY: Final = ("bad", "wait", "off", "good")


@blueprint.get("/")
def page() -> str:
    return render_template("preflight/page.html", **_facts(_view()))


@blueprint.get("/live")
def live() -> str:
    return render_template("preflight/live.html", **_facts(_view()))


@blueprint.get("/stream")
def stream() -> Response:
    return event_stream(ANY_TOPIC)


@blueprint.post("/")
def start() -> AnyResponse:
    """Order a check of the cameras named, or of all; one that is going on is not ordered twice."""
    view = _view()
    known = {check.camera.uuid for check in view.cameras}
    chosen = [uuid for uuid in request.form.getlist("camera") if uuid in known]
    if view.cameras and (view.run is None or not view.run.is_running):
        reason = request.form.get("reason", "").strip()[:LONGEST_REASON] or USUAL_REASON
        new = NewOrder(OrderKind.CAMERA_PREFLIGHT, {"cameras": chosen}, reason, current_user.account_id)
        with services().exam.write() as connection:
            give_order(connection, new, services().clock.wall_us())
        services().bus.publish(TOPIC)
    return redirect(url_for(".page"), 303)


@blueprint.get("/pictures/<int:order_id>/<uuid:camera_uuid>.jpg")
def picture(order_id: int, camera_uuid: object) -> Response:
    """The view that a check kept. It never changes, but it is nobody's to keep."""
    found = _picture(order_id, str(camera_uuid)) if may_see_pictures() else abort(403)
    if found is None:
        abort(404)
    response = Response(found, mimetype="image/jpeg")
    response.headers["Cache-Control"] = "private, no-store"
    return response


@blueprint.get("/sheet.pdf")
def pdf() -> Response:
    """Reads nothing but its own stylesheet; pictures and fonts are embedded."""
    facts = _facts(_view()) | {"picture_of": _embedded}
    return printed(render_template("preflight/paper.html", **facts), STYLESHEET, "camera-preflight.pdf")


def may_see_pictures() -> bool:
    """Whether the person who asks may see rooms: never with an account that administers the machine."""
    return bool(roles() & (LEAD | PATROL)) and Role.ADMINISTRATOR not in roles()


def _view() -> PreflightView:
    with services().exam.read() as connection:
        return load_view(connection, services().footage(), services().clock.wall_us())


def _picture(order_id: int, camera_uuid: str) -> bytes | None:
    footage = services().footage()
    if footage is None:
        return None
    with footage.read() as connection:
        return preflight_picture(connection, order_id, camera_uuid)


def _address(check: CameraCheck) -> str | None:
    if check.result is None or check.result.picture_sha256 is None or not may_see_pictures():
        return None
    return url_for(".picture", order_id=check.result.order_id, camera_uuid=check.camera.uuid)


def _embedded(check: CameraCheck) -> str | None:
    if check.result is None or not may_see_pictures():
        return None
    found = _picture(check.result.order_id, check.camera.uuid)
    return None if found is None else "data:image/jpeg;base64," + base64.b64encode(found).decode("ascii")


def _facts(view: PreflightView) -> dict[str, Any]:
    return {
        "view": view,
        "checks": sorted(view.cameras, key=lambda check: _URGENCY.index(check.verdict[0])),
        "picture_of": _address,
        "sees_pictures": may_see_pictures(),
        "made_at_us": services().clock.wall_us(),
        "made_by": current_user.display_name,
    }
