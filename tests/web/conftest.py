"""The console over the small world: services, app, a client per role, a live server, real Chromium."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from playwright.sync_api import Browser, Page

from config.procedures import load_procedures
from config.settings import Settings
from tests.axe import SIZES
from tests.chromium import started_chromium
from tests.evidence.check_ins import Desk
from tests.web.console import PageClient, account_with, client_for, console_over, serving, token_for
from tests.web.restarted import Restarted, restarted_console
from tests.web.test_audio import HummingVoice
from tests.world import World, build_world
from web.access import Role
from web.audio import prepare
from web.limits import limiter
from web.logins import cookie_name
from web.own_sounds import lay_recordings
from web.restart_doubt import EXTENSION
from web.services import FootageReader, Services


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    built = build_world(tmp_path)
    yield built
    built.close()


@pytest.fixture
def services(world: World) -> Iterator[Services]:
    """The world's databases behind the console; the world closes them."""
    settings = Settings(data_folder=world.folder)
    opened = Services(
        settings, world.clock, world.exam, FootageReader(world.folder / "footage.db"), world.vault
    )
    yield opened
    opened.bus.close()
    opened.footage.close()


@pytest.fixture
def app(services: Services) -> Flask:
    built = console_over(services)
    limiter.reset()
    return built


@pytest.fixture(scope="session")
def hummed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the sounds of all announcements, hummed."""
    made = tmp_path_factory.mktemp("audio")
    prepare(made, load_procedures(), HummingVoice())
    return made


@pytest.fixture
def sounding(app: Flask, services: Services, hummed: Path) -> Flask:
    """The console with its rendered speech prepared."""
    services.settings.audio_folder.symlink_to(hummed)
    lay_recordings(app, services, prepare(hummed, load_procedures(), HummingVoice()))
    return app


@pytest.fixture
def anonymous(app: Flask) -> PageClient:
    client = app.test_client()
    assert isinstance(client, PageClient)
    return client


@pytest.fixture
def as_role(app: Flask, world: World) -> Callable[[Role], PageClient]:
    """A logged-in client for a fresh account with the role, without any duty."""
    return lambda role: client_for(app, world, account_with(world, role))


@pytest.fixture
def proctor(app: Flask, world: World) -> PageClient:
    """王芳, proctor of 第1考场 in T1."""
    return client_for(app, world, world.proctor_account_id)


@pytest.fixture
def site_lead(app: Flask, world: World) -> PageClient:
    """李强, responsible for the whole of T1."""
    return client_for(app, world, world.site_lead_account_id)


@pytest.fixture
def administrator(app: Flask, world: World) -> PageClient:
    return client_for(app, world, world.administrator_account_id)


@pytest.fixture
def kiosk(app: Flask) -> FlaskClient:
    """A client without cookies and without a CSRF token, as a kiosk is."""
    return FlaskClient(app, app.response_class, use_cookies=False)


@pytest.fixture
def desk(world: World) -> Desk:
    """Check-ins of the small world."""
    return Desk(world)


@pytest.fixture
def restarted(world: World) -> Restarted:
    """The machine restarted in the middle of T1, and nobody has vouched for its clock yet."""
    return restarted_console(world)


@pytest.fixture
def shut(app: Flask, restarted: Restarted) -> Iterator[Restarted]:
    """The console shut because of that."""
    app.extensions[EXTENSION] = restarted.doubt
    yield restarted
    del app.extensions[EXTENSION]


@pytest.fixture
def live(app: Flask) -> Iterator[str]:
    """The console on a real socket; the address without a trailing slash."""
    with serving(app) as address:
        yield address


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    with started_chromium() as browser:
        yield browser


@pytest.fixture
def open_page(
    chromium: Browser, live: str, app: Flask, world: World
) -> Iterator[Callable[[int | None, str, str], Page]]:
    """Open a path of the live console as an account (None: nobody) at one of SIZES.

    The test fails when the page logs an error, so a script that dies is noticed.
    """
    contexts, complaints = [], []

    def opened(account_id: int | None, path: str, size: str = "tablet") -> Page:
        width, height = SIZES[size]
        context = chromium.new_context(
            viewport={"width": width, "height": height}, locale="zh-CN", timezone_id="Asia/Shanghai"
        )
        contexts.append(context)
        if account_id is not None:
            context.add_cookies(
                [{"name": cookie_name(app), "value": token_for(world, account_id), "url": live}]
            )
        page = context.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(live + path)
        return page

    yield opened
    for context in contexts:
        context.close()
    assert complaints == []
