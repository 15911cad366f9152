"""The doors: logging in and out, the first administrator, and the accounts page.

No account exists at first start. The one-time link printed then makes the first administrator,
who makes everybody else.
"""

from typing import Final

from flask import (
    Blueprint,
    Response,
    abort,
    current_app,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)
from flask_login import current_user
from werkzeug.wrappers import Response as AnyResponse

from evidence import accounts, logins
from evidence.accounts import AccountError, NewAccount
from web.access import APART_FROM_ADMINISTRATOR, EVERYBODY, Role, may
from web.limits import FAILURES, is_failure, limiter
from web.logins import let_in, let_out
from web.navigation import first_page
from web.services import services
from web.words import clock_words

blueprint: Final = Blueprint("accounts", __name__)


@blueprint.get("/")
def home() -> AnyResponse:
    """Everybody starts at the first page that is theirs; every role has one (a test sees to it)."""
    return redirect(url_for(first_page(may)))


@blueprint.route("/login", methods=["GET", "POST"])
@limiter.limit(FAILURES, methods=["POST"], deduct_when=is_failure)
def login() -> AnyResponse:
    if request.method == "GET":
        return _login_page("", 200)
    name = request.form.get("login_name", "").strip().lower()
    wait_until_us = slowed_until(name)
    if wait_until_us:
        return _login_page(f"连续多次输入有误，请在{clock_words(wait_until_us)}之后再试。", 429)
    account_id = account_of(name, request.form.get("password", ""))
    if account_id is None:
        return _login_page("登录名或密码不正确，请重新输入。", 401)
    return let_in(current_app, redirect(_target()), account_id)  # type: ignore[arg-type]


@blueprint.post("/logout")
def logout() -> AnyResponse:
    return let_out(current_app, redirect(url_for("accounts.login")))  # type: ignore[arg-type]


@blueprint.route("/first-administrator/<token>", methods=["GET", "POST"])
@limiter.limit(FAILURES, deduct_when=is_failure)
def first_administrator(token: str) -> AnyResponse:
    with services().exam.read() as connection:
        if not logins.is_invitation_open(connection, token, services().clock.wall_us()):
            return make_response(render_template("accounts/link_over.html"), 404)
    if request.method == "GET":
        return make_response(render_template("accounts/first_administrator.html", fault="", form={}))
    try:
        account_id = _create([Role.ADMINISTRATOR], invitation=token)
    except AccountError as error:
        page = render_template("accounts/first_administrator.html", fault=str(error), form=request.form)
        return make_response(page, 400)
    return let_in(current_app, redirect(url_for("accounts.home")), account_id)  # type: ignore[arg-type]


@blueprint.get("/accounts")
def listing() -> AnyResponse:
    return _accounts_page("", 200)


@blueprint.post("/accounts")
def create() -> AnyResponse:
    try:
        _create(request.form.getlist("roles"))
    except AccountError as error:
        return _accounts_page(str(error), 400)
    return redirect(url_for("accounts.listing"))


@blueprint.post("/accounts/<int:account_id>/disable")
def disable(account_id: int) -> AnyResponse:
    if account_id == current_user.account_id:
        return _accounts_page("不能停用自己正在使用的账户。", 400)
    try:
        with services().exam.write() as connection:
            accounts.disable_account(connection, account_id, services().clock.wall_us())
    except AccountError as error:
        return _accounts_page(str(error), 400)
    return redirect(url_for("accounts.listing"))


def slowed_until(name: str) -> int:
    """The moment from which this name may be tried again, when that is still to come; else 0."""
    now_us = services().clock.wall_us()
    with services().exam.read() as connection:
        until_us = logins.next_try_at_us(connection, _name_index(name), now_us)
    if until_us <= now_us:
        return 0
    _record(name, None, "slowed")
    return until_us


def account_of(name: str, password: str) -> int | None:
    """The account whose name and password these are; every try is kept."""
    with services().exam.read() as connection:
        found = accounts.password_hash_of(connection, name)
    account_id, password_hash = found or (None, None)
    fits = accounts.is_password(password_hash, password)
    _record(name, account_id, "opened" if fits else "refused")
    return account_id if fits else None


def _record(name: str, account_id: int | None, outcome: str) -> None:
    attempt = logins.Attempt(_name_index(name), account_id, outcome, request.remote_addr or "")
    with services().exam.write() as connection:
        logins.record_attempt(connection, attempt, services().clock.wall_us())


def _name_index(name: str) -> bytes:
    return services().vault.index(f"login_name/{name}")


def _target() -> str:
    """Where the person wanted to go; only inside this console."""
    target = request.form.get("next", "")
    inside = target.startswith("/") and not target.startswith(("//", "/\\"))
    return target if inside else url_for("accounts.home")


def _create(roles: list[str], invitation: str | None = None) -> int:
    form = request.form
    name, password = form.get("login_name", "").strip().lower(), form.get("password", "")
    _check_form(name, password, roles)
    password_hash = accounts.hash_password(password)
    now_us = services().clock.wall_us()
    with services().exam.write() as connection:
        if invitation is not None and not logins.use_invitation(connection, invitation, now_us):
            abort(404)
        staff_id = _staff_id(form.get("badge_no", "").strip())
        new = NewAccount(name, form["display_name"].strip(), password_hash, roles, staff_id)
        return accounts.create_account(connection, new, now_us)


def _check_form(name: str, password: str, roles: list[str]) -> None:
    if not name or not request.form.get("display_name", "").strip():
        raise AccountError("请填写姓名和登录名。")
    if password != request.form.get("password_again", ""):
        raise AccountError("两次输入的密码不一致。")
    fault = accounts.password_fault(password, name)
    if fault:
        raise AccountError(fault)
    if not set(roles) <= EVERYBODY:
        raise AccountError("所选角色不存在。")
    if Role.ADMINISTRATOR in roles and APART_FROM_ADMINISTRATOR & set(roles):
        raise AccountError("系统管理员不得兼任可调阅录像或管理档案的角色。")


def _staff_id(badge_no: str) -> int | None:
    if not badge_no:
        return None
    with services().exam.read() as connection:
        staff_id = accounts.staff_by_badge(connection, badge_no)
    if staff_id is None:
        raise AccountError(f"工作人员名单中没有证卡号“{badge_no}”。")
    return staff_id


def _login_page(fault: str, code: int) -> Response:
    form = {"login_name": request.form.get("login_name", ""), "next": request.values.get("next", "")}
    return make_response(render_template("accounts/login.html", fault=fault, form=form), code)


def _accounts_page(fault: str, code: int) -> Response:
    with services().exam.read() as connection:
        known = accounts.load_accounts(connection)
    page = render_template(
        "accounts/listing.html",
        accounts=known,
        roles=list(Role),
        fault=fault,
        form=request.form,
        chosen=request.form.getlist("roles"),
    )
    return make_response(page, code)
