"""Clients for testing the console: one that carries the CSRF token, as the pages' own scripts do."""

import re
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from argon2 import PasswordHasher
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.serving import WSGIRequestHandler, make_server

from evidence import accounts, logins
from evidence.accounts import NewAccount
from tests.world import PASSWORD, World
from web.access import Role
from web.app import create_app
from web.audio import AUDIO_EXTENSION, RENDERED_EXTENSION
from web.limits import limiter
from web.logins import cookie_name
from web.own_sounds import UNUSABLE_EXTENSION
from web.services import Services, attach

CHEAP_HASH = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)
HTML = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"}


class PageClient(FlaskClient):
    """Sends the CSRF token with every request that changes something, unless `without_csrf` is set."""

    without_csrf = False
    # The browser session that the last token was read in, and that token.
    _known: tuple[str, str] | None = None

    def open(self, *args: Any, **kwargs: Any) -> Any:
        if kwargs.get("method", "GET") not in {"GET", "HEAD", "OPTIONS"} and not self.without_csrf:
            headers = dict(kwargs.get("headers") or {})
            headers.setdefault("X-CSRFToken", self._csrf_token())
            kwargs["headers"] = headers
        return super().open(*args, **kwargs)

    def _csrf_token(self) -> str:
        session = self.get_cookie(self.application.config["SESSION_COOKIE_NAME"])
        if session is None or self._known is None or self._known[0] != session.value:
            token = self._token_of_a_page()
            session = self.get_cookie(self.application.config["SESSION_COOKIE_NAME"])
            assert session is not None
            self._known = session.value, token
        return self._known[1]

    def _token_of_a_page(self) -> str:
        page = super().open("/login", method="GET", headers=HTML).get_data(as_text=True)
        found = re.search(r'name="csrf-token" content="([^"]+)"', page)
        assert found is not None
        return found[1]


_built: list[Flask] = []


def console_over(services: Services) -> Flask:
    """The console over these services: its addresses and templates are prepared once a process only."""
    if not _built:
        _built.append(create_app(services))
    app = _built[0]
    attach(app, services)
    app.config["SECRET_KEY"] = services.vault.index("web/browser-session/1")
    for name in (AUDIO_EXTENSION, RENDERED_EXTENSION, UNUSABLE_EXTENSION):
        app.extensions.pop(name, None)
    app.testing = True
    app.test_client_class = PageClient
    return app


def account_with(world: World, *roles: Role, staff_id: int | None = None) -> int:
    """A new account with these roles; its password is the world's."""
    name = "-".join(role.value for role in roles)
    with world.exam.write() as connection:
        taken = connection.execute("select count(*) from account").fetchone()[0]
        new = NewAccount(f"{name}-{taken}", f"测试{taken}", CHEAP_HASH, roles, staff_id)
        return accounts.create_account(connection, new, world.clock.wall_us())


def token_for(world: World, account_id: int) -> str:
    """An open login for the account."""
    with world.exam.write() as connection:
        return logins.open_login(connection, account_id, world.clock.wall_us())


def client_for(app: Flask, world: World, account_id: int) -> PageClient:
    """A browser in which this account is logged in."""
    client = app.test_client()
    client.set_cookie(cookie_name(app), token_for(world, account_id))
    assert isinstance(client, PageClient)
    return client


def tries_until_slowed(attempt: Callable[[], int]) -> list[int]:
    """The answers to one try after the other, until a minute or an hour has had too many."""
    limiter.reset()
    codes = [attempt()]
    while codes[-1] != 429 and len(codes) <= 300:
        codes.append(attempt())
    limiter.reset()
    assert len(codes) > 40
    return codes


BODY = "tests.body"


class _Answering(WSGIRequestHandler):
    """Closes what it was sending when the browser hangs up: werkzeug does not, when the reset comes late."""

    def connection_dropped(self, error: BaseException, environ: Any = None) -> None:
        del error
        close = getattr((environ or {}).get(BODY), "close", None)
        if close is not None:
            close()


def _remembered(app: Flask) -> Any:
    def answer(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        environ[BODY] = body = app(environ, start_response)
        return body

    return answer


@contextmanager
def serving(app: Flask, port: int = 0) -> Iterator[str]:
    """The app on this loopback port, or a free one; yields its address."""
    server = make_server("127.0.0.1", port, _remembered(app), threaded=True, request_handler=_Answering)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.port}"
    finally:
        app.extensions["kaochang"].bus.close()
        server.shutdown()
        server.server_close()
        thread.join()
