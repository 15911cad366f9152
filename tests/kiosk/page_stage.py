"""The candidate screen in real Chromium, and what is measured on it."""

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
from playwright.sync_api import Browser, Page, expect

from kiosk.agent import Agent
from kiosk.clips import Clips
from kiosk.screen_app import create_screen
from tests.axe import STILL
from tests.kiosk.paper import bars, face, qr, tray
from tests.kiosk.stage import TICKET, FakeConsole, served

MEASURES = Path(__file__).with_name("page_measures.js").read_text(encoding="utf-8").partition("\n")[2]
GUIDE = Path(__file__).resolve().parents[2] / "docs" / "guide" / "kiosk-screens.zh.md"
FACE = face()
SMALLEST_PX = 24
LEAST_CONTRAST = 7
SIZES = {"portrait": (1080, 1920), "landscape": (1920, 1080)}


@dataclass
class Stage:
    """A page, the agent behind it and the console that the agent asks."""

    page: Page
    agent: Agent
    console: FakeConsole
    # The clips that the page fetched, as `NAME.LANGUAGE`.
    said: list[str] = field(default_factory=list)


def staged(
    chromium: Browser, size: tuple[int, int], console: FakeConsole, agent: Agent, clips: Clips | None = None
) -> Iterator[Stage]:
    """The page at this size, open and drawn; it must end without a complaint."""
    # The kiosk's policy forbids eval, which axe does not need but its loader's script tag does.
    context = chromium.new_context(viewport={"width": size[0], "height": size[1]}, bypass_csp=True)
    stage = Stage(context.new_page(), agent, console)
    complaints: list[str] = []
    stage.page.on("pageerror", lambda error: complaints.append(str(error)))
    stage.page.on("request", lambda request: _heard(stage, request.url))
    picture = tray(qr(TICKET), bars(TICKET))
    with served(create_screen(agent, lambda: picture, clips=clips, face=lambda: FACE)) as address:
        stage.page.goto(address)
        expect(stage.page.locator("h1")).to_have_text("请放准考证")
        yield stage
        context.close()
    assert complaints == []


def _heard(stage: Stage, address: str) -> None:
    before, is_clip, name = address.partition("/local/clips/")
    if before and is_clip:
        stage.said.append(name.removesuffix(".wav"))


def overflows(page: Page) -> list[str]:
    """Visible elements that reach beyond the screen, are cut off, or have no room."""
    found: list[str] = page.evaluate(f"({MEASURES}).overflows()")
    return found


def press(page: Page, digits: str) -> None:
    for digit in digits:
        page.locator(f'[data-key="{digit}"]').click()


def unreadable(page: Page) -> list[str]:
    """Visible texts below 24 px or below a contrast of 7:1, once nothing changes its colour any more."""
    page.evaluate(STILL)
    texts = page.evaluate(f"({MEASURES}).texts()")
    assert texts
    return [
        f"{one['text']}: {one['px']:g} px, {one['contrast']:.1f}:1"
        for one in texts
        if one["px"] < SMALLEST_PX or one["contrast"] < LEAST_CONTRAST
    ]


def stands_in_guide(page: Page, name: str) -> None:
    """The guide shows this screen. With KAOCHANG_PICTURES set, its picture is kept there, made small."""
    assert f"(../pictures/kiosk/{name}.webp)" in GUIDE.read_text(encoding="utf-8")
    folder = os.environ.get("KAOCHANG_PICTURES")
    if folder and page.evaluate("innerWidth < innerHeight"):
        seen = cv2.imdecode(np.frombuffer(page.screenshot(), np.uint8), cv2.IMREAD_COLOR)
        assert seen is not None
        small = cv2.resize(seen, None, fx=0.4, fy=0.4, interpolation=cv2.INTER_AREA)
        assert cv2.imwrite(f"{folder}/{name}.webp", small, [cv2.IMWRITE_WEBP_QUALITY, 80])
