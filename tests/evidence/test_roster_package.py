"""A roster package: what each number opens, what a PIN opens, and what nobody opens."""

import json
from dataclasses import replace

import pytest

from evidence.kiosk_enrolments import bind
from evidence.kiosk_secrets import signing_key
from evidence.kiosks import Scope
from evidence.recording_orders import NewMove, Who, move_session
from evidence.roster_boxes import PackageError, WrongKeyError, sign
from evidence.roster_content import load_numbers
from evidence.roster_opening import RosterPackage
from evidence.staff_pins import keys_from_pin
from evidence.stretched_numbers import Number, NumberKind
from evidence.ticket_reissues import reissue
from evidence.ticket_voidings import VoidedTicket, void_ticket
from exam.roster_cards import CardSeat, PersonName
from tests.evidence.rostered import (
    CHEAP,
    give_pin,
    id_of,
    opened,
    package_of,
    secrets_for,
    ticket_of,
)
from tests.world import CLOCK_US, Person, World


def bind_to(world: World, *rooms: int, sessions: tuple[int, ...] = ()) -> None:
    who = Who(world.administrator_account_id, "")
    with world.exam.write() as connection:
        bind(connection, world.kiosk_id, Scope(rooms, sessions), who, CLOCK_US)


def everybody(world: World) -> list[Person]:
    return [world.on_time, world.late, world.wrong_ticket, world.other_room]


def test_each_number_opens_the_card_of_its_holder(world: World) -> None:
    package = opened(world)
    for person in everybody(world):
        for number in (ticket_of(person), id_of(person)):
            (card,) = package.cards(package.read(number))
            assert card.candidate_id == person.id
            assert [(seat.room_id, seat.place_id, seat.place_label) for seat in card.seats] == [
                (person.room_id, person.place_id, person.place_label)
            ]
            assert (card.is_blocked, card.ticket_revision) == (False, 1)


def test_a_number_nobody_has_opens_nothing(world: World) -> None:
    package = opened(world)
    for text in ("202611220099", world.on_time.ticket_no):
        assert package.cards(package.read(Number(NumberKind.ID_NUMBER, text))) == []


def test_both_numbers_of_one_person_tell_his_name(world: World) -> None:
    package = opened(world)
    ticket, number = package.read(ticket_of(world.on_time)), package.read(id_of(world.on_time))
    assert package.name(ticket, number) == PersonName("陈一诺", world.on_time.id_number[-4:])


def test_two_peoples_numbers_tell_no_name(world: World) -> None:
    package = opened(world)
    ticket, number = package.read(ticket_of(world.on_time)), package.read(id_of(world.late))
    assert package.name(ticket, number) is None


def test_the_file_shows_no_name_no_number_and_no_seat(world: World) -> None:
    give_pin(world, world.proctor_account_id)
    content = package_of(world, secrets_for(world)).decode()
    for person in everybody(world):
        for secret in (person.name, person.id_number, person.ticket_no, person.id_number[-6:]):
            assert secret not in content


def test_a_barred_candidate_is_known_as_such(world: World) -> None:
    with world.exam.write() as connection:
        connection.execute("update candidate set blocked_reason = '取消资格' where id = ?", (world.late.id,))
    package = opened(world)
    assert [card.is_blocked for card in package.cards(package.read(id_of(world.late)))] == [True]


def test_a_kiosk_at_one_door_knows_where_others_sit_but_not_who_they_are(world: World) -> None:
    bind_to(world, world.room_1)
    give_pin(world, world.site_lead_account_id)
    package = opened(world)
    ticket, number = package.read(ticket_of(world.other_room)), package.read(id_of(world.other_room))
    (card,) = package.cards(ticket)
    assert [seat.room_id for seat in card.seats] == [world.room_2]
    assert package.name(ticket, number) is None
    assert package.rooms == (world.room_1,)


def test_a_kiosk_of_another_session_serves_nobody_of_this_one(world: World) -> None:
    with world.exam.write() as connection:
        connection.execute(
            "insert into session (batch_id, code, kind, subject, procedure_code, planned_start_us,"
            " duration_us) select batch_id, 'T2', kind, subject, procedure_code, planned_start_us,"
            " duration_us from session"
        )
    bind_to(world, sessions=(2,))
    package = opened(world)
    ticket, number = package.read(ticket_of(world.on_time)), package.read(id_of(world.on_time))
    assert (package.rooms, package.name(ticket, number), len(package.cards(ticket))) == ((), None, 1)


