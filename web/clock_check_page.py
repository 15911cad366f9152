"""The clock check of the day (时钟核对, 13(1) 核准时间, R8): look at every clock, put right, confirm, print.

Whoever answers for the exam confirms what was found, right or not: a fact with its leaf in the ledger. A
reference clock without a cable is read by a person.
"""

from pathlib import Path
from typing import Any, Final

from flask import Blueprint, Response, abort, make_response, redirect, render_template, request, url_for
from flask_login import current_user
from werkzeug.wrappers import Response as AnyResponse

from config.clock_check import load_clock_check
from evidence.clock_checks import (
    KeptClockCheck,
    NewClockCheck,
    ReferenceReading,
    clock_checks_since,
    find_check,
    keep_check,
    keep_reading,
)
from exam.clock import MINUTE_US
from exam.clock_check import next_minute_us, reading_by_hand
from web.clock_check_view import ClockSheet, clock_sheet, sheet_of
from web.downloads import printed
from web.services import ANY_TOPIC, services
from web.stream import event_stream

blueprint: Final = Blueprint("clock_check", __name__, url_prefix="/clock-check")

STYLESHEET: Final = Path(__file__).parent / "static" / "checks" / "sheet.css"
LONGEST_REFERENCE: Final = 40
SHORTEST_NOTE: Final = 2
LONGEST_NOTE: Final = 400
# Checks that the page lists.
LATELY_US: Final = 7 * 24 * 60 * MINUTE_US
NO_TIME: Final = "请按“时:分:秒”填写参考时钟的时间，例如 09:31:00，并写明是哪个时钟。没有记录。"
NO_NOTE: Final = "有时钟不准或没有测到：请写明怎样处理（2至400字）。没有记录。"
MOVED: Final = "读数刚刚有变化：请看过现在的结果再确认。没有记录。"


@blueprint.get("/")
def page() -> str:
    return render_template("clock_check/page.html", **_facts())


@blueprint.get("/live")
def live() -> str:
    return render_template("clock_check/live.html", **_facts())


@blueprint.get("/stream")
def stream() -> Response:
    return event_stream(ANY_TOPIC)


@blueprint.post("/readings")
def read_reference() -> AnyResponse:
    """Keep what a reference clock shows now; the request itself is the press."""
    now_us = services().clock.wall_us()
    reference = request.form.get("reference", "").strip()[:LONGEST_REFERENCE]
    offset_us = reading_by_hand(request.form.get("shown_time", ""), now_us)
    if offset_us is None or not reference:
        return _again(NO_TIME, 400)
    with services().exam.write() as connection:
        keep_reading(connection, ReferenceReading(reference, offset_us, current_user.account_id, now_us))
    services().bus.publish(ANY_TOPIC)
    return redirect(url_for(".page"), 303)


@blueprint.post("/")
def confirm() -> AnyResponse:
    """Keep the check of all clocks, as it was shown."""
    sheet, note = clock_sheet(), request.form.get("note", "").strip()
    if request.form.get("shown") != sheet.shown:
        return _again(MOVED, 409)
    if sheet.to_do and not SHORTEST_NOTE <= len(note) <= LONGEST_NOTE:
        return _again(NO_NOTE, 400)
    new = NewClockCheck([one.clock for one in sheet.clocks], note, current_user.account_id)
    with services().exam.write() as connection:
        check_id = keep_check(connection, new, services().clock.wall_us())
    services().bus.publish(ANY_TOPIC)
    return redirect(url_for(".kept", check_id=check_id), 303)


@blueprint.get("/<int:check_id>")
def kept(check_id: int) -> str:
    check, sheet = _find(check_id)
    return render_template("clock_check/kept.html", check=check, sheet=sheet)


@blueprint.get("/<int:check_id>.pdf")
def pdf(check_id: int) -> Response:
    """Reads nothing but its own stylesheet; fonts are embedded."""
    check, sheet = _find(check_id)
    paper = render_template("clock_check/paper.html", check=check, sheet=sheet)
    return printed(paper, STYLESHEET, f"clock-check-{check_id}.pdf")


def _find(check_id: int) -> tuple[KeptClockCheck, ClockSheet]:
    with services().exam.read() as connection:
        check = find_check(connection, check_id)
    if check is None:
        abort(404)
    return check, sheet_of(check.clocks)


def _again(fault: str, code: int) -> AnyResponse:
    """The page once more, with what was typed and what is wrong with it."""
    content = render_template("clock_check/page.html", **_facts(), fault=fault)
    return make_response(content, code)


def _facts() -> dict[str, Any]:
    now_us = services().clock.wall_us()
    with services().exam.read() as connection:
        checks = clock_checks_since(connection, now_us - LATELY_US)
    return {
        "typed": request.form,
        "sheet": clock_sheet(),
        "checks": checks,
        "references": load_clock_check().references.offered,
        "next_minute_us": next_minute_us(now_us),
    }
