"""Server-side logins behind flask-login: the cookie holds a random token, the database its digest.

Logging out, being disabled and being idle too long take effect with the next request, because
every request looks the token up.
"""

from dataclasses import dataclass
from typing import Final

from flask import Flask, Request, Response, g, request, session
from flask_login import LoginManager

from evidence import accounts, logins
from exam.clock import MINUTE_US
from web.access import Role
from web.asking import is_automatic
from web.restart_doubt import open_doubt
from web.services import services

# Nobody stays logged in longer than one exam day.
LONGEST_US: Final = 12 * 60 * MINUTE_US
# These accounts see footage or run the machine: an open screen is a danger.
CAREFUL: Final = frozenset({Role.ADMINISTRATOR, Role.SUPERVISOR, Role.ARCHIVIST, Role.AUDITOR})
CAREFUL_IDLE_US: Final = 30 * MINUTE_US
IDLE_US: Final = 4 * 60 * MINUTE_US
NOTED_EVERY_US: Final = MINUTE_US


@dataclass(frozen=True, slots=True)
class Visitor:
    """The person behind a request, in the shape flask-login asks for."""

    account_id: int
    login_id: int
    login_name: str
    display_name: str
    staff_id: int | None
    roles: frozenset[Role]
    is_authenticated: bool = True
    is_active: bool = True
    is_anonymous: bool = False

    def get_id(self) -> str:
        return str(self.account_id)


def cookie_name(app: Flask) -> str:
    """Bound to this host and to HTTPS wherever HTTPS is served."""
    return "__Host-kaochang" if app.config["SESSION_COOKIE_SECURE"] else "kaochang"


def install(app: Flask) -> None:
    """Let flask-login find the visitor of each request."""
    manager = LoginManager(app)
    manager.session_protection = None  # nothing of the login is kept in the browser's session
    manager.request_loader(lambda request: _visitor(app, request))


def let_in(app: Flask, response: Response, account_id: int) -> Response:
    """Open a login and hand its token to the browser. Replaces whatever login the browser had."""
    _close(app)
    with services().exam.write() as connection:
        token = logins.open_login(connection, account_id, services().clock.wall_us())
    response.set_cookie(
        cookie_name(app),
        token,
        max_age=LONGEST_US // 1_000_000,
        secure=app.config["SESSION_COOKIE_SECURE"],
        httponly=True,
        samesite="Lax",
        path="/",
    )
    return response


def let_out(app: Flask, response: Response) -> Response:
    """Close the login of this browser, here and in the database."""
    _close(app)
    response.delete_cookie(cookie_name(app), path="/", secure=app.config["SESSION_COOKIE_SECURE"])
    return response


def _close(app: Flask) -> None:
    session.clear()  # the CSRF token goes with the login
    token = request.cookies.get(cookie_name(app))
    if not token:
        return
    with services().exam.write() as connection:
        found = logins.find_login(connection, token)
        if found is not None:
            logins.close_login(connection, found.id, services().clock.wall_us())


def _visitor(app: Flask, request: Request) -> Visitor | None:
    token = request.cookies.get(cookie_name(app))
    if not token:
        return None
    doubt = open_doubt(app)
    now_us = services().clock.wall_us() if doubt is None else doubt.kept.kept_at_us
    with services().exam.read() as connection:
        login = logins.find_login(connection, token)
        account = None if login is None else accounts.load_account(connection, login.account_id)
    if login is None or account is None:
        return None
    roles = frozenset(Role(role) for role in account.roles)
    if _is_over(login, roles, now_us):
        if doubt is None:
            with services().exam.write() as connection:
                logins.close_login(connection, login.id, now_us)
        g.login_over = True
        return None
    if doubt is None and not is_automatic() and now_us - login.last_used_at_us >= NOTED_EVERY_US:
        with services().exam.write() as connection:
            logins.use_login(connection, login.id, now_us)
    return Visitor(account.id, login.id, account.login_name, account.display_name, account.staff_id, roles)


def _is_over(login: logins.OpenLogin, roles: frozenset[Role], now_us: int) -> bool:
    idle_us = CAREFUL_IDLE_US if roles & CAREFUL else IDLE_US
    return now_us - login.opened_at_us > LONGEST_US or now_us - login.last_used_at_us > idle_us
