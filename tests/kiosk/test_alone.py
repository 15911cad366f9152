"""A kiosk that lost its console: it admits by itself, once, and tells the console all of it afterwards."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from evidence.roster_package import Revision
from evidence.stretched_numbers import keep
from evidence.ticket_signing import session_tickets
from exam.admission_facts import ReadDocument, TicketProof
from exam.clock import MINUTE_US, SECOND_US
from exam.kiosk_health import Part, PartState
from kiosk.scan import Scan
from kiosk.visit import Answered
from tests.evidence.rostered import content_of, stretched_of
from tests.kiosk.rostered_kiosk import Rostered, rostered
from tests.kiosk.stage import ADMITTED
from tests.world import CLOCK_US, Person, World, announce, invented_number

PARTS = {Part.CAMERA: PartState.OK}


@pytest.fixture
def kiosk(world: World, tmp_path: Path) -> Iterator[Rostered]:
    made = rostered(world, tmp_path / "kiosk")
    made.local.contact.turn(PARTS)
    made.console.is_away = True
    made.local.contact.lost()
    yield made
    made.local.close()


def scan_of(person: Person) -> Scan:
    return Scan(person.ticket_no, person.id_number)


def ask(kiosk: Rostered, scan: Scan) -> Answered:
    return kiosk.local.asker.ask(scan)


def test_somebody_on_the_roster_is_let_in_and_shown_his_seat(kiosk: Rostered, world: World) -> None:
    answered = ask(kiosk, scan_of(world.on_time))
    answer = answered.answer
    assert answered.is_offline
    assert (answer.outcome, answer.admitted) == ("OK_OFFLINE", True)
    assert (answer.room_label, answer.place_label) == ("第1考场", world.on_time.place_label)
    assert (answer.masked_name, answer.id_tail) == ("陈*诺", world.on_time.id_number[-4:])


def test_twice_alone_is_let_in_once(kiosk: Rostered, world: World) -> None:
    ask(kiosk, scan_of(world.on_time))
    assert ask(kiosk, scan_of(world.on_time)).answer.outcome == "OK_ALREADY_HERE"
    kiosk.clock.sleep_us(2 * MINUTE_US)
    assert ask(kiosk, scan_of(world.on_time)).answer.outcome == "ALREADY_IN"


def test_whom_it_let_in_alone_it_still_knows_after_a_restart(kiosk: Rostered, world: World) -> None:
    ask(kiosk, scan_of(world.on_time))
    kiosk.restart()
    assert ask(kiosk, scan_of(world.on_time)).answer.outcome == "OK_ALREADY_HERE"


@pytest.mark.parametrize(
    ("ticket", "number", "outcome"),
    [
        ("on_time", "late", "ID_TICKET_MISMATCH"),
        ("on_time", None, "NEED_SECOND_DOC"),
        (None, "on_time", "NEED_SECOND_DOC"),
        ("nobody", "on_time", "NOT_ON_ROSTER"),
    ],
)
def test_documents_that_do_not_agree_get_the_answer_of_the_rule(
    kiosk: Rostered, world: World, ticket: str | None, number: str | None, outcome: str
) -> None:
    ticket_no = "202611229999" if ticket == "nobody" else None if ticket is None else world.on_time.ticket_no
    id_number = None if number is None else getattr(world, number).id_number
    assert ask(kiosk, Scan(ticket_no, id_number)).answer.outcome == outcome


def test_a_stranger_learns_nothing(kiosk: Rostered) -> None:
    answer = ask(kiosk, Scan("202611229999", invented_number(77))).answer
    assert (answer.outcome, answer.masked_name, answer.room_label) == ("NOT_ON_ROSTER", "", "")


def test_a_card_in_another_name_is_a_doubt_also_alone(kiosk: Rostered, world: World) -> None:
    scan = replace(scan_of(world.on_time), read=ReadDocument(name="别人"))
    assert ask(kiosk, scan).answer.outcome == "NAME_MISMATCH"


def test_who_comes_after_the_cut_off_by_the_consoles_clock_is_refused(world: World, tmp_path: Path) -> None:
    announce(world, "C5", CLOCK_US + 10 * MINUTE_US)
    world.clock.sleep_us(10 * MINUTE_US)
    made = rostered(world, tmp_path / "kiosk")
    made.clock.now_us = world.clock.wall_us() - 4 * SECOND_US
    made.console.time_us = world.clock.wall_us()
    made.local.contact.turn(PARTS)
    made.local.contact.lost()
    assert made.local.contact.now_us == world.clock.wall_us()
    assert ask(made, scan_of(world.on_time)).answer.outcome == "OK_LATE"
    made.clock.sleep_us(30 * MINUTE_US)
    assert ask(made, scan_of(world.late)).answer.outcome == "LATE_CUTOFF"
    made.local.close()


def test_a_signed_ticket_is_verified_and_a_forged_one_is_found_out(kiosk: Rostered, world: World) -> None:
    with world.exam.write() as connection:
        keep(connection, world.vault, stretched_of(content_of(world), kiosk.keys))
        signed = session_tickets(connection, world.vault, world.session_id)[world.on_time.id]
    good = replace(scan_of(world.on_time), signed=signed)
    assert ask(kiosk, good).answer.outcome == "OK_OFFLINE"
    forged = signed[:-1] + ("0" if signed[-1] != "0" else "1")
    assert ask(kiosk, replace(good, signed=forged)).answer.outcome == "TICKET_FORGED"
    kiosk.console.is_away = False
    kiosk.local.contact.turn(PARTS)
    proofs = [(asked["ticket_proof"], asked["ticket_revision"]) for asked in kiosk.console.asked]
    assert proofs == [(TicketProof.SIGNED, 1), (TicketProof.FAILED, None)]


def test_back_at_the_console_everything_is_told_once_in_order_and_with_its_own_time(
    kiosk: Rostered, world: World
) -> None:
    ask(kiosk, scan_of(world.on_time))
    kiosk.clock.sleep_us(7 * SECOND_US)
    ask(kiosk, scan_of(world.late))
    kiosk.clock.sleep_us(7 * SECOND_US)
    ask(kiosk, Scan(world.wrong_ticket.ticket_no, world.on_time.id_number))
    assert kiosk.local.contact.told.counts.waiting == 3
    assert kiosk.console.asked == []
    kiosk.console.is_away = False
    kiosk.local.contact.turn(PARTS)
    told = [
        (asked["scanned_at_us"] - CLOCK_US, asked["decided"], asked["kiosk"]["sequence"])
        for asked in kiosk.console.asked
    ]
    assert told == [
        (0, {"outcome": "OK_OFFLINE", "place_id": world.on_time.place_id}, 1),
        (7 * SECOND_US, {"outcome": "OK_OFFLINE", "place_id": world.late.place_id}, 2),
        (14 * SECOND_US, {"outcome": "ID_TICKET_MISMATCH", "place_id": None}, 3),
    ]
    assert {asked["kiosk"]["roster_revision"] for asked in kiosk.console.asked} == {1}
    kiosk.local.contact.turn(PARTS)
    assert len(kiosk.console.asked) == 3
    assert kiosk.local.contact.told.counts.waiting == 0
    assert ask(kiosk, scan_of(world.other_room)) == Answered(ADMITTED)


def test_the_day_part_takes_over_from_what_the_kiosk_remembers(kiosk: Rostered, world: World) -> None:
    ask(kiosk, scan_of(world.on_time))
    kiosk.console.is_away = False
    kiosk.local.contact.turn(PARTS)
    kiosk.clock.sleep_us(SECOND_US)
    world.clock.sleep_us(MINUTE_US)
    kiosk.publish(revision=2)  # people have taken the entry back meanwhile: nobody is in
    kiosk.local.contact.turn(PARTS)
    kiosk.local.contact.lost()
    kiosk.clock.sleep_us(MINUTE_US)
    assert ask(kiosk, scan_of(world.on_time)).answer.outcome == "OK_OFFLINE"


def test_a_scan_that_the_kiosk_did_not_survive_is_told_as_such(kiosk: Rostered, world: World) -> None:
    kiosk.console.is_away = False
    kiosk.local.contact.turn(PARTS)

    def dies(_: object) -> None:
        raise SystemExit

    kiosk.console.check_in, kept = dies, kiosk.console.check_in  # type: ignore[method-assign, assignment]
    with pytest.raises(SystemExit):
        ask(kiosk, scan_of(world.on_time))
    kiosk.console.check_in = kept  # type: ignore[method-assign]
    kiosk.local.contact.turn(PARTS)
    assert kiosk.console.asked == []  # of this run somebody is asking
    kiosk.restart()
    kiosk.local.contact.turn(PARTS)
    assert [asked["decided"] for asked in kiosk.console.asked] == [{"outcome": "SYS_OUT", "place_id": None}]


def test_what_breaks_while_judging_is_on_record_and_the_kiosk_goes_on(
    kiosk: Rostered, world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    alone = kiosk.local.contact.packages.alone
    assert alone is not None
    alone.day, day = replace(alone.day, states=None), alone.day  # type: ignore[arg-type]
    assert ask(kiosk, scan_of(world.on_time)).answer.outcome == "NOT_JUDGED"
    assert world.on_time.id_number not in capsys.readouterr().out
    alone.day = day
    assert ask(kiosk, scan_of(world.late)).answer.outcome == "OK_OFFLINE"
    kiosk.console.is_away = False
    kiosk.local.contact.turn(PARTS)
    assert [asked["decided"]["outcome"] for asked in kiosk.console.asked] == ["NOT_JUDGED", "OK_OFFLINE"]


def test_revisions_are_of_the_roster_that_is_held(kiosk: Rostered) -> None:
    alone = kiosk.local.contact.packages.alone
    assert alone is not None
    assert alone.package.revision == Revision(1, CLOCK_US)
    assert alone.kiosk_id == kiosk.world.kiosk_id
