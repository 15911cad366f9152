"""Asking with patience: one nonce per scan, also when answers get lost."""

from dataclasses import asdict

import pytest

from exam.clock import SimulatedClock
from exam.outcomes import Outcome
from kiosk.asking import REMEMBERED, REMEMBERED_US, TRIES, Asker
from kiosk.flow import Answered
from kiosk.own_answers import own_answer
from kiosk.scan import Scan
from tests.kiosk.stage import ADMITTED, ID_NUMBER, TICKET, FakeConsole

SCAN = Scan(TICKET, ID_NUMBER)


@pytest.fixture
def console() -> FakeConsole:
    return FakeConsole()


@pytest.fixture
def asker(console: FakeConsole) -> Asker:
    return Asker(console, SimulatedClock(now_us=77))


def test_the_answer_comes_back_and_the_request_says_when_it_was_scanned(
    asker: Asker, console: FakeConsole
) -> None:
    assert asker.ask(SCAN) == Answered(ADMITTED)
    assert (console.asked[0].scanned_at_us, console.asked[0].ticket_no) == (77, TICKET)
    assert len(console.asked[0].nonce) >= 16


def test_a_lost_answer_is_asked_for_again_under_the_same_nonce(asker: Asker, console: FakeConsole) -> None:
    console.lost = TRIES - 1
    assert asker.ask(SCAN) == Answered(ADMITTED)
    assert len({request.nonce for request in console.asked}) == 1
    assert len(console.asked) == TRIES


def test_patience_ends(asker: Asker, console: FakeConsole) -> None:
    console.is_away = True
    assert asker.ask(SCAN) == Answered(own_answer(Outcome.SYS_STALE_ROSTER))
    assert len(console.asked) == TRIES


def test_the_same_candidate_later_gets_the_first_scans_answer(asker: Asker, console: FakeConsole) -> None:
    console.lost = TRIES
    asker.ask(SCAN)
    asker._clock.sleep_us(1_000_000)
    asker.ask(SCAN)
    assert len({(request.nonce, request.scanned_at_us) for request in console.asked}) == 1


def test_much_later_a_scan_is_a_new_one_and_gets_no_old_answer(asker: Asker, console: FakeConsole) -> None:
    console.lost = TRIES
    asker.ask(SCAN)
    asker._clock.sleep_us(REMEMBERED_US)
    asker.ask(SCAN)
    assert len({(request.nonce, request.scanned_at_us) for request in console.asked}) == 2


def test_an_answered_scan_is_over_and_the_next_one_is_new(asker: Asker, console: FakeConsole) -> None:
    asker.ask(SCAN)
    asker.ask(SCAN)
    assert len({request.nonce for request in console.asked}) == 2


def test_other_candidates_have_their_own_nonce(asker: Asker, console: FakeConsole) -> None:
    console.lost = TRIES
    asker.ask(SCAN)
    asker.ask(Scan(TICKET, "other"))
    assert len({request.nonce for request in console.asked}) == 2


def test_what_the_console_will_not_judge_is_not_asked_again(asker: Asker, console: FakeConsole) -> None:
    console.refuses = True
    assert asker.ask(SCAN) == Answered(own_answer(Outcome.NOT_JUDGED))
    assert len(console.asked) == 1


def test_memory_of_unanswered_scans_is_small_and_holds_no_number(asker: Asker, console: FakeConsole) -> None:
    console.is_away = True
    for number in range(REMEMBERED + 5):
        asker.ask(Scan(f"ticket{number}", ID_NUMBER))
    assert len(asker._unanswered) == REMEMBERED
    assert ID_NUMBER not in repr(asker._unanswered)


def test_the_log_holds_no_document_number(
    asker: Asker, console: FakeConsole, capsys: pytest.CaptureFixture[str]
) -> None:
    console.is_away = True
    asker.ask(SCAN)
    printed = capsys.readouterr().out
    assert "check-in unanswered" in printed
    assert ID_NUMBER not in printed
    assert asdict(console.asked[0])["id_number"] == ID_NUMBER
