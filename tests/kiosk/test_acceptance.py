"""Which readings count: form, repetition, several in view, foreign codes."""

from datetime import date, time

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from evidence.ticket_signing import sign_ticket
from exam.day import PlaceKind
from exam.signed_tickets import SignedTicket, TicketSitting
from kiosk.acceptance import GONE_US, Acceptance
from kiosk.scanner import Reading
from kiosk.visit import Hint, Input, NotUsable, TicketRead
from tests.kiosk.stage import FORM, TICKET

NOW = 1_000_000_000


def judge(acceptance: Acceptance, texts: list[str], now_us: int, symbology: str = "CODE128") -> Input | None:
    return acceptance.judge([Reading(symbology, text) for text in texts], now_us)


@pytest.fixture
def acceptance() -> Acceptance:
    return Acceptance([FORM])


def test_a_ticket_is_taken_at_first_sight(acceptance: Acceptance) -> None:
    assert judge(acceptance, [TICKET], NOW) == TicketRead(TICKET)


def test_an_empty_frame_means_nothing(acceptance: Acceptance) -> None:
    assert judge(acceptance, [], NOW) is None


def test_a_ticket_that_stays_in_view_is_one_scan(acceptance: Acceptance) -> None:
    judge(acceptance, [TICKET], NOW)
    for second in range(1, 20):
        assert judge(acceptance, [TICKET], NOW + second * 1_000_000) is None


def test_a_ticket_that_was_away_is_a_new_scan(acceptance: Acceptance) -> None:
    judge(acceptance, [TICKET], NOW)
    assert judge(acceptance, [TICKET], NOW + GONE_US - 1) is None
    assert judge(acceptance, [TICKET], NOW + 2 * GONE_US) == TicketRead(TICKET)


def test_starting_over_takes_the_ticket_that_still_lies_there(acceptance: Acceptance) -> None:
    judge(acceptance, [TICKET], NOW)
    acceptance.forget()
    assert judge(acceptance, [TICKET], NOW + 1) == TicketRead(TICKET)


def test_bars_and_qr_code_of_one_ticket_are_one_reading(acceptance: Acceptance) -> None:
    assert judge(acceptance, [TICKET, f" {TICKET}"], NOW) == TicketRead(TICKET)


def test_two_tickets_in_view_are_refused_once(acceptance: Acceptance) -> None:
    both = [TICKET, "202611220002"]
    assert judge(acceptance, both, NOW) == NotUsable(Hint.MANY)
    assert judge(acceptance, both, NOW + 1) is None


def test_a_short_read_never_becomes_a_ticket(acceptance: Acceptance) -> None:
    assert judge(acceptance, ["2611220001"], NOW) is None
    assert judge(acceptance, ["2611220001"], NOW + 1) == NotUsable(Hint.BAD_FORM)
    assert judge(acceptance, ["2611220001"], NOW + 2) is None


@pytest.mark.parametrize(
    ("content", "hint"),
    [
        ("https://qr.95516.com/00010000/6229", Hint.FOREIGN),
        ("wxp://f2f0example", Hint.FOREIGN),
        ("134567890123456789", Hint.FOREIGN),
        ("283456789012345678", Hint.FOREIGN),
        ("6212345678901234567", Hint.FOREIGN),
        ("8" * 28, Hint.DYNAMIC_ID),
        ("Qk1TTEVYQU1QTEU6c29jaWFsLXNlY3VyaXR5LWNhcmQ=", Hint.DYNAMIC_ID),
        ("刚买的矿泉水", Hint.FOREIGN),
    ],
)
def test_what_is_no_ticket_is_known_by_its_form(acceptance: Acceptance, content: str, hint: Hint) -> None:
    assert judge(acceptance, [content], NOW, "QRCODE") is None
    assert judge(acceptance, [content], NOW + 1, "QRCODE") == NotUsable(hint)


def test_of_a_foreign_code_nothing_but_its_kind_is_remembered(acceptance: Acceptance) -> None:
    content = "https://pay.example/secret"
    judge(acceptance, [content], NOW)
    judge(acceptance, [content], NOW + 1)
    assert content not in repr(vars(acceptance))


def test_a_dynamic_code_that_changes_while_it_is_shown_is_told_once(acceptance: Acceptance) -> None:
    for second, expected in ((0, NotUsable(Hint.DYNAMIC_ID)), (1, None)):
        content = f"{second}" * 40
        judge(acceptance, [content], NOW + second)
        assert judge(acceptance, [content], NOW + second) == expected


