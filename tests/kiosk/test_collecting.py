"""What the site asks for before somebody is in: photo and bag, one after the other, with every way out."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evidence.check_in_pictures import Picture, PictureKind
from exam.answers import Answer
from exam.clock import SECOND_US
from exam.outcomes import Outcome
from kiosk.flow import step
from kiosk.scan import Scan
from kiosk.visit import (
    COUNTDOWN_US,
    DOCUMENT_US,
    HINT_US,
    PHOTO_TRIES,
    RESULT_US,
    Answered,
    Asking,
    BagGiven,
    Collecting,
    Fitness,
    Flow,
    Happened,
    Hint,
    Idle,
    IdNumberGiven,
    Input,
    NeedsIdNumber,
    NoticeAccepted,
    NotUsable,
    PhotoTaken,
    PhotoUnusable,
    Referred,
    Showing,
    ShownHint,
    Signed,
    TicketRead,
)
from tests.kiosk.stage import ADMITTED, ID_NUMBER, TICKET, answer

NOW = 1_000 * SECOND_US
SCAN = Scan(TICKET, ID_NUMBER)
PHOTO = Picture(PictureKind.PHOTO, "image/jpeg", "ab" * 32, b"\xff\xd8\xff")
STROKES = Picture(PictureKind.SIGNATURE, "application/json", "cd" * 32, b"{}")
OTHER_TICKET = "202611220002"


def asked_for(*needs: str) -> Answer:
    return replace(answer(needs[0], "T", "请正视摄像头", "请摘下口罩和帽子。"), needs=needs)


def after(flow: Flow, *inputs: Input, now_us: int = NOW) -> Flow:
    for happened in inputs:
        flow = step(flow, happened, now_us)
    return flow


BOTH = after(Asking(SCAN), Answered(asked_for("NEED_PHOTO", "NEED_BAG")))
BAG = after(Asking(SCAN), Answered(asked_for("NEED_BAG")))


GIFTS: list[Input] = [
    BagGiven("7"),
    PhotoTaken(PHOTO),
    PhotoUnusable(Hint.BLURRED),
    NoticeAccepted("1"),
    Signed(STROKES),
]


def photo_only() -> Collecting:
    flow = after(Asking(SCAN), Answered(asked_for("NEED_PHOTO")))
    assert isinstance(flow, Collecting)
    return flow


def test_what_is_missing_is_asked_for_one_after_the_other_and_then_judged_again() -> None:
    needs = (Outcome.NEED_PHOTO, Outcome.NEED_BAG)
    begun = Collecting(SCAN, needs, NOW + DOCUMENT_US, shoot_at_us=NOW + COUNTDOWN_US)
    assert begun == BOTH
    bag = after(BOTH, PhotoTaken(PHOTO))
    assert isinstance(bag, Collecting)
    assert (bag.needs, bag.scan.pictures) == ((Outcome.NEED_BAG,), (PHOTO,))
    asking = after(bag, BagGiven("07"))
    assert isinstance(asking, Asking)
    assert (asking.scan.provided.photo_sha256, asking.scan.provided.bag_no) == (PHOTO.sha256_hex, "07")
    assert after(asking, Answered(ADMITTED)) == Showing(ADMITTED, NOW + RESULT_US)


@pytest.mark.parametrize(
    "told",
    [
        asked_for("NEED_TEMPERATURE"),
        asked_for("NEED_PHOTO", "NEED_TEMPERATURE"),
        asked_for("NEED_SECOND_DOC"),
        replace(asked_for("NEED_PHOTO"), outcome="PHOTO_REFUSED", kind="H", needs=("NEED_BAG",)),
        replace(asked_for("NEED_PHOTO"), needs=()),
        ADMITTED,
    ],
)
def test_what_this_kiosk_cannot_collect_is_shown_and_left_to_people(told: Answer) -> None:
    assert after(Asking(SCAN), Answered(told)) == Showing(told, NOW + RESULT_US)


def test_what_was_given_is_not_asked_for_without_end() -> None:
    again = asked_for("NEED_PHOTO")
    flow = after(photo_only(), PhotoTaken(PHOTO), Answered(again))
    assert flow == Showing(again, NOW + RESULT_US)


def test_notice_and_signature_are_asked_for_around_the_rest() -> None:
    needs = ("NEED_NOTICE", "NEED_PHOTO", "NEED_SIGNATURE")
    flow = after(Asking(SCAN), Answered(asked_for(*needs)), NoticeAccepted("2026-1"), PhotoTaken(PHOTO))
    assert isinstance(flow, Collecting)
    assert flow.need is Outcome.NEED_SIGNATURE
    asking = after(flow, Signed(STROKES))
    assert isinstance(asking, Asking)
    assert asking.scan.pictures == (PHOTO, STROKES)
    given = asking.scan.provided
    assert (given.notice_version, given.photo_sha256, given.signature_sha256) == (
        "2026-1",
        PHOTO.sha256_hex,
        STROKES.sha256_hex,
    )


def test_a_notice_is_declined_on_record_and_a_signature_by_going_to_the_desk() -> None:
    notice = after(Asking(SCAN), Answered(asked_for("NEED_NOTICE")))
    assert after(notice, Happened.DECLINE) == Asking(
        replace(SCAN, declared=frozenset({Outcome.NOTICE_DECLINED}))
    )
    signature = after(Asking(SCAN), Answered(asked_for("NEED_SIGNATURE")))
    assert after(signature, Happened.DECLINE) == signature
    assert after(signature, Happened.NO_DOCUMENT) == Referred(NOW + RESULT_US)


def test_another_version_of_the_notice_than_is_shown_here_is_for_staff() -> None:
    told = asked_for("NEED_NOTICE")
    flow = after(Asking(SCAN), Answered(told), NoticeAccepted("2026-1"), Answered(told))
    assert flow == Showing(told, NOW + RESULT_US)


def test_a_photo_is_tried_three_times_and_then_a_person_helps() -> None:
    flow: Flow = photo_only()
    for count in range(1, PHOTO_TRIES):
        flow = after(flow, PhotoUnusable(Hint.BLURRED))
        assert isinstance(flow, Collecting)
        assert (flow.failures, flow.shown) == (count, ShownHint(Hint.BLURRED, NOW + HINT_US))
        assert flow.shoot_at_us == NOW + COUNTDOWN_US
    flow = after(flow, PhotoUnusable(Hint.BLURRED))
    assert flow == Asking(replace(SCAN, declared=frozenset({Outcome.CAPTURE_FAILED})))


@pytest.mark.parametrize(
    ("happened", "declared"),
    [(Happened.DECLINE, Outcome.PHOTO_REFUSED), (Happened.NO_CAMERA, Outcome.CAPTURE_FAILED)],
)
def test_without_a_photo_the_case_is_on_record_and_a_person_helps(
    happened: Happened, declared: Outcome
) -> None:
    assert after(BOTH, happened) == Asking(replace(SCAN, declared=frozenset({declared})))
    assert after(BAG, happened) == BAG
    assert after(Idle(), happened) == Idle()


def test_the_ticket_that_still_lies_there_changes_nothing_and_another_begins_anew() -> None:
    assert after(BOTH, TicketRead(TICKET), IdNumberGiven(ID_NUMBER), NotUsable(Hint.NOTHING_READ)) == BOTH
    assert after(BOTH, TicketRead(OTHER_TICKET)) == NeedsIdNumber(OTHER_TICKET, NOW + DOCUMENT_US)


@pytest.mark.parametrize(
    "gift",
    GIFTS,
)
def test_what_was_not_asked_for_is_not_taken(gift: Input) -> None:
    assert after(Idle(), gift) == Idle()
    other = BAG if isinstance(gift, PhotoTaken | PhotoUnusable) else BOTH
    assert after(other, gift) == other


def test_whoever_walks_away_leaves_nothing_behind() -> None:
    late = NOW + DOCUMENT_US
    assert after(BOTH, Happened.TICK, now_us=late - 1) == BOTH
    assert after(BOTH, Happened.TICK, now_us=late) == Idle()
    assert after(BOTH, Happened.RESTART) == Idle()


def test_more_time_is_given_and_a_kiosk_that_falls_ill_lets_the_candidate_finish() -> None:
    longer = after(BOTH, Happened.MORE_TIME, now_us=NOW + SECOND_US)
    assert isinstance(longer, Collecting)
    assert (longer.until_us, longer.extended) == (NOW + SECOND_US + DOCUMENT_US, 1)
    assert after(BOTH, Fitness((Outcome.SYS_DISK,))) == BOTH


INPUTS = st.one_of(
    st.sampled_from(Happened),
    st.sampled_from([TicketRead(TICKET), IdNumberGiven(ID_NUMBER), NotUsable(Hint.MANY)]),
    st.sampled_from([PhotoTaken(PHOTO), PhotoUnusable(Hint.TOO_DARK), BagGiven("7"), Signed(STROKES)]),
    st.sampled_from([Answered(asked_for("NEED_PHOTO", "NEED_BAG", "NEED_SIGNATURE")), Answered(ADMITTED)]),
)


@given(st.lists(INPUTS, max_size=40))
def test_nobody_is_kept_and_no_photo_outlives_its_candidate(inputs: list[Input]) -> None:
    flow = after(Asking(SCAN), *inputs)
    if isinstance(flow, Asking):
        flow = after(flow, Answered(ADMITTED))
    assert after(flow, Happened.TICK, now_us=NOW * 2) == Idle()
