"""What a candidate reads and hears in real Chromium: size, contrast, large type, time, prompts."""

import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from exam.clock import SECOND_US, SimulatedClock
from kiosk.agent import Agent
from kiosk.clips import Clips
from kiosk.photos import Photographer
from kiosk.visit import DOCUMENT_US, Hint, Input, NotUsable, PhotoUnusable, TicketRead
from tests.axe import findings
from tests.kiosk.page_stage import FACE, SIZES, Stage, overflows, press, staged, unreadable
from tests.kiosk.stage import ADMITTED, ID_NUMBER, TICKET, FakeConsole, agent_of, answer

pytestmark = pytest.mark.browser

NOW_US = 1_795_000_000 * SECOND_US
LONG = replace(
    ADMITTED, outcome="OK_LATE", room_label="第12技能考核考场", place_label="108", masked_name="阿**提"
)


@dataclass
class AtOnce:
    """The agent, but nobody waits for the countdown."""

    agent: Agent

    def photo_is_due(self) -> bool:
        return True

    def happened(self, what: Input) -> None:
        self.agent.happened(what)


def look(page: Page, name: str) -> None:
    """Keep a picture where a person who asks for it finds it."""
    if folder := os.environ.get("KAOCHANG_PICTURES"):
        width = page.evaluate("innerWidth")
        page.screenshot(path=f"{folder}/{name}-{width}.png")


def check(page: Page, name: str) -> None:
    assert unreadable(page) == []
    look(page, name)
    assert overflows(page) == []
    assert findings(page) == []


def to_result(stage: Stage) -> None:
    stage.agent.happened(TicketRead(TICKET))
    stage.agent.number_given(ID_NUMBER)
    expect(stage.page.locator("body")).to_have_attribute("data-screen", "result")


@pytest.mark.parametrize("is_large", [False, True], ids=["usual", "large"])
def test_every_text_is_large_and_strong_enough_and_fits(stage: Stage, is_large: bool) -> None:
    page, size = stage.page, "large" if is_large else "usual"
    if is_large:
        page.locator("[data-large-type]").click()
    check(page, f"idle-{size}")
    stage.agent.happened(TicketRead(TICKET))
    stage.agent.happened(NotUsable(Hint.DYNAMIC_ID))
    expect(page.locator("[data-hint]")).to_be_visible()
    check(page, f"id-{size}")
    stage.console.answer = LONG
    stage.agent.number_given(ID_NUMBER)
    expect(page.locator("[data-place]")).to_have_text("108号")
    assert page.evaluate("document.body.hasAttribute('data-large')") is is_large
    check(page, f"result-{size}")


@pytest.mark.parametrize("is_large", [False, True], ids=["usual", "large"])
def test_a_photo_and_the_number_of_the_bag_are_asked_for(stage: Stage, is_large: bool) -> None:
    page, size = stage.page, "large" if is_large else "usual"
    if is_large:
        page.locator("[data-large-type]").click()
    needs = ("NEED_PHOTO", "NEED_BAG")
    stage.console.answer = replace(answer("NEED_PHOTO", "T", "请正视摄像头", ""), needs=needs)
    stage.agent.happened(TicketRead(TICKET))
    stage.agent.number_given(ID_NUMBER)
    expect(page.locator("h1")).to_have_text("请正视摄像头")
    expect(page.locator("[data-countdown]")).to_have_text(re.compile("[123]"))
    page.wait_for_function("document.querySelector('[data-preview]').naturalWidth > 0")
    check(page, f"photo-{size}")
    stage.agent.happened(PhotoUnusable(Hint.BLURRED))
    expect(page.locator("[data-hint]")).to_contain_text("没有拍清楚")
    check(page, f"photo-again-{size}")
    stage.console.answer = ADMITTED
    Photographer(lambda: FACE, AtOnce(stage.agent), stage.agent.clock).turn()
    expect(page.locator("h1")).to_have_text("请输入存放袋号")
    expect(page.locator("[data-confirm]")).to_be_disabled()
    press(page, "07")
    check(page, f"bag-{size}")
    page.locator("[data-confirm]").click()
    expect(page.locator("h1")).to_have_text("签到成功")
    assert stage.console.asked[-1]["provided"]["bag_no"] == "07"
    assert list(stage.console.pictures) == [stage.console.asked[-1]["provided"]["photo_sha256"]]


@pytest.mark.parametrize("is_large", [False, True], ids=["usual", "large"])
def test_a_notice_and_a_signature_are_asked_for(stage: Stage, is_large: bool) -> None:
    page, size = stage.page, "large" if is_large else "usual"
    if is_large:
        page.locator("[data-large-type]").click()
    needs = ("NEED_NOTICE", "NEED_SIGNATURE")
    stage.console.answer = replace(answer("NEED_NOTICE", "T", "请阅读个人信息告知", ""), needs=needs)
    stage.agent.happened(TicketRead(TICKET))
    stage.agent.number_given(ID_NUMBER)
    expect(page.locator("[data-points] li")).to_have_count(3)
    check(page, f"notice-{size}")
    stage.console.answer = ADMITTED
    page.locator("[data-agree]").click()
    expect(page.locator("h1")).to_have_text("请签名")
    expect(page.locator("[data-signed]")).to_be_disabled()
    write(page)
    check(page, f"sign-{size}")
    page.locator("[data-wipe]").click()
    expect(page.locator("[data-signed]")).to_be_disabled()
    write(page)
    page.locator("[data-signed]").click()
    expect(page.locator("h1")).to_have_text("签到成功")
    given = stage.console.asked[-1]["provided"]
    assert given["notice_version"] == "2026-1"
    kind, media_type, content = stage.console.pictures[given["signature_sha256"]]
    assert (kind, media_type) == ("signature", "application/json")
    assert len(json.loads(content)["strokes"]) == 2


