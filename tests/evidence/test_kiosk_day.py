"""The day part: what every kiosk must know all day long, and nothing that names a candidate."""

import json
from dataclasses import replace

import pytest

from config.outcomes import load_outcome_texts
from config.procedures import load_procedures
from evidence.check_in_facts import CheckInRules
from evidence.courses import UnknownProcedureError
from evidence.doubt_cases import NewCase, open_case
from evidence.kiosk_day import (
    SHELF_US,
    DayShelf,
    KioskDay,
    OpenedDay,
    build_day,
    digest_of,
    load_day,
    open_day,
)
from evidence.kiosk_secrets import signing_key
from evidence.kiosks import Kiosk
from evidence.roster_boxes import PackageError, from_text, seal, sign
from evidence.staff_pins import keys_from_pin
from evidence.stretching import Cost
from exam.admission_facts import Admitted, Policy
from exam.clock import MINUTE_US
from exam.outcomes import Outcome
from exam.plain import to_plain
from exam.roster_cards import SeatState, record_of
from tests.evidence.check_ins import Desk
from tests.evidence.rostered import PIN, content_of, give_pin, secrets_for, the_kiosk
from tests.world import CLOCK_US, START_US, World, announce

RULES = CheckInRules(load_procedures(), load_outcome_texts())


def day_of(world: World, rules: CheckInRules = RULES) -> KioskDay:
    with world.exam.read() as connection:
        return load_day(connection, rules, the_kiosk(world), CLOCK_US)


def admit(world: World) -> None:
    with world.exam.write() as connection:
        connection.execute(
            "insert into checkin_attempt (kiosk_id, nonce, scanned_at_us, received_at_us, outcome, reasons,"
            " answer) values (?, '0123456789abcdef', 1, 1, 'OK_ADMITTED', '[]', '{}')",
            (world.kiosk_id,),
        )
        connection.execute(
            "insert into admission (attempt_id, session_id, candidate_id, place_id, admitted_at_us)"
            " values (1, 1, ?, ?, 77)",
            (world.on_time.id, world.on_time.place_id),
        )


def test_it_holds_rooms_sittings_with_their_signals_forms_and_policy(world: World) -> None:
    announce(world, "C5", START_US, world.room_1)
    with world.exam.write() as connection:
        connection.execute("update batch set ticket_form = '2026[0-9]{8}'")
    day = day_of(world)
    assert (day.label, day.rooms, day.sessions) == ("一号签到机", (), ())
    assert [room.label for room in day.all_rooms] == ["第1考场", "第2考场"]
    assert [(one.room_id, one.started_at_us) for one in day.rule.sittings] == [
        (world.room_1, START_US),
        (world.room_2, None),
    ]
    assert day.rule.ticket_forms == ("2026[0-9]{8}",)
    assert day.rule.policy == Policy()
    assert day.states == ()


def test_who_is_in_stands_there_by_our_own_numbers_until_it_is_taken_back(world: World) -> None:
    admit(world)
    admitted = Admitted(world.kiosk_id, 77)
    assert day_of(world).states == (SeatState(world.on_time.id, 1, world.on_time.place_id, admitted),)
    with world.exam.write() as connection:
        connection.execute("update admission set voided_at_us = 88")
    assert day_of(world).states == ()


def test_exits_and_doubts_stand_there_too_and_people_without_any_do_not(world: World) -> None:
    desk = Desk(world)
    desk.ask(world.on_time)
    desk.set(
        "insert into session (id, batch_id, code, kind, subject, procedure_code, planned_start_us,"
        " duration_us)"
        " values (90, ?, 'P1', 'practical', '操作技能', 'practical', ?, 60000000)",
        world.batch_id,
        START_US + 240 * MINUTE_US,
    )
    desk.set("insert into session_room values (90, ?)", world.room_1)
    place_id = world.on_time.place_id
    desk.set(
        "insert into seating (session_id, candidate_id, place_id) values (90, ?, ?)",
        world.on_time.id,
        place_id,
    )
    desk.ask(world.late, declared=frozenset({Outcome.FACE_DOUBT}))
    assert len(day_of(world).states) == 2
    states = {one.candidate_id: one for one in day_of(world).states}
    assert set(states) == {world.on_time.id, world.late.id}
    entry = states[world.on_time.id].admission
    assert entry is not None
    assert entry.admitted_at_us == CLOCK_US
    assert (states[world.late.id].admission, states[world.late.id].held_for) == (None, Outcome.FACE_DOUBT)


def test_staff_with_a_pin_are_named_and_can_be_verified(world: World) -> None:
    pin_id, keys = give_pin(world, world.proctor_account_id)
    (staff,) = day_of(world).staff
    assert (staff.pin_id, staff.name, staff.roles) == (pin_id, "王芳", ("proctor",))
    assert from_text(staff.signing_public) == keys.signing.public_key().public_bytes_raw()
    again = keys_from_pin(PIN, from_text(staff.salt), Cost(staff.n, staff.r, staff.p))
    assert again.signing.private_bytes_raw() == keys.signing.private_bytes_raw()


