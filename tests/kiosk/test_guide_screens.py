"""Every screen that a candidate can see, as the guide shows it (docs/guide/kiosk-screens.zh.md).

Set KAOCHANG_PICTURES to docs/pictures/kiosk to take the guide's pictures anew.
"""

import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from config.kiosk_screen import load_kiosk_words
from exam.answers import Answer
from exam.clock import SystemClock
from exam.kiosk_health import Part
from exam.outcomes import Outcome
from kiosk.screen import Camera
from kiosk.visit import Fitness, Happened, TicketRead
from kiosk.watching import COVERED
from tests.axe import findings
from tests.kiosk.page_stage import SIZES, Stage, overflows, staged, stands_in_guide, unreadable
from tests.kiosk.stage import ADMITTED, ID_NUMBER, TICKET, FakeConsole, agent_of, answer

pytestmark = pytest.mark.browser

GUN = "usb:05e0:1200"
LOST = Camera(works=False, reason="USB camera 0 gives no pictures any more")


@dataclass
class WaitingConsole(FakeConsole):
    """Answers when it is told to."""

    may_answer: threading.Event = field(default_factory=threading.Event)

    def check_in(self, body: Mapping[str, Any]) -> Answer:
        self.may_answer.wait(60)
        return super().check_in(body)


def answered(stage: Stage, told: Answer) -> None:
    stage.console.answer = told
    stage.agent.happened(TicketRead(TICKET))
    stage.agent.number_given(ID_NUMBER)


def needing(need: str) -> Callable[[Stage], None]:
    def act(stage: Stage) -> None:
        answered(stage, replace(answer(need, "T", "", ""), needs=(need,)))

    return act


def told(outcome: str, kind: str, title: str, line: str) -> Callable[[Stage], None]:
    return lambda stage: answered(stage, answer(outcome, kind, title, line))


def give_number(stage: Stage) -> None:
    stage.agent.number_given(ID_NUMBER)


def refer(stage: Stage) -> None:
    stage.agent.happened(TicketRead(TICKET))
    stage.page.locator('[data-touch="no_document"]:visible').click()


def ask(stage: Stage) -> None:
    assert isinstance(stage.console, WaitingConsole)
    stage.console.may_answer.clear()
    stage.agent.happened(TicketRead(TICKET))
    threading.Thread(target=stage.agent.number_given, args=(ID_NUMBER,), daemon=True).start()


def shut(stage: Stage) -> None:
    stage.console.is_away = True
    answered(stage, ADMITTED)


def lose_the_camera(stage: Stage) -> None:
    stage.agent.camera_is(LOST)


def use_the_gun(stage: Stage) -> None:
    stage.agent.board.fit(GUN, Part.SCANNER)
    stage.agent.board.works(GUN, Part.SCANNER)
    stage.agent.camera_is(LOST)


# By the picture's name: screens as the file of words calls them, results with their tone.
SCREENS: dict[str, Callable[[Stage], None]] = {
    "idle": lambda _stage: None,
    "need_id_number": lambda stage: stage.agent.happened(TicketRead(TICKET)),
    "need_ticket": give_number,
    "asking": ask,
    "need_notice": needing("NEED_NOTICE"),
    "need_photo": needing("NEED_PHOTO"),
    "need_bag": needing("NEED_BAG"),
    "need_signature": needing("NEED_SIGNATURE"),
    "result-good": lambda stage: answered(stage, ADMITTED),
    "result-way": told("WRONG_ROOM", "R", "请到第2考场", "您的位置在第2考场（二楼西侧），1号座位。"),
    "result-wait": told("NOT_ON_ROSTER", "H", "请到人工窗口", "没有查到您的报考信息，由工作人员为您查询。"),
    "result-bad": told("LATE_CUTOFF", "R", "已超过入场时间", "按考试规定不能入场，如有疑问请咨询工作人员。"),
    "referred": refer,
    "camera_covered": lambda stage: stage.agent.camera_is(COVERED),
    "camera_lost": lose_the_camera,
    "use_gun": use_the_gun,
    "result-off": shut,
    "out_of_use": lambda stage: stage.agent.happened(Fitness((Outcome.SYS_CLOCK,))),
}


@pytest.fixture(params=SIZES)
def stage(chromium: Browser, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Stage]:
    console = WaitingConsole()
    console.may_answer.set()
    with agent_of(console, tmp_path, SystemClock()) as agent:
        agent.start()
        yield from staged(chromium, SIZES[request.param], console, agent)


def test_every_screen_is_sound_and_stands_in_the_guide(stage: Stage) -> None:
    page = stage.page
    assert {name.partition("-")[0] for name in SCREENS} == {*load_kiosk_words().screens, "result"}
    for name, show in SCREENS.items():
        show(stage)
        screen, _, tone = name.partition("-")
        expect(page.locator("body")).to_have_attribute("data-screen", screen)
        if tone:
            expect(page.locator("body")).to_have_attribute("data-tone", tone)
        assert unreadable(page) == [], name
        assert overflows(page) == [], name
        assert findings(page) == [], name
        stands_in_guide(page, name)
        assert isinstance(stage.console, WaitingConsole)
        stage.console.may_answer.set()
        if screen == "asking":  # whoever has shown both documents waits for the answer
            expect(page.locator("body")).to_have_attribute("data-screen", "result")
        stage.agent.happened(Happened.RESTART)
        if screen != "out_of_use":
            stage.agent.camera_is(Camera(works=True))
            expect(page.locator("body")).to_have_attribute("data-screen", "idle")