def test_numbers_shared_by_two_batches_open_both_cards(world: World) -> None:
    with world.exam.write() as connection:
        connection.execute(
            "insert into batch (code, name, occupation, level) values ('B2', '第2批次', '焊工', '四级')"
        )
        connection.execute(
            "insert into candidate (batch_id, name, document_type, id_number_cipher, id_number_index,"
            " id_number_tail, ticket_no) select 2, name, document_type, id_number_cipher, id_number_index,"
            " id_number_tail, ticket_no from candidate where id = ?",
            (world.on_time.id,),
        )
        connection.execute(
            "insert into seating (session_id, candidate_id, place_id)"
            " select 1, last_insert_rowid(), id from place where id not in (select place_id from seating)"
            " limit 1"
        )
    package = opened(world)
    found = package.cards(package.read(ticket_of(world.on_time)))
    assert sorted(card.candidate_id for card in found) == [world.on_time.id, 5]


def test_a_closed_batch_is_in_no_package(world: World) -> None:
    with world.exam.write() as connection:
        connection.execute("update batch set closed_at_us = 1")
    package = opened(world)
    assert package.cards(package.read(ticket_of(world.on_time))) == []


def test_staff_see_the_people_of_their_room_after_their_pin(world: World) -> None:
    pin_id, keys = give_pin(world, world.proctor_account_id)
    package = opened(world)
    sheet = package.sheet(world.room_1, pin_id, keys)
    assert [(entry.name, entry.ticket_tail, entry.id_tail) for entry in sheet] == [
        (one.name, one.ticket_no[-5:], one.id_number[-6:])
        for one in (world.on_time, world.late, world.wrong_ticket)
    ]
    assert sheet[0].card.seats == (
        CardSeat(
            1,
            world.room_1,
            world.on_time.place_id,
            world.on_time.place_label,
            sheet[0].card.seats[0].place_kind,
        ),
    )


def test_a_proctor_does_not_see_another_room_and_the_lead_sees_all(world: World) -> None:
    proctor_pin, proctor = give_pin(world, world.proctor_account_id)
    lead_pin, lead = give_pin(world, world.site_lead_account_id)
    package = opened(world)
    assert [len(package.sheet(room, lead_pin, lead)) for room in (world.room_1, world.room_2)] == [3, 1]
    with pytest.raises(WrongKeyError, match="no key"):
        package.sheet(world.room_2, proctor_pin, proctor)
    with pytest.raises(WrongKeyError, match="no key"):
        package.sheet(99, lead_pin, lead)


def test_somebody_without_a_duty_sees_no_room(world: World) -> None:
    with world.exam.write() as connection:
        connection.execute("delete from duty")
    pin_id, keys = give_pin(world, world.proctor_account_id)
    with pytest.raises(WrongKeyError):
        opened(world).sheet(world.room_1, pin_id, keys)


def test_a_wrong_pin_opens_nothing(world: World) -> None:
    pin_id, keys = give_pin(world, world.proctor_account_id)
    wrong = keys_from_pin("730418", b"another salt 123", CHEAP)
    package = opened(world)
    with pytest.raises(WrongKeyError, match="room key"):
        package.sheet(world.room_1, pin_id, wrong)
    assert len(package.sheet(world.room_1, pin_id, keys)) == 3


def test_a_pin_alone_opens_nothing_without_the_kiosks_secret(world: World) -> None:
    pin_id, keys = give_pin(world, world.proctor_account_id)
    first = secrets_for(world)
    content = package_of(world, first)
    second = secrets_for(world)
    with pytest.raises(PackageError, match="other_secret"):
        RosterPackage(content, second)
    forced = RosterPackage(package_of(world, first), first)
    object.__setattr__(forced, "_keys", second)
    with pytest.raises(WrongKeyError):
        forced.sheet(world.room_1, pin_id, keys)
    assert forced.cards(forced.read(ticket_of(world.on_time))) == []


def broken(content: bytes, how: str) -> bytes:
    head, body = content.split(b"\n", 1)
    match how:
        case "one letter":
            return content[:-9] + bytes([content[-9] ^ 1]) + content[-8:]
        case "cut":
            return content[:-20]
        case "empty":
            return b""
        case "another mark":
            return b"KZD1" + content[4:]
        case "no signature":
            return b"KZR1 !!\n" + body
        case _:
            return head


@pytest.mark.parametrize(
    ("how", "code"),
    [
        ("one letter", "not_ours"),
        ("cut", "not_ours"),
        ("empty", "damaged"),
        ("another mark", "damaged"),
        ("no signature", "not_ours"),
        ("no body", "not_ours"),
    ],
)
def test_a_package_that_was_changed_is_not_believed(world: World, how: str, code: str) -> None:
    keys = secrets_for(world)
    with pytest.raises(PackageError, match=code):
        RosterPackage(broken(package_of(world, keys), how), keys)


