"""Builds the Flask app: every area is a blueprint, every address stands in the table of web.access."""

from http import HTTPStatus
from typing import Final

from flask import Blueprint, Flask, Response, jsonify, render_template, request
from flask_wtf.csrf import CSRFError, CSRFProtect
from werkzeug.exceptions import HTTPException

from evidence.courses import UnknownProcedureError
from web import (
    access,
    accounts_page,
    alarms,
    anchors,
    arming,
    capacity,
    certificate,
    changes_page,
    check_in,
    check_in_desk,
    clock_check_page,
    clock_page,
    clock_steps,
    delays_page,
    disks_page,
    disposals_page,
    doubts_page,
    exports,
    fixity_page,
    hand_signals,
    health,
    holds_page,
    joint_page,
    kiosk_acts,
    kiosk_api,
    kiosk_roster,
    kiosk_sync,
    kiosks_page,
    limits,
    logins,
    look,
    metrics,
    overview_page,
    own_sounds,
    playback,
    players,
    preflight_page,
    proctor,
    readiness_page,
    recording,
    rehearsal_page,
    restart_page,
    retention_page,
    roster_page,
    roster_photos,
    rounds_page,
    seat_checks,
    signal_actions,
    signals,
    speaker_api,
    staff_pins_page,
    tickets,
    timetable_page,
    trust,
    wall_page,
    words,
)
from web.addresses import is_loopback, site_names
from web.asking import wants_page
from web.services import Services, attach, services

# Each area adds its blueprint here and its addresses to web.access.
BLUEPRINTS: Final[tuple[Blueprint, ...]] = (
    look.blueprint,
    health.blueprint,
    metrics.blueprint,
    trust.blueprint,
    accounts_page.blueprint,
    overview_page.blueprint,
    changes_page.blueprint,
    timetable_page.blueprint,
    delays_page.blueprint,
    own_sounds.blueprint,
    rounds_page.blueprint,
    clock_steps.blueprint,
    clock_check_page.blueprint,
    readiness_page.blueprint,
    rehearsal_page.blueprint,
    restart_page.blueprint,
    alarms.blueprint,
    wall_page.blueprint,
    proctor.blueprint,
    roster_page.blueprint,
    roster_photos.blueprint,
    kiosk_api.blueprint,
    kiosk_acts.blueprint,
    check_in.blueprint,
    check_in_desk.blueprint,
    doubts_page.blueprint,
    seat_checks.blueprint,
    kiosk_sync.blueprint,
    kiosks_page.blueprint,
    staff_pins_page.blueprint,
    kiosk_roster.blueprint,
    tickets.blueprint,
    certificate.blueprint,
    retention_page.blueprint,
    holds_page.blueprint,
    disposals_page.blueprint,
    disks_page.blueprint,
    joint_page.blueprint,
    fixity_page.blueprint,
    anchors.blueprint,
    preflight_page.blueprint,
    recording.blueprint,
    signals.blueprint,
    signal_actions.blueprint,
    arming.blueprint,
    hand_signals.blueprint,
    players.blueprint,
    clock_page.blueprint,
    speaker_api.blueprint,
    playback.blueprint,
    exports.blueprint,
)

LARGEST_REQUEST_BYTES: Final = 16 * 1024 * 1024

# Scripts, styles and pictures come from this machine only; hls.js starts its worker from a blob.
POLICY: Final = "; ".join(
    [
        "default-src 'self'",
        "img-src 'self' data:",
        "media-src 'self' blob:",
        "worker-src 'self' blob:",
        "object-src 'none'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    ]
)


def create_app(services: Services) -> Flask:
    """The console over these services. Served over HTTPS unless the settings say loopback."""
    host = services.settings.web.host
    app = Flask(__name__)
    app.config.update(
        SECRET_KEY=services.vault.index("web/browser-session/1"),
        SESSION_COOKIE_NAME="kaochang-form",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=not is_loopback(host),
        MAX_CONTENT_LENGTH=LARGEST_REQUEST_BYTES,
        TRUSTED_HOSTS=site_names(host),
        WTF_CSRF_CHECK_DEFAULT=False,  # the gate in web.access asks, after it knows who comes
        WTF_CSRF_TIME_LIMIT=None,  # a proctor's page stays open for a whole session
    )
    attach(app, services)
    restart_page.guard(app)
    limits.install(app)
    csrf = CSRFProtect(app)
    logins.install(app)
    roster_photos.install(app)
    access.guard(app, csrf)
    words.install(app)
    capacity.install(app)
    check_in_desk.install(app)
    doubts_page.install(app)
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)
    app.after_request(_headers)
    app.register_error_handler(HTTPException, _refusal)
    app.register_error_handler(UnknownProcedureError, _no_procedure)
    return app


def _headers(response: Response) -> Response:
    response.headers["Content-Security-Policy"] = POLICY
    response.headers["X-Server-Now-Us"] = str(services().clock.wall_us())
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["X-Frame-Options"] = "DENY"
    response.headers["Referrer-Policy"] = "same-origin"
    response.headers["Cross-Origin-Opener-Policy"] = "same-origin"
    if request.is_secure:
        response.headers["Strict-Transport-Security"] = "max-age=31536000"
    if response.mimetype in {"text/html", "application/json"}:
        response.headers.setdefault("Cache-Control", "no-store")
    return response


def _refusal(error: HTTPException) -> tuple[Response | str, int]:
    code = error.code or 500
    word, advice = words.refusal(code)
    if isinstance(error, CSRFError):
        word, advice = "页面已过期", "请刷新页面后再提交。您输入的内容没有保存。"
    return _refused(code, word, advice)


def _no_procedure(error: UnknownProcedureError) -> tuple[Response | str, int]:
    """A page about a session whose procedure file has gone: what still goes on, and who mends it."""
    session = error.session
    return _refused(
        HTTPStatus.SERVICE_UNAVAILABLE,
        f"场次 {session.code} 缺少流程文件",
        f"找不到可用的流程文件“{session.procedure_code}.toml”。录像不受影响，其他场次照常。"
        "请系统管理员放回或改正该文件，并重新启动控制台；此前请按纸质流程进行。",
    )


def _refused(code: int, word: str, advice: str) -> tuple[Response | str, int]:
    if wants_page():
        return render_template("refusal.html", code=code, word=word, advice=advice), code
    return jsonify(error=word, advice=advice, code=code), code