def test_no_candidate_is_named(world: World) -> None:
    admit(world)
    text = json.dumps(to_plain(day_of(world)), ensure_ascii=False)
    for person in (world.on_time, world.late):
        assert person.name not in text
        assert person.ticket_no not in text
        assert person.id_number[-6:] not in text


def test_without_the_procedure_of_a_session_of_today_there_is_no_day(world: World) -> None:
    with world.exam.write() as connection:
        connection.execute("update session set procedure_code = 'gone'")
    with pytest.raises(UnknownProcedureError):
        day_of(world)


def test_who_left_and_whose_identity_is_in_doubt_stands_there_too(world: World) -> None:
    admit(world)
    with world.exam.write() as connection:
        open_case(connection, NewCase(Outcome.FACE_DOUBT, world.on_time.id, 1, world.room_1, None), CLOCK_US)
    (state,) = day_of(world).states
    assert state.held_for is Outcome.FACE_DOUBT


def test_somebody_moved_to_a_room_outside_the_plan_keeps_his_own_signals(world: World) -> None:
    with world.exam.write() as connection:
        connection.execute(
            "insert into room (id, code, label, kind) values (9, 'E01', '应急考场', 'contingency_hall')"
        )
        connection.execute(
            "insert into place (id, room_id, kind, label, grid_row, grid_col)"
            " values (99, 9, 'seat', '1', 1, 1)"
        )
        connection.execute("update seating set place_id = 99 where candidate_id = ?", (world.on_time.id,))
        connection.execute(
            "insert into check_in_act (nonce, act, lane, session_id, candidate_id, place_id, from_place_id,"
            " reason, account_id, happened_at_us, recorded_at_us, answer)"
            " values ('0123456789abcdef', 'seat', 'console', 1, ?, 99, ?, '漏水', 1, 5, 5, '{}')",
            (world.on_time.id, world.on_time.place_id),
        )
    day = day_of(world)
    (state,) = day.states
    assert state.moved_to is not None
    assert (state.moved_to.room_id, state.place_id) == (9, 99)
    (person,) = [one for one in content_of(world).people if one.card.candidate_id == world.on_time.id]
    (seat,) = record_of(person.card, "", day.rule.sittings, day.states).seats
    assert (seat.place_id, seat.sitting) == (99, state.moved_to)


def test_its_digest_changes_with_what_it_says(world: World) -> None:
    first = digest_of(world.vault, day_of(world))
    assert first == digest_of(world.vault, day_of(world))
    admit(world)
    assert digest_of(world.vault, day_of(world)) != first


def test_the_kiosk_reads_what_was_sent_and_nobody_else_does(world: World) -> None:
    keys, day = secrets_for(world), day_of(world)
    content = build_day(day, keys, CLOCK_US, signing_key(world.vault))
    assert open_day(content, keys) == OpenedDay(day, CLOCK_US)
    assert "第1考场" not in content.decode()
    with pytest.raises(PackageError, match="other_kiosk"):
        open_day(content, replace(keys, kiosk_uuid="another"))
    with pytest.raises(PackageError, match="other_secret"):
        open_day(content, secrets_for(world))
    with pytest.raises(PackageError, match="not_ours"):
        open_day(content[:-1] + b" ", keys)


def test_signed_nonsense_is_damaged(world: World) -> None:
    keys = secrets_for(world)
    empty = seal(keys.package.day_key(), {}, "day")
    for box in ({}, {"box": "!!"}, {"box": empty}):
        body = json.dumps({"format": 1, "kiosk": keys.kiosk_uuid, "secret": keys.secret_id, **box}).encode()
        with pytest.raises(PackageError, match="damaged"):
            open_day(sign("KZD1", body, signing_key(world.vault)), keys)


def test_a_day_is_read_once_for_all_kiosks_until_a_fact_is_added_or_seconds_pass(world: World) -> None:
    shelf = DayShelf()

    def part(kiosk: Kiosk, at_us: int = CLOCK_US) -> tuple[KioskDay, str]:
        with world.exam.read() as connection:
            return shelf.part_of(connection, world.vault, RULES, kiosk, at_us)

    one, other = the_kiosk(world), replace(the_kiosk(world), id=99, label="另一台")
    first = part(one)
    assert part(one)[0] is first[0]
    assert part(other)[0].states is first[0].states
    assert part(other)[1] != first[1]
    assert part(one, CLOCK_US + SHELF_US)[0] is not first[0]
    assert part(one, CLOCK_US + SHELF_US)[1] == first[1]
    Desk(world).ask(world.on_time)
    later = part(one, CLOCK_US + SHELF_US)
    assert [state.candidate_id for state in later[0].states] == [world.on_time.id]
    assert later[1] != first[1]