@pytest.mark.parametrize("symbology", ["CODE39", "ITF"])
def test_a_code_without_a_check_of_its_own_must_be_seen_twice(acceptance: Acceptance, symbology: str) -> None:
    assert judge(acceptance, [TICKET], NOW, symbology) is None
    assert judge(acceptance, ["202611220002"], NOW + 1, symbology) is None
    assert judge(acceptance, ["202611220002"], NOW + 2, symbology) == TicketRead("202611220002")


def test_a_misread_beside_a_code_that_checks_itself_does_not_count(acceptance: Acceptance) -> None:
    readings = [Reading("CODE39", "202611220002"), Reading("QRCODE", TICKET)]
    assert acceptance.judge(readings, NOW) == TicketRead(TICKET)


SITTING = TicketSitting("T1", time(9), "R01", "第1考场", "1", PlaceKind.SEAT)
SIGNED = sign_ticket(
    SignedTicket("S", "B", TICKET, 1, date(2026, 11, 22), b"12345678", (SITTING,)),
    Ed25519PrivateKey.from_private_bytes(b"k" * 32),
)


def test_a_signed_ticket_is_its_number_and_is_passed_on_whole_beside_it(acceptance: Acceptance) -> None:
    assert judge(acceptance, [SIGNED], NOW, "QRCODE") == TicketRead(TICKET, SIGNED)
    assert acceptance.scanned(SIGNED.lower(), NOW + 2 * GONE_US) == TicketRead(TICKET, SIGNED)


def test_signed_code_and_bars_of_one_ticket_are_one_scan(acceptance: Acceptance) -> None:
    assert judge(acceptance, [TICKET, SIGNED], NOW) == TicketRead(TICKET, SIGNED)
    assert judge(acceptance, [TICKET], NOW + 1) is None


def test_a_signed_code_beside_the_bars_of_another_ticket_are_many(acceptance: Acceptance) -> None:
    assert judge(acceptance, ["202611220002", SIGNED], NOW) == NotUsable(Hint.MANY)


def test_a_signed_code_that_was_not_read_whole_must_be_shown_again(acceptance: Acceptance) -> None:
    assert acceptance.scanned(SIGNED[:-1], NOW) == NotUsable(Hint.FOREIGN)


def test_a_gun_is_believed_at_once_and_a_second_press_is_one_scan(acceptance: Acceptance) -> None:
    assert acceptance.scanned(TICKET, NOW) == TicketRead(TICKET)
    assert acceptance.scanned(TICKET, NOW + 1) is None
    assert acceptance.scanned(TICKET, NOW + 2 * GONE_US) == TicketRead(TICKET)


def test_what_the_gun_and_the_camera_see_at_once_is_one_scan(acceptance: Acceptance) -> None:
    assert judge(acceptance, [TICKET], NOW) == TicketRead(TICKET)
    assert acceptance.scanned(TICKET, NOW + 1) is None


def test_a_gun_that_reads_something_else_says_so_once(acceptance: Acceptance) -> None:
    assert acceptance.scanned("2611220001", NOW) == NotUsable(Hint.BAD_FORM)
    assert acceptance.scanned("2611220001", NOW + 1) is None
    assert acceptance.scanned("weixin://pay/1", NOW + 2) == NotUsable(Hint.FOREIGN)


def test_a_payment_code_is_foreign_and_believed_only_when_seen_twice(acceptance: Acceptance) -> None:
    assert judge(acceptance, ["https://pay.example/1?x=2"], NOW) is None
    assert judge(acceptance, ["https://pay.example/1?x=2"], NOW + 1) == NotUsable(Hint.FOREIGN)


def test_a_ticket_beside_a_foreign_code_is_taken(acceptance: Acceptance) -> None:
    assert judge(acceptance, ["https://pay.example", TICKET], NOW) == TicketRead(TICKET)


def test_while_no_form_is_known_two_equal_frames_are_asked_for() -> None:
    acceptance = Acceptance()
    assert not acceptance.knows_forms
    assert judge(acceptance, [TICKET], NOW) is None
    assert judge(acceptance, [TICKET], NOW + 1) == TicketRead(TICKET)


def test_forms_learned_later_hold_from_then_on() -> None:
    acceptance = Acceptance()
    acceptance.expect([FORM])
    assert acceptance.knows_forms
    assert acceptance.has_form(TICKET)
    assert not acceptance.has_form("19990000001")
