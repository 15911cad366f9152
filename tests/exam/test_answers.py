"""Answers: verdicts in words, without anything a public screen must not show."""

import json
from dataclasses import replace

import pytest

from config.outcomes import load_outcome_texts
from exam.admission import AdmissionRequest, Admitted, Outcome, Seat, Sitting, Verdict
from exam.answers import OutcomeText, Sight, compose, read_answer, unknown_placeholders
from exam.clock import MINUTE_US, SECOND_US
from exam.day import PlaceKind
from exam.outcomes import DOUBTS
from tests.world import START_US, invented_number

ASKED = AdmissionRequest("992600000001", invented_number(1), 1)
SITTING = Sitting(1, 1, START_US, 90 * MINUTE_US, 15 * MINUTE_US, 30 * MINUTE_US)
SEAT = Seat(7, 100, SITTING, Admitted(1, START_US - 13 * MINUTE_US))
SIGHT = Sight("张*明", "002X", "第3考场", "二楼东侧", "12", PlaceKind.SEAT)
TEXTS = load_outcome_texts()


def answer(outcome: Outcome, seat: Seat | None = SEAT, sight: Sight | None = SIGHT) -> dict[str, object]:
    return json.loads(compose(Verdict((outcome,), 7, seat), ASKED, TEXTS, sight).to_json())


def test_an_admitted_candidate_is_told_where_to_go() -> None:
    shown = answer(Outcome.OK_ADMITTED)
    assert shown == {
        "outcome": "OK_ADMITTED",
        "kind": "A",
        "title": "签到成功",
        "line": "请到第3考场（二楼东侧），12号座位。",
        "voice": "签到成功，请到第3考场，12号座位。",
        "room_label": "第3考场",
        "place_label": "12",
        "masked_name": "张*明",
        "id_tail": "002X",
        "admitted": True,
        "title_en": "Checked in",
        "line_en": "Please go to 第3考场 (二楼东侧), seat 12.",
        "voice_en": "Checked in. Please go to 第3考场, seat 12.",
        "needs": [],
    }


def test_a_station_is_called_a_station_and_an_obvious_room_needs_no_directions() -> None:
    sight = replace(SIGHT, directions="", place_kind=PlaceKind.STATION)
    assert answer(Outcome.OK_ADMITTED, sight=sight)["line"] == "请到第3考场，12号工位。"


@pytest.mark.parametrize(
    "outcome", [Outcome.CANDIDATE_BLOCKED, Outcome.ALREADY_IN, Outcome.LATE_REFERRED, Outcome.ID_FORMAT_OTHER]
)
def test_who_must_go_to_the_staff_window_is_not_named_on_the_screen(outcome: Outcome) -> None:
    shown = answer(outcome)
    assert [shown[key] for key in ("room_label", "place_label", "masked_name", "id_tail")] == [""] * 4
    assert shown["admitted"] is False


def test_a_barred_candidate_hears_no_reason() -> None:
    shown = answer(Outcome.CANDIDATE_BLOCKED)
    assert (shown["title"], shown["voice"]) == ("请到人工窗口", "请到人工窗口。")


def test_times_are_those_of_the_site() -> None:
    assert answer(Outcome.WRONG_DAY)["line"] == "您的考试时间是11月22日 09:00。"
    assert answer(Outcome.WRONG_DAY)["line_en"] == "It is on 22 November at 09:00."
    assert "08:45" in str(answer(Outcome.TOO_EARLY)["line"])
    assert "08:47" in str(answer(Outcome.ALREADY_IN)["line"])


def test_a_shortened_day_opens_to_the_second() -> None:
    seat = replace(SEAT, sitting=replace(SITTING, check_in_opens_us=45 * SECOND_US), admission=None)
    assert "08:59:15" in str(answer(Outcome.TOO_EARLY, seat)["line"])


@pytest.mark.parametrize(
    ("asked", "title"),
    [
        (replace(ASKED, id_number=None), ("请出示身份证", "Please show your ID card")),
        (replace(ASKED, ticket_no=None), ("请出示准考证", "Please show your admission ticket")),
        (
            replace(ASKED, ticket_no=None, id_number=None),
            ("请出示准考证和身份证", "Please show your admission ticket and ID card"),
        ),
    ],
)
def test_the_missing_document_is_named(asked: AdmissionRequest, title: tuple[str, str]) -> None:
    shown = compose(Verdict((Outcome.NEED_SECOND_DOC,)), asked, TEXTS, None)
    assert (shown.title, shown.title_en) == title


def test_a_ticket_of_another_site_is_told_where_it_belongs() -> None:
    shown = compose(Verdict((Outcome.WRONG_SITE,), site="青山第二考点"), ASKED, TEXTS, None)
    assert "青山第二考点" in shown.line
    assert "青山第二考点" in shown.line_en


def test_all_steps_that_are_still_open_are_told_at_once() -> None:
    shown = compose(Verdict((Outcome.NEED_PHOTO, Outcome.NEED_BAG), 7, SEAT), ASKED, TEXTS, SIGHT)
    assert (shown.outcome, shown.needs) == ("NEED_PHOTO", ("NEED_PHOTO", "NEED_BAG"))


@pytest.mark.parametrize("outcome", sorted(DOUBTS | {Outcome.CANDIDATE_BLOCKED, Outcome.LEFT_NO_RETURN}))
def test_staff_read_the_true_reason_where_the_candidate_does_not(outcome: Outcome) -> None:
    text = TEXTS[outcome]
    assert text.reason
    told = "".join((text.title, text.line, text.voice))
    assert text.reason not in told


def test_an_answer_that_came_over_the_line_is_the_same_answer() -> None:
    sent = compose(Verdict((Outcome.NEED_BAG,), 7, SEAT), ASKED, TEXTS, SIGHT)
    assert read_answer(json.loads(sent.to_json())) == sent


def test_an_answer_of_an_older_console_is_understood_and_half_an_answer_is_not() -> None:
    told = json.loads(compose(Verdict((Outcome.OK_ADMITTED,), 7, SEAT), ASKED, TEXTS, SIGHT).to_json())
    older = {name: told[name] for name in told if not name.endswith("_en") and name != "needs"}
    assert (read_answer(older).title, read_answer(older).title_en) == ("签到成功", "")
    with pytest.raises(KeyError):
        read_answer({"outcome": "OK_ADMITTED"})


@pytest.mark.parametrize("outcome", list(Outcome))
def test_no_answer_holds_a_number_or_an_open_placeholder(outcome: Outcome) -> None:
    for seat, sight in ((SEAT, SIGHT), (None, None)):
        words = json.dumps(answer(outcome, seat, sight), ensure_ascii=False)
        assert ASKED.id_number not in words
        assert "{" not in words[1:]


def test_the_same_verdict_gives_the_same_bytes() -> None:
    verdict = Verdict((Outcome.OK_LATE,), 7, SEAT)
    assert compose(verdict, ASKED, TEXTS, SIGHT).to_json() == compose(verdict, ASKED, TEXTS, SIGHT).to_json()


def test_placeholders_nobody_fills_in_are_found() -> None:
    text = OutcomeText("{room}{nome}", "{place}", "", "", "{plaice}", "", "", "{room}")
    assert unknown_placeholders(text) == {"nome", "plaice", "room"}
