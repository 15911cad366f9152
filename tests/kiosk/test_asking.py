"""Asking: kept before anybody is asked, judged here when nobody answers, and never told before it is kept."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from evidence.kiosk_outbox import Outbox
from exam.clock import SimulatedClock
from exam.kiosk_health import Part, PartState
from exam.outcomes import Outcome
from kiosk.local import Local
from kiosk.own_answers import own_answer
from kiosk.scan import Scan
from kiosk.visit import Answered
from tests.kiosk.stage import ADMITTED, ID_NUMBER, TICKET, FakeConsole, local_of

SCAN = Scan(TICKET, ID_NUMBER)
PARTS = {Part.CAMERA: PartState.OK}
NOW_US = 1_800_000_000_000_000


@pytest.fixture
def console() -> FakeConsole:
    return FakeConsole()


@pytest.fixture
def local(console: FakeConsole, tmp_path: Path) -> Iterator[Local]:
    opened = local_of(console, tmp_path, SimulatedClock(NOW_US))
    opened.contact.turn(PARTS)
    yield opened
    opened.close()


def states(local: Local) -> list[tuple[str, str | None]]:
    with local.store.database.read() as connection:
        return [tuple(row) for row in connection.execute("select state, outcome from scan order by id")]


def test_the_answer_comes_back_and_the_request_says_all_that_is_known(
    local: Local, console: FakeConsole
) -> None:
    assert local.asker.ask(SCAN) == Answered(ADMITTED)
    asked = console.asked[0]
    assert (asked["scanned_at_us"], asked["ticket_no"], asked["id_number"]) == (NOW_US, TICKET, ID_NUMBER)
    assert asked["kiosk"] == {
        "boot_id": local.contact.boot_id,
        "sequence": 1,
        "clock_offset_us": 0,
        "clock_uncertainty_us": 0,
        "roster_revision": None,
    }
    assert len(asked["nonce"]) >= 16
    assert "decided" not in asked
    assert states(local) == [("delivered", "OK_ADMITTED")]


def test_the_scan_is_durable_before_anybody_is_asked(local: Local, console: FakeConsole) -> None:
    seen: list[list[tuple[str, str | None]]] = []

    def look_first(body: object) -> None:
        del body
        seen.append(states(local))
        raise AssertionError("the kiosk stopped here")

    console.check_in = look_first  # type: ignore[method-assign, assignment]
    with pytest.raises(AssertionError):
        local.asker.ask(SCAN)
    assert seen == [[("asking", None)]]


def test_every_scan_has_its_own_nonce(local: Local, console: FakeConsole) -> None:
    local.asker.ask(SCAN)
    local.asker.ask(SCAN)
    assert len({request["nonce"] for request in console.asked}) == 2


def test_an_answer_that_got_lost_is_given_here_and_told_to_the_console_under_the_same_nonce(
    local: Local, console: FakeConsole
) -> None:
    console.lost = 1
    assert local.asker.ask(SCAN) == Answered(own_answer(Outcome.SYS_STALE_ROSTER), is_offline=True)
    assert local.contact.is_alone
    local.contact.turn(PARTS)
    assert [request["nonce"] for request in console.asked] == [console.asked[0]["nonce"]] * 2
    assert console.asked[1] == {
        **console.asked[0],
        "decided": {"outcome": "SYS_STALE_ROSTER", "place_id": None},
    }
    assert not local.contact.is_alone
    assert states(local) == [("delivered", "SYS_STALE_ROSTER")]


def test_a_kiosk_that_works_alone_does_not_keep_people_waiting_for_a_console_that_is_away(
    local: Local, console: FakeConsole
) -> None:
    console.is_away = True
    local.asker.ask(SCAN)
    local.asker.ask(SCAN)
    assert len(console.asked) == 1


def test_what_the_console_will_not_judge_is_for_a_person_and_not_asked_again(
    local: Local, console: FakeConsole
) -> None:
    console.refuses = True
    assert local.asker.ask(SCAN) == Answered(own_answer(Outcome.NOT_JUDGED))
    local.contact.turn(PARTS)
    assert len(console.asked) == 1
    assert states(local) == [("needs_human", None)]


def test_a_console_that_shuts_the_kiosk_out_is_heard_at_the_door(local: Local, console: FakeConsole) -> None:
    console.has_revoked = True
    assert local.asker.ask(SCAN).answer == own_answer(Outcome.SYS_REVOKED)
    assert states(local) == [("waiting", "SYS_REVOKED")]


def test_a_kiosk_that_must_not_be_used_asks_nobody(local: Local, console: FakeConsole) -> None:
    local.contact.free = lambda _: 0
    assert local.asker.ask(SCAN) == Answered(own_answer(Outcome.SYS_DISK))
    assert (console.asked, states(local)) == ([], [])


def test_a_scan_that_cannot_be_kept_is_not_asked(local: Local, console: FakeConsole) -> None:
    with local.store.database.write() as connection:
        connection.execute("create trigger full before insert on scan begin select raise(abort, 'full'); end")
    assert local.asker.ask(SCAN) == Answered(own_answer(Outcome.SYS_DISK))
    assert console.asked == []


def test_a_decision_that_cannot_be_kept_is_not_told(local: Local, console: FakeConsole) -> None:
    console.is_away = True
    with local.store.database.write() as connection:
        connection.execute("create trigger full before update on scan begin select raise(abort, 'full'); end")
    assert local.asker.ask(SCAN) == Answered(own_answer(Outcome.SYS_DISK))
    assert states(local) == [("asking", None)]


def test_an_answer_that_cannot_be_kept_is_not_told_and_the_console_hears_what_was(
    local: Local, console: FakeConsole
) -> None:
    with local.store.database.write() as connection:
        connection.execute("create trigger full before update on scan begin select raise(abort, 'full'); end")
    assert local.asker.ask(SCAN) == Answered(own_answer(Outcome.SYS_DISK))
    local.contact.turn(PARTS)
    assert states(local) == [("asking", None)]
    with local.store.database.write() as connection:
        connection.execute("drop trigger full")
    told = local.contact.turn(PARTS)
    assert [asked.get("decided") for asked in console.asked] == [
        None,
        *[{"outcome": "SYS_DISK", "place_id": None}] * 2,
    ]
    assert (states(local), told.counts.waiting) == ([("delivered", None)], 0)


def test_after_a_restart_an_answer_that_was_never_kept_was_never_told(local: Local, tmp_path: Path) -> None:
    with local.store.database.write() as connection:
        connection.execute("create trigger full before update on scan begin select raise(abort, 'full'); end")
    local.asker.ask(SCAN)
    with local.store.database.write() as connection:
        connection.execute("drop trigger full")
    outbox = Outbox(local.store.database, tmp_path / "keys" / "kiosk.outbox")
    assert [one.outcome for one in outbox.waiting("another run")] == [None]  # brought as SYS_OUT


def test_neither_log_nor_database_holds_a_document_number(
    local: Local, console: FakeConsole, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    console.is_away = True
    local.asker.ask(SCAN)
    printed = capsys.readouterr().out
    assert "check-in unanswered" in printed
    assert ID_NUMBER not in printed
    kept = b"".join(path.read_bytes() for path in tmp_path.glob("kiosk.db*"))
    assert ID_NUMBER.encode() not in kept
    assert TICKET.encode() not in kept
    outbox = Outbox(local.store.database, tmp_path / "keys" / "kiosk.outbox")
    body = outbox.waiting(local.contact.boot_id)[0].body
    assert body is not None
    assert body["id_number"] == ID_NUMBER