def test_a_package_of_another_kiosk_or_site_is_not_believed(world: World) -> None:
    keys = secrets_for(world)
    content = package_of(world, keys)
    with pytest.raises(PackageError, match="other_kiosk"):
        RosterPackage(content, replace(keys, kiosk_uuid="another"))
    with pytest.raises(PackageError, match="not_ours"):
        RosterPackage(content, replace(keys, verify_key=b"k" * 32))


@pytest.mark.parametrize("body", [b"[]", b"{}", b"not json", b'{"format":9}'])
def test_signed_nonsense_is_damaged(world: World, body: bytes) -> None:
    keys = secrets_for(world)
    with pytest.raises(PackageError, match="damaged"):
        RosterPackage(sign("KZR1", body, signing_key(world.vault)), keys)


def test_the_head_says_revision_days_and_cost(world: World) -> None:
    keys = secrets_for(world)
    content = package_of(world, keys, revision=7)
    told = json.loads(content.split(b"\n", 1)[1])
    assert (told["revision"], told["days"]) == (7, ["2026-11-22", "2026-11-23"])
    assert told["stretch"] == {"n": 2, "r": 8, "p": 1}
    package = RosterPackage(content, keys)
    assert (package.revision.number, package.revision.made_at_us) == (7, CLOCK_US)
    assert package.days == ("2026-11-22", "2026-11-23")
    assert told["cards"] == sorted(told["cards"])
    assert len(told["cards"]) == 8


def test_a_candidate_whose_number_cannot_be_read_is_left_out_and_nobody_else(world: World) -> None:
    with world.exam.write() as connection:
        connection.execute(
            "update candidate set id_number_cipher = zeroblob(40) where id = ?", (world.late.id,)
        )
    package = opened(world)
    assert package.cards(package.read(ticket_of(world.late))) == []
    assert len(package.cards(package.read(ticket_of(world.on_time)))) == 1


def test_a_number_that_counts_no_more_opens_the_card_and_says_so(world: World) -> None:
    old = VoidedTicket(world.on_time.id, "202611229901", "重新编号", world.site_lead_account_id)
    with world.exam.write() as connection:
        void_ticket(connection, old, CLOCK_US)
    package = opened(world)
    (card,) = package.cards(package.read(Number(NumberKind.TICKET, "202611229901")))
    assert (card.candidate_id, card.is_void) == (world.on_time.id, True)
    (card,) = package.cards(package.read(ticket_of(world.on_time)))
    assert not card.is_void


def test_the_revision_of_the_ticket_in_force_stands_on_the_card(world: World) -> None:
    with world.exam.write() as connection:
        reissue(connection, world.late.id, Who(1, "遗失"), CLOCK_US)
    package = opened(world)
    (card,) = package.cards(package.read(id_of(world.late)))
    assert card.ticket_revision == 2


def test_a_kiosk_at_the_door_to_which_a_session_moved_serves_its_people(world: World) -> None:
    bind_to(world, world.room_2)
    move = NewMove(world.session_id, world.room_1, world.room_2, CLOCK_US)
    with world.exam.write() as connection:
        move_session(connection, move, Who(world.site_lead_account_id, "停电"), CLOCK_US)
    package = opened(world)
    ticket, number = package.read(ticket_of(world.on_time)), package.read(id_of(world.on_time))
    assert package.name(ticket, number) is not None


def test_a_signed_package_without_its_parts_is_damaged(world: World) -> None:
    keys = secrets_for(world)
    head = {"format": 1, "kiosk": keys.kiosk_uuid, "secret": keys.secret_id, "revision": 1, "made_at_us": 1}
    for body in (head, {**head, "days": [], "cards": [["lonely"]], "names": [], "rooms": []}):
        with pytest.raises(PackageError, match="damaged"):
            RosterPackage(sign("KZR1", json.dumps(body).encode(), signing_key(world.vault)), keys)


def test_numbers_of_later_days_leave_out_whom_nobody_can_read(world: World) -> None:
    with world.exam.write() as connection:
        connection.execute("update candidate set id_number_cipher = zeroblob(40) where id = 1")
        numbers = load_numbers(connection, world.vault)
    assert len(numbers) == 7
    assert ticket_of(world.on_time) in numbers
    assert id_of(world.on_time) not in numbers
