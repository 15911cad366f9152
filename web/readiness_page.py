"""The site before an exam day (考前核对单): what is ready, what is open and what to do; signed, printed.

Whoever answers for the exam signs what was found, ready or not: a fact with its leaf in the ledger.
"""

from pathlib import Path
from typing import Any, Final

from flask import Blueprint, Response, abort, make_response, redirect, render_template, request, url_for
from flask_login import current_user
from werkzeug.wrappers import Response as AnyResponse

from evidence.readiness import (
    KeptSheet,
    NewSheet,
    Printed,
    find_sheet,
    keep_printer_check,
    last_printer_check,
    sheets_of,
    sign_sheet,
)
from exam.clock import SECOND_US
from web.downloads import printed
from web.readiness_view import (
    PLACES,
    STATE_WORDS,
    ReadinessFacts,
    ReadinessView,
    readiness_facts,
    view_of,
)
from web.services import ANY_TOPIC, services
from web.stream import event_stream

blueprint: Final = Blueprint("readiness", __name__, url_prefix="/readiness")

STYLESHEET: Final = Path(__file__).parent / "static" / "checks" / "sheet.css"
SHORTEST_NOTE: Final = 2
LONGEST_NOTE: Final = 400
# Within this time the same word of the same person about the printer is a second press.
SAME_PRESS_US: Final = 10 * SECOND_US
NO_NOTE: Final = "还有没有完成的：请写明谁在什么时候做完（2至400字）。没有签署。"
MOVED: Final = "情况刚刚有变化：请看过现在的结果再签署。没有签署。"
SIGNED_BY_ANOTHER: Final = "另一人刚刚签署了这一天的核对单：请看下面的记录。没有再签署。"
NO_DAY: Final = "没有将要进行的场次，没有可以签署的。"


class SignedMeanwhileError(Exception):
    """A sheet was signed since the page was shown."""

    def __init__(self, sheet: KeptSheet) -> None:
        super().__init__(f"sheet {sheet.id}")
        self.sheet = sheet


@blueprint.get("/")
def page() -> str:
    return render_template("readiness/page.html", **_words(readiness_facts()))


@blueprint.get("/live")
def live() -> str:
    return render_template("readiness/live.html", **_words(readiness_facts()))


@blueprint.get("/stream")
def stream() -> Response:
    return event_stream(ANY_TOPIC)


@blueprint.post("/")
def sign() -> AnyResponse:
    """Keep what was shown. Pressed twice, it is signed once."""
    facts, note = readiness_facts(), request.form.get("note", "").strip()
    if facts.view is None:
        return _again(NO_DAY, 409)
    try:
        sheet_id = _sign(facts.view, note)
    except SignedMeanwhileError as signed:
        if signed.sheet.account_id != current_user.account_id:
            return _again(SIGNED_BY_ANOTHER, 409)
        sheet_id = signed.sheet.id
    services().bus.publish(ANY_TOPIC)
    if sheet_id is None:
        is_moved = request.form.get("shown") != facts.view.shown
        return _again(MOVED if is_moved else NO_NOTE, 409 if is_moved else 400)
    return redirect(url_for(".kept", sheet_id=sheet_id), 303)


@blueprint.post("/printer")
def printer() -> AnyResponse:
    """What the person at the printer saw. Pressed twice, it is one word."""
    outcome = request.form.get("outcome")
    if outcome not in set(Printed):
        abort(400)
    me, now_us = current_user.account_id, services().clock.wall_us()
    with services().exam.write() as connection:
        last, just_now = (
            last_printer_check(connection, 1),
            last_printer_check(connection, now_us - SAME_PRESS_US),
        )
        is_again = just_now is not None and (just_now.outcome, just_now.account_id) == (outcome, me)
        if request.form.get("last") == str(last.id if last else 0) and not is_again:
            keep_printer_check(connection, Printed(outcome), me, now_us)
    services().bus.publish(ANY_TOPIC)
    return redirect(url_for(".page"), 303)


@blueprint.get("/test-page.pdf")
def test_page() -> Response:
    return printed(render_template("readiness/test_page.html"), STYLESHEET, "test-page.pdf")


@blueprint.get("/<int:sheet_id>")
def kept(sheet_id: int) -> str:
    return render_template("readiness/kept.html", **_kept(sheet_id))


@blueprint.get("/<int:sheet_id>.pdf")
def pdf(sheet_id: int) -> Response:
    """Reads nothing but its own stylesheet; fonts are embedded."""
    paper = render_template("readiness/paper.html", **_kept(sheet_id))
    return printed(paper, STYLESHEET, f"readiness-{sheet_id}.pdf")


def _sign(view: ReadinessView, note: str) -> int | None:
    """The sheet's id; None when it may not be signed so. Raises SignedMeanwhileError.

    The page refreshes itself between two presses, so the same sheet with the same note is signed once, too.
    """
    day = view.day.isoformat()
    is_noted = not view.to_do or SHORTEST_NOTE <= len(note) <= LONGEST_NOTE
    with services().exam.write() as connection:
        newest = next(iter(sheets_of(connection, day)), None)
        if newest is not None and (
            request.form.get("last") != str(newest.id) or _is_same(newest, view, note)
        ):
            raise SignedMeanwhileError(newest)
        if request.form.get("shown") != view.shown or not is_noted:
            return None
        new = NewSheet(day, view.lines, note, current_user.account_id)
        return sign_sheet(connection, new, services().clock.wall_us())


def _is_same(kept: KeptSheet, view: ReadinessView, note: str) -> bool:
    """Whether this person signed this very sheet already."""
    mine = (list(view.lines), note, current_user.account_id)
    return (kept.lines, kept.note, kept.account_id) == mine


def _kept(sheet_id: int) -> dict[str, Any]:
    with services().exam.read() as connection:
        sheet = find_sheet(connection, sheet_id) or abort(404)
    return {"sheet": sheet, "view": view_of(sheet), **_names()}


def _again(fault: str, code: int) -> AnyResponse:
    """The page once more, with what was typed and what is wrong with it."""
    content = render_template("readiness/page.html", **_words(readiness_facts()), fault=fault)
    return make_response(content, code)


def _words(facts: ReadinessFacts) -> dict[str, Any]:
    with services().exam.read() as connection:
        last = last_printer_check(connection, 1)
    return {
        "view": facts.view,
        "sheets": facts.sheets,
        "last_printer": last.id if last else 0,
        "typed": request.form,
        **_names(),
    }


def _names() -> dict[str, Any]:
    return {"state_words": STATE_WORDS, "places": PLACES}