def write(page: Page) -> None:
    """Two strokes of a hand."""
    box = page.locator("[data-paper]").bounding_box()
    assert box is not None
    for row in (0.3, 0.6):
        page.mouse.move(box["x"] + 80, box["y"] + row * box["height"])
        page.mouse.down()
        for step in range(1, 14):
            lift = 40 if step % 2 else -40
            page.mouse.move(box["x"] + 80 + step * 40, box["y"] + row * box["height"] + lift)
        page.mouse.up()


def test_whoever_wants_no_photo_is_sent_to_staff_on_record(stage: Stage) -> None:
    stage.console.answer = replace(answer("NEED_PHOTO", "T", "请正视摄像头", ""), needs=("NEED_PHOTO",))
    stage.agent.happened(TicketRead(TICKET))
    stage.agent.number_given(ID_NUMBER)
    stage.page.locator('[data-touch="decline"]:visible').wait_for()
    stage.console.answer = answer("PHOTO_REFUSED", "H", "请到人工窗口", "工作人员将为您办理。")
    stage.page.locator('[data-touch="decline"]:visible').click()
    expect(stage.page.locator("h1")).to_have_text("请到人工窗口")
    assert stage.console.asked[-1]["declared"] == ["PHOTO_REFUSED"]


def test_large_type_is_for_one_candidate(stage: Stage) -> None:
    page = stage.page
    page.locator("[data-large-type]").click()
    to_result(stage)
    expect(page.locator("body")).to_have_attribute("data-large", "")
    stage.agent.happened(TicketRead("202611220002"))
    expect(page.locator("[data-pad]")).to_be_visible()
    expect(page.locator("body")).not_to_have_attribute("data-large", "")
    expect(page.locator("[data-large-type]")).to_have_attribute("aria-pressed", "false")


def test_what_to_do_is_said_in_both_languages_and_nothing_personal(stage: Stage) -> None:
    to_result(stage)
    expect(stage.page.locator("h1")).to_have_text("签到成功")
    if "come_in.en" not in stage.said:  # it follows when the first language has been heard
        stage.page.wait_for_event("request", lambda one: one.url.endswith("/come_in.en.wav"))
    assert stage.said[-2:] == ["come_in.zh", "come_in.en"]
    expect(stage.page.locator("[data-staff]")).not_to_contain_text("语音")


def test_sound_that_the_browser_forbids_is_told_to_staff_and_costs_nothing(stage: Stage) -> None:
    page = stage.page
    page.evaluate(
        """() => { HTMLMediaElement.prototype.play = () =>
             Promise.reject(new DOMException("no touch yet", "NotAllowedError")); }"""
    )
    to_result(stage)
    expect(page.locator("[data-staff]")).to_contain_text("浏览器不让出声")
    expect(page.locator("h1")).to_have_text("签到成功")


@pytest.fixture(params=SIZES)
def slow_stage(
    chromium: Browser, request: pytest.FixtureRequest, tmp_path: Path
) -> Iterator[tuple[Stage, SimulatedClock]]:
    """A kiosk whose clock the test moves; it has no prompts yet."""
    console, clock = FakeConsole(), SimulatedClock(NOW_US)
    clips = Clips(tmp_path / "clips", {}, ("zh",))
    with agent_of(console, tmp_path, clock) as agent:
        agent.start()
        for stage in staged(chromium, SIZES[request.param], console, agent, clips):
            yield stage, clock


def test_time_that_runs_out_is_said_and_can_be_extended(slow_stage: tuple[Stage, SimulatedClock]) -> None:
    stage, clock = slow_stage
    page = stage.page
    stage.agent.happened(TicketRead(TICKET))
    expect(page.locator("[data-left]")).to_be_visible()
    expect(page.locator("[data-soon]")).to_be_hidden()
    clock.sleep_us(DOCUMENT_US - 15 * SECOND_US)
    stage.agent.device_changed()
    expect(page.locator("[data-soon]")).to_contain_text("还有15秒")
    check(page, "time-usual")
    page.locator("[data-large-type]").click()
    check(page, "time-large")
    page.locator("[data-more]").click()
    expect(page.locator("[data-soon]")).to_be_hidden()
    stage.console.answer = replace(answer("NEED_SIGNATURE", "T", "请签名", ""), needs=("NEED_SIGNATURE",))
    stage.agent.number_given(ID_NUMBER)
    expect(page.locator("h1")).to_have_text("请签名")
    clock.sleep_us(DOCUMENT_US - 15 * SECOND_US)
    stage.agent.device_changed()
    expect(page.locator("[data-soon]")).to_be_visible()
    check(page, "time-sign-large")


def test_prompts_that_are_not_there_are_told_to_staff(slow_stage: tuple[Stage, SimulatedClock]) -> None:
    stage, _ = slow_stage
    expect(stage.page.locator("[data-staff]")).to_contain_text("语音提示正在准备")
    to_result(stage)
    assert stage.said == []
