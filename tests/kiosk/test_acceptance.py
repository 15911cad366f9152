"""Which readings count: form, repetition, several in view, foreign codes."""

import pytest

from kiosk.acceptance import GONE_US, Acceptance
from kiosk.flow import Hint, NotUsable, TicketRead
from tests.kiosk.stage import FORM, TICKET

NOW = 1_000_000_000


@pytest.fixture
def acceptance() -> Acceptance:
    return Acceptance([FORM])


def test_a_ticket_is_taken_at_first_sight(acceptance: Acceptance) -> None:
    assert acceptance.judge([TICKET], NOW) == TicketRead(TICKET)


def test_an_empty_frame_means_nothing(acceptance: Acceptance) -> None:
    assert acceptance.judge([], NOW) is None


def test_a_ticket_that_stays_in_view_is_one_scan(acceptance: Acceptance) -> None:
    acceptance.judge([TICKET], NOW)
    for second in range(1, 20):
        assert acceptance.judge([TICKET], NOW + second * 1_000_000) is None


def test_a_ticket_that_was_away_is_a_new_scan(acceptance: Acceptance) -> None:
    acceptance.judge([TICKET], NOW)
    assert acceptance.judge([TICKET], NOW + GONE_US - 1) is None
    assert acceptance.judge([TICKET], NOW + 2 * GONE_US) == TicketRead(TICKET)


def test_starting_over_takes_the_ticket_that_still_lies_there(acceptance: Acceptance) -> None:
    acceptance.judge([TICKET], NOW)
    acceptance.forget()
    assert acceptance.judge([TICKET], NOW + 1) == TicketRead(TICKET)


def test_bars_and_qr_code_of_one_ticket_are_one_reading(acceptance: Acceptance) -> None:
    assert acceptance.judge([TICKET, f" {TICKET}"], NOW) == TicketRead(TICKET)


def test_two_tickets_in_view_are_refused_once(acceptance: Acceptance) -> None:
    both = [TICKET, "202611220002"]
    assert acceptance.judge(both, NOW) == NotUsable(Hint.MANY)
    assert acceptance.judge(both, NOW + 1) is None


def test_a_short_read_never_becomes_a_ticket(acceptance: Acceptance) -> None:
    assert acceptance.judge(["2611220001"], NOW) is None
    assert acceptance.judge(["2611220001"], NOW + 1) == NotUsable(Hint.BAD_FORM)
    assert acceptance.judge(["2611220001"], NOW + 2) is None


def test_a_payment_code_is_foreign_and_believed_only_when_seen_twice(acceptance: Acceptance) -> None:
    assert acceptance.judge(["https://pay.example/1?x=2"], NOW) is None
    assert acceptance.judge(["https://pay.example/1?x=2"], NOW + 1) == NotUsable(Hint.FOREIGN)


def test_a_ticket_beside_a_foreign_code_is_taken(acceptance: Acceptance) -> None:
    assert acceptance.judge(["https://pay.example", TICKET], NOW) == TicketRead(TICKET)


def test_while_no_form_is_known_two_equal_frames_are_asked_for() -> None:
    acceptance = Acceptance()
    assert not acceptance.knows_forms
    assert acceptance.judge([TICKET], NOW) is None
    assert acceptance.judge([TICKET], NOW + 1) == TicketRead(TICKET)


def test_forms_learned_later_hold_from_then_on() -> None:
    acceptance = Acceptance()
    acceptance.expect([FORM])
    assert acceptance.knows_forms
    assert acceptance.has_form(TICKET)
    assert not acceptance.has_form("19990000001")
