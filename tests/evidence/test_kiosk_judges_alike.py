"""A kiosk that works alone, from its package and day part only, judges as the server does from its tables."""

from collections.abc import Callable
from itertools import product

import pytest

from evidence.check_in_facts import gather
from evidence.doubt_cases import NewCase, open_case
from evidence.kiosk_day import build_day, load_day, open_day
from evidence.kiosk_enrolments import bind
from evidence.kiosk_secrets import KioskSecrets, signing_key
from evidence.kiosks import Scope
from evidence.recording_orders import Who
from evidence.roster_opening import RosterPackage
from evidence.stretched_numbers import Number, NumberKind
from evidence.ticket_voidings import VoidedTicket, void_ticket
from exam.admission import Verdict, judge
from exam.admission_facts import AdmissionRequest
from exam.clock import MINUTE_US
from exam.outcomes import Outcome
from exam.roster_cards import record_of
from exam.roster_facts import RosterRecord, facts_of
from tests.evidence.check_ins import RULES, Desk
from tests.evidence.rostered import package_of, secrets_for, the_kiosk
from tests.world import CLOCK_US, START_US, World, announce, invented_number

VOID = "202611229901"
NOBODY = "202611229999"


class Alone:
    """The kiosk: what it fetched, and nothing else."""

    def __init__(self, world: World, keys: KioskSecrets, now_us: int) -> None:
        self.package = RosterPackage(package_of(world, keys), keys)
        with world.exam.read() as connection:
            day = load_day(connection, RULES, the_kiosk(world), now_us)
        self.day = open_day(build_day(day, keys, now_us, signing_key(world.vault)), keys).day

    def judge(self, request: AdmissionRequest, now_us: int) -> Verdict:
        ticket = self.package.read(Number(NumberKind.TICKET, request.ticket_no or ""))
        number = self.package.read(Number(NumberKind.ID_NUMBER, request.id_number or ""))
        name = self.package.name(ticket, number)

        def records(cards: list[object]) -> list[RosterRecord]:
            words = "" if name is None else name.name
            return [record_of(card, words, self.day.rule.sittings, self.day.states) for card in cards]  # type: ignore[arg-type]

        facts = facts_of(
            self.day.rule,
            records(list(self.package.cards(ticket))),
            records(list(self.package.cards(number))),
            rooms=frozenset(self.day.rooms),
        )
        return judge(request, facts, self.day.rule.policy, now_us)


def nothing(_world: World) -> None:
    """The morning as it is."""


def begun(world: World) -> None:
    announce(world, "C5", START_US)


def some_came(world: World) -> None:
    desk = Desk(world)
    desk.ask(world.on_time)
    desk.ask(world.other_room)


def some_are_barred_or_in_doubt(world: World) -> None:
    with world.exam.write() as connection:
        connection.execute("update candidate set blocked_reason = '取消资格' where id = ?", (world.late.id,))
        case = NewCase(Outcome.FACE_DOUBT, world.on_time.id, world.session_id, world.room_1)
        open_case(connection, case, CLOCK_US)


def at_one_door(world: World) -> None:
    with world.exam.write() as connection:
        bind(connection, world.kiosk_id, Scope((world.room_2,)), Who(1, ""), CLOCK_US)


@pytest.mark.parametrize("lay", [nothing, begun, some_came, some_are_barred_or_in_doubt, at_one_door])
@pytest.mark.parametrize("minutes", [0, -10, 15, 45])
def test_every_pair_of_documents_gets_the_same_answer(
    world: World, lay: Callable[[World], None], minutes: int
) -> None:
    with world.exam.write() as connection:
        connection.execute("update batch set ticket_form = '202611[0-9]{6}'")
        void_ticket(connection, VoidedTicket(world.on_time.id, VOID, "换号", 1), CLOCK_US)
    lay(world)
    now_us = CLOCK_US + minutes * MINUTE_US
    alone = Alone(world, secrets_for(world), now_us)
    people = (world.on_time, world.late, world.other_room)
    tickets = [*(one.ticket_no for one in people), VOID, NOBODY, None]
    numbers = [*(one.id_number for one in people), invented_number(99), None]
    rooms = frozenset(alone.day.rooms)
    for ticket_no, id_number in product(tickets, numbers):
        request = AdmissionRequest(ticket_no, id_number, world.kiosk_id, rooms)
        with world.exam.read() as connection:
            facts = gather(connection, world.vault, request, RULES, now_us)
        server = judge(request, facts, RULES.policy, now_us)
        kiosk = alone.judge(request, now_us)
        assert (kiosk.reasons, kiosk.candidate_id) == (server.reasons, server.candidate_id)
        assert (kiosk.seat and kiosk.seat.place_id) == (server.seat and server.seat.place_id)
