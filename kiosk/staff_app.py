"""The staff page of the kiosk and its loopback interface: PIN, looking people up, acting on them, locking.

PINs and what is looked up travel in bodies only. The caller guards the app: loopback and our own page alone.
"""

import re
import sqlite3
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, Final

from flask import Flask, abort, jsonify, render_template, request
from flask.typing import ResponseReturnValue

from config.ticket_sheet import load_ticket_words
from exam.admission_authority import Act
from exam.clock import site_time
from exam.doubt_cases import SEEN_DOUBTS
from exam.outcomes import outcome_of
from exam.plain import to_plain
from exam.staff_acts import AT_KIOSKS, OfferedAct
from kiosk.staff_acting import Acted, Wanted, Whom, choices, doubt_words
from kiosk.staff_desk import StaffDesk
from kiosk.staff_pins import Attempt, Tried

PIN_DIGITS: Final = 6
LONGEST_WORDS: Final = 20
WORDS: Final[Mapping[Tried, str]] = {
    Tried.OPEN: "",
    Tried.WRONG: "工号或口令不正确。",
    Tried.PAUSED: "本机输错次数过多。",
    Tried.NO_ROOM: "口令正确，但本机没有您负责的考场的名单。",
    Tried.UNKNOWN: "本机没有名单，或没有这个口令。请接通网络后再试。",
}
WAIT: Final = "请{}以后再试；急用请换一台签到机，或在控制台办理。"
BROKEN: Final = "本机硬盘写不进去，不能核验口令。请换一台签到机，报告系统管理员。"
NOT_KEPT: Final = "本机硬盘写不进去，没有办理。请换一台签到机，报告系统管理员。"
LOCKED: Final = "已锁定，请重新输入口令。"
SECOND: Final = "没有办理。第二人："
SEEN: Final = "查验证件：{}。{}"
NONCE: Final = re.compile(r"[A-Za-z0-9_-]{16,64}")


def add_staff(app: Flask, desk: StaffDesk) -> None:
    """Serve the staff page and what it asks for."""

    @app.get("/staff")
    def staff() -> str:
        """The page for staff."""
        return render_template("staff.html")

    @app.get("/local/staff/state")
    def staff_state() -> ResponseReturnValue:
        """Whose PIN is open, whether one can be tried, and with one open: what a person must look at.

        Nobody else is named: anybody can open this page.
        """
        aside = [
            {"at": f"{site_time(one.scanned_at_us):%m-%d %H:%M}", "problem": one.problem}
            for one in desk.aside()
        ]
        return jsonify(open=desk.name, ready=desk.is_ready, aside=aside)

    _add_unlock(app, desk)
    _add_lookup(app, desk)
    _add_acts(app, desk)


def _add_unlock(app: Flask, desk: StaffDesk) -> None:
    @app.post("/local/staff/unlock")
    def staff_unlock() -> ResponseReturnValue:
        """Try a PIN."""
        number, pin = _asked("number", int), _pin("pin")
        try:
            attempt = desk.unlock(number, pin)
        except sqlite3.Error:
            return jsonify(tried="broken", words=BROKEN), 503
        return jsonify(
            tried=attempt.tried, words=_words(attempt)
        ), 200 if attempt.tried is Tried.OPEN else 403

    @app.post("/local/staff/lock")
    def staff_lock() -> ResponseReturnValue:
        """Close what was opened."""
        desk.lock()
        return jsonify(open="")


def _add_lookup(app: Flask, desk: StaffDesk) -> None:
    @app.post("/local/staff/lookup")
    def staff_lookup() -> ResponseReturnValue:
        """Who is meant by a seat or by the tail of a number."""
        words = _asked("words", str)
        if not 0 < len(words) <= LONGEST_WORDS:
            abort(400)
        found = desk.find(words)
        if found is None:
            return jsonify(words=LOCKED), 403
        return jsonify(found=[asdict(one) for one in found], alone=desk.alone)


def _add_acts(app: Flask, desk: StaffDesk) -> None:
    @app.post("/local/staff/offered")
    def staff_offered() -> ResponseReturnValue:
        """What may be done about somebody, and for each act what there is to choose."""
        offered = desk.offered(_whom())
        if offered is None:
            return jsonify(words=LOCKED), 403
        if isinstance(offered, Acted):
            return jsonify(words=offered.words), 409
        choice = {one.act: _choices(one) for one in offered.offers}
        return jsonify(
            against=to_plain(offered.against),
            refused=to_plain(offered.refused),
            offers=[{**to_plain(one), **choice[one.act]} for one in offered.offers],
            documents=load_ticket_words().document_types,
        )

    @app.post("/local/staff/act")
    def staff_act() -> ResponseReturnValue:
        """Do one act by the console's rule; the words say what came of it."""
        try:
            acted = desk.act(_wanted(), _second())
        except sqlite3.Error:
            return jsonify(done=False, words=NOT_KEPT), 503
        if acted is None:
            return jsonify(words=LOCKED), 403
        if isinstance(acted, Attempt):
            return jsonify(tried=acted.tried, words=SECOND + _words(acted)), 403
        told = {"done": acted.is_done, "words": acted.words, "turned_away": acted.is_turned_away}
        return jsonify(told), 200 if acted.is_done else 409


def _choices(offer: OfferedAct) -> dict[str, Any]:
    """Reasons or doubts on buttons, and when the attempt was that the act speaks of."""
    doubts = [{"doubt": one, "words": doubt_words(one)} for one in offer.doubts]
    at_us = offer.attempt_at_us
    return {
        "doubts": doubts,
        "reasons": choices(offer.act),
        "attempt_at": "" if at_us is None else f"{site_time(at_us):%H:%M}",
    }


def _whom() -> Whom:
    return Whom(_asked("candidate_id", int), _asked("session_id", int))


def _wanted() -> Wanted:
    """The act as the page chose it. By hand the document that was seen stands before the reason."""
    act, whom = _asked("act", str), _whom()
    if act not in AT_KIOSKS:
        abort(400)
    if act == Act.PROVISIONAL:
        doubt = outcome_of(_asked("doubt", str))
        if doubt not in SEEN_DOUBTS:
            abort(400)
        return Wanted(Act(act), whom, doubt_words(doubt), doubt=doubt)
    reason = _asked("reason", str)
    if reason not in choices(Act(act)):
        abort(400)
    if act == Act.BY_HAND:
        return Wanted(Act(act), whom, SEEN.format(_document(), reason))
    attempt = _asked("attempt_nonce", str)
    if not NONCE.fullmatch(attempt):
        abort(400)
    return Wanted(Act(act), whom, reason, attempt)


def _document() -> str:
    named = _asked("document", str)
    words = {str(one): told for one, told in load_ticket_words().document_types.items()}
    return words.get(named) or abort(400)


def _second() -> tuple[int, str] | None:
    """Number and PIN of whoever agrees, together or not at all."""
    body = request.get_json(silent=True)
    if isinstance(body, dict) and "second_number" in body:
        return _asked("second_number", int), _pin("second_pin")
    return None


def _pin(name: str) -> str:
    pin: str = _asked(name, str)
    if len(pin) != PIN_DIGITS or not pin.isascii() or not pin.isdigit():
        abort(400)
    return pin


def _asked(name: str, kind: type) -> Any:
    body = request.get_json(silent=True)
    value = body.get(name) if isinstance(body, dict) else None
    if type(value) is not kind:
        abort(400)
    return value


def _words(attempt: Attempt) -> str:
    wait = "" if attempt.until_us is None else WAIT.format(f"{site_time(attempt.until_us):%H:%M:%S}")
    return WORDS[attempt.tried] + wait
