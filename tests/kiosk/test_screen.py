"""What the screen shows for each state; never a full number."""

import json
from dataclasses import replace

import pytest

from config.kiosk_screen import HINTS, SCREENS, load_kiosk_words
from exam.outcomes import KINDS, Kind, Outcome
from kiosk.scan import Scan
from kiosk.screen import NAMES, NEEDS, Camera, describe
from kiosk.visit import (
    EXTENSIONS,
    Asking,
    Collecting,
    Flow,
    Hint,
    Idle,
    NeedsIdNumber,
    NeedsTicket,
    OutOfUse,
    Referred,
    Showing,
    ShownHint,
)
from tests.kiosk.stage import ADMITTED, ID_NUMBER, TICKET, answer

WORDS = load_kiosk_words()
FLOWS: list[Flow] = [
    Idle(),
    NeedsIdNumber(TICKET, 5_000_000),
    NeedsTicket(ID_NUMBER, 5_000_000),
    Asking(Scan(TICKET, ID_NUMBER)),
    Collecting(Scan(TICKET, ID_NUMBER), (Outcome.NEED_PHOTO,), 5_000_000, shoot_at_us=3_000_000),
    Collecting(Scan(TICKET, ID_NUMBER), (Outcome.NEED_BAG,), 5_000_000),
    Showing(ADMITTED, 5_000_000),
    Referred(5_000_000),
    OutOfUse(Outcome.SYS_CLOCK, 0),
]


@pytest.mark.parametrize("flow", FLOWS, ids=lambda flow: type(flow).__name__)
@pytest.mark.parametrize("works", [True, False])
def test_no_screen_holds_a_ticket_or_document_number(flow: Flow, works: bool) -> None:
    shown = json.dumps(describe(flow, Camera(works), WORDS, 0))
    assert TICKET not in shown
    assert ID_NUMBER not in shown


def test_every_name_and_hint_has_words() -> None:
    assert {*NAMES.values(), *NEEDS.values(), "camera_lost", "camera_covered", "use_gun"} == SCREENS
    assert set(Hint) == HINTS


def test_remaining_time_is_told_in_milliseconds_and_never_negative() -> None:
    assert describe(FLOWS[1], Camera(works=True), WORDS, 1_000_000)["remaining_ms"] == 4000
    assert describe(FLOWS[1], Camera(works=True), WORDS, 9_000_000)["remaining_ms"] == 0
    assert describe(Idle(), Camera(works=True), WORDS, 0)["remaining_ms"] is None


def test_without_camera_nobody_begins_but_a_read_ticket_is_finished() -> None:
    lost = Camera(works=False, reason="USB camera 0 cannot be opened")
    assert describe(Idle(), lost, WORDS, 0)["screen"] == "camera_lost"
    covered = Camera(works=False, is_covered=True)
    assert describe(Idle(), covered, WORDS, 0)["screen"] == "camera_covered"
    assert describe(Idle(), replace(covered, has_gun=True), WORDS, 0)["screen"] == "use_gun"
    assert describe(FLOWS[2], lost, WORDS, 0)["screen"] == "camera_lost"
    assert describe(FLOWS[1], lost, WORDS, 0)["screen"] == "need_id_number"
    assert describe(Idle(), lost, WORDS, 0)["camera_reason"] == "USB camera 0 cannot be opened"


def test_a_hint_comes_in_both_languages() -> None:
    hint = describe(Idle(ShownHint(Hint.MANY, 9)), Camera(works=True), WORDS, 0)["hint"]
    assert hint == {
        "code": "many",
        "text": "请只放一张准考证",
        "text_en": "One ticket only, please",
        "says": "one_only",
    }


def test_the_photo_is_announced_by_a_countdown_even_without_the_camera_over_the_tray() -> None:
    photo, bag = (describe(flow, Camera(works=False), WORDS, 1_000_000) for flow in FLOWS[4:6])
    assert (photo["screen"], photo["countdown_ms"], photo["says"]) == ("need_photo", 2000, "photo")
    assert (bag["screen"], bag["says"]) == ("need_bag", "bag")
    assert "countdown_ms" not in bag


def test_an_answer_shows_the_consoles_words_in_both_languages() -> None:
    shown = describe(Showing(ADMITTED, 1), Camera(works=True), WORDS, 0)
    assert (shown["screen"], shown["tone"], shown["title"]) == ("result", "good", "签到成功")
    assert shown["title_en"] == "Checked in"
    assert (shown["room_label"], shown["place_label"], shown["masked_name"]) == ("第1考场", "12", "陈*诺")


@pytest.mark.parametrize("outcome", Outcome)
def test_every_outcome_has_a_tone_and_only_the_shut_out_see_red(outcome: Outcome) -> None:
    told = answer(outcome, KINDS[outcome], "标题", "说明")
    tone = describe(Showing(told, 1), Camera(works=True), WORDS, 0)["tone"]
    assert tone in {"good", "wait", "way", "bad", "off"}
    shut_out = {Outcome.LATE_CUTOFF, Outcome.SESSION_CLOSED, Outcome.LEFT_NO_RETURN}
    assert (tone == "bad") == (outcome in shut_out)
    assert (tone == "off") == (KINDS[outcome] is Kind.SYSTEM)


def test_an_outcome_this_kiosk_does_not_know_sends_to_a_person() -> None:
    newer = replace(ADMITTED, outcome="OK_FROM_THE_FUTURE", kind="Z")
    shown = describe(Showing(newer, 1), Camera(works=True), WORDS, 0)
    assert (shown["tone"], shown["says"]) == ("wait", "staff_desk")


def test_only_what_can_be_extended_is_said_to_be() -> None:
    can = {
        type(flow).__name__ for flow in FLOWS if describe(flow, Camera(works=True), WORDS, 0)["can_extend"]
    }
    assert can == {"NeedsIdNumber", "NeedsTicket", "Collecting"}
    last = NeedsTicket(ID_NUMBER, 5_000_000, extended=EXTENSIONS)
    assert not describe(last, Camera(works=True), WORDS, 0)["can_extend"]


def test_an_answer_says_whether_the_kiosk_gave_it_alone() -> None:
    assert not describe(Showing(ADMITTED, 1), Camera(works=True), WORDS, 0)["is_offline"]
    assert describe(Showing(ADMITTED, 1, is_offline=True), Camera(works=True), WORDS, 0)["is_offline"]


def test_a_machine_out_of_use_tells_staff_why_and_candidates_where_to_go() -> None:
    shown = describe(OutOfUse(Outcome.SYS_DISK, 0), Camera(works=False), WORDS, 0)
    assert (shown["screen"], shown["outcome"], shown["title"]) == ("out_of_use", "SYS_DISK", "本机暂停使用")
