"""Everybody's own page 签到口令: set the six digits by which one proves oneself at a kiosk.

The password is asked again, because a tablet lies about logged in. The PIN is stretched and forgotten;
what is kept cannot be turned back into it but by trying (docs/design/kiosk-sync.md).
"""

import threading
from typing import Final

from flask import Blueprint, Response, make_response, redirect, render_template, request, url_for
from flask_login import current_user
from werkzeug.wrappers import Response as AnyResponse

from evidence.staff_pins import new_pin, pin_set_at_us, set_pin
from exam.pins import pin_fault
from web.accounts_page import account_of, slowed_until
from web.limits import FAILURES, is_failure, limiter
from web.services import services
from web.words import clock_words

blueprint: Final = Blueprint("staff_pins", __name__)

# Stretching takes 128 MiB: one at a time.
_ONE: Final = threading.Lock()


@blueprint.get("/pin")
def page() -> Response:
    return _page("", 200)


@blueprint.post("/pin")
@limiter.limit(FAILURES, deduct_when=is_failure)
def choose() -> AnyResponse:
    """Set the PIN of the person who asks, and of nobody else."""
    pin = request.form.get("pin", "").strip()
    fault = pin_fault(pin)
    if fault is None and pin != request.form.get("pin_again", "").strip():
        fault = "两次输入的口令不一致。"
    fault = fault or _password_fault()
    if fault is not None:
        return _page(fault, 400)
    with _ONE:
        new = new_pin(pin)
    with services().exam.write() as connection:
        set_pin(connection, current_user.account_id, new, services().clock.wall_us())
    return redirect(url_for("staff_pins.page"), 303)


def _password_fault() -> str | None:
    name = current_user.login_name
    until_us = slowed_until(name)
    if until_us:
        return f"连续多次输入有误，请在{clock_words(until_us)}之后再试。"
    if account_of(name, request.form.get("password", "")) != current_user.account_id:
        return "登录密码不正确，口令没有更改。"
    return None


def _page(fault: str, code: int) -> Response:
    with services().exam.read() as connection:
        set_at_us = pin_set_at_us(connection, current_user.account_id)
    page = render_template(
        "staff_pins/page.html", fault=fault, set_at_us=set_at_us, number=current_user.account_id
    )
    return make_response(page, code)
