"""A kiosk with the site's keys and no roster: signed tickets of today let their holders in provisionally."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import time
from pathlib import Path

import pytest

from evidence.kiosk_secrets import signing_key
from evidence.stretched_numbers import Number, NumberKind
from evidence.ticket_signing import id_proof, sign_ticket
from exam.clock import site_time
from exam.day import PlaceKind
from exam.kiosk_health import Part, PartState
from exam.outcomes import Outcome
from exam.signed_tickets import SignedTicket, TicketSitting
from kiosk.scan import Scan
from tests.kiosk.rostered_kiosk import Rostered, rostered
from tests.world import CLOCK_US, Person, World

PARTS = {Part.CAMERA: PartState.OK}
SITTING = TicketSitting("T1", time(9, 0), "R1", "第1考场", "1", PlaceKind.SEAT)


@pytest.fixture
def kiosk(world: World, tmp_path: Path) -> Iterator[Rostered]:
    """It heard the console once, got its keys and no package, and is alone since, also after a restart."""
    made = rostered(world, tmp_path / "kiosk")
    made.console.packages = {}
    made.local.contact.turn(PARTS)
    made.console.is_away = True
    made.restart()
    made.local.contact.lost()
    yield made
    made.local.close()


def signed(kiosk: Rostered, person: Person) -> str:
    stretched = kiosk.keys.stretcher.stretch(Number(NumberKind.ID_NUMBER, person.id_number))
    proof = id_proof(kiosk.keys.ticket_proof, person.ticket_no, stretched)
    day = site_time(CLOCK_US).date()
    ticket = SignedTicket("SITE-01", "B1", person.ticket_no, 1, day, proof, (SITTING,))
    return sign_ticket(ticket, signing_key(kiosk.world.vault))


def test_the_holder_of_a_signed_ticket_of_today_is_let_in_provisionally_and_brought_later(
    kiosk: Rostered, world: World
) -> None:
    assert kiosk.local.contact.told.reasons == ()
    person = world.on_time
    scan = Scan(person.ticket_no, person.id_number, signed(kiosk, person))
    answered = kiosk.local.asker.ask(scan)
    answer = answered.answer
    assert (answer.outcome, answer.room_label, answer.place_label, answered.is_offline) == (
        "OK_PROVISIONAL",
        "第1考场",
        "1",
        True,
    )
    kiosk.console.is_away = False
    kiosk.local.contact.turn(PARTS)
    brought = kiosk.console.asked[-1]
    assert brought["decided"] == {"outcome": "OK_PROVISIONAL", "place_id": None}
    assert (brought["ticket_proof"], brought["ticket_revision"]) == ("signed", 1)


def test_anybody_else_is_sent_to_people_or_another_kiosk(kiosk: Rostered, world: World) -> None:
    person, text = world.on_time, signed(kiosk, world.on_time)
    scan = Scan(person.ticket_no, person.id_number, text)
    forged = text[:-1] + ("A" if text[-1] != "A" else "B")
    others = {
        Outcome.ID_TICKET_MISMATCH: replace(scan, id_number=world.late.id_number),
        Outcome.TICKET_FORGED: replace(scan, signed=forged),
        Outcome.SYS_STALE_ROSTER: replace(scan, signed=""),
    }
    for outcome, shown in others.items():
        assert kiosk.local.asker.ask(shown).answer.outcome == outcome
    no_id = replace(scan, id_number=None, declared=frozenset({Outcome.NO_ID}))
    assert kiosk.local.asker.ask(no_id).answer.outcome == "SYS_STALE_ROSTER"


def test_a_kiosk_that_was_revoked_judges_by_no_ticket(kiosk: Rostered, world: World) -> None:
    person, text = world.on_time, signed(kiosk, world.on_time)
    kiosk.local.contact.packages.wipe()
    assert kiosk.local.contact.told.reasons == (Outcome.SYS_STALE_ROSTER,)
    scan = Scan(person.ticket_no, person.id_number, text)
    assert kiosk.local.asker.ask(scan).answer.outcome == "SYS_STALE_ROSTER"
