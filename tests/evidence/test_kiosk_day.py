"""The day part: what every kiosk must know all day long, and nothing that names a candidate."""

import json
from dataclasses import replace
from typing import Any

import pytest

from config.procedures import load_procedures
from evidence.kiosk_day import DayRules, build_day, digest_of, load_day, open_day
from evidence.kiosk_secrets import signing_key
from evidence.roster_boxes import PackageError, sign
from exam.admission import Policy
from tests.evidence.rostered import give_pin, secrets_for, the_kiosk
from tests.world import CLOCK_US, START_US, World, announce

RULES = DayRules(load_procedures(), Policy())


def day_of(world: World, rules: DayRules = RULES) -> dict[str, Any]:
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
    assert (day["label"], day["serves"]) == ("一号签到机", {"rooms": [], "sessions": []})
    assert [room["label"] for room in day["rooms"]] == ["第1考场", "第2考场"]
    assert [(one["room_id"], one["started_at_us"]) for one in day["sittings"]] == [
        (world.room_1, START_US),
        (world.room_2, None),
    ]
    assert day["ticket_forms"] == ["2026[0-9]{8}"]
    assert day["policy"]["repeat_us"] == Policy().repeat_us
    assert day["admissions"] == []


def test_who_is_in_stands_there_by_our_own_numbers_until_it_is_taken_back(world: World) -> None:
    admit(world)
    assert day_of(world)["admissions"] == [
        {
            "candidate_id": world.on_time.id,
            "session_id": 1,
            "place_id": world.on_time.place_id,
            "kiosk_id": world.kiosk_id,
            "admitted_at_us": 77,
        }
    ]
    with world.exam.write() as connection:
        connection.execute("update admission set voided_at_us = 88")
    assert day_of(world)["admissions"] == []


def test_staff_with_a_pin_are_named_and_can_be_verified(world: World) -> None:
    pin_id, keys = give_pin(world, world.proctor_account_id)
    (staff,) = day_of(world)["staff"]
    assert (staff["pin"], staff["name"], staff["roles"]) == (pin_id, "王芳", ["proctor"])
    assert set(staff) == {
        "pin",
        "account",
        "name",
        "roles",
        "salt",
        "cost",
        "signing_public",
        "unlocked_at_us",
    }
    assert keys.signing.public_key().public_bytes_raw().hex() not in json.dumps(staff)


def test_no_candidate_is_named(world: World) -> None:
    admit(world)
    text = json.dumps(day_of(world), ensure_ascii=False)
    for person in (world.on_time, world.late):
        assert person.name not in text
        assert person.ticket_no not in text
        assert person.id_number[-6:] not in text


def test_a_session_without_its_procedure_stops_nobody_else(world: World) -> None:
    with world.exam.write() as connection:
        connection.execute(
            "insert into session (batch_id, code, kind, subject, procedure_code, planned_start_us,"
            " duration_us) select batch_id, 'X9', kind, subject, 'gone', planned_start_us + 172800000000,"
            " duration_us from session"
        )
    assert {one["session_id"] for one in day_of(world)["sittings"]} == {1}


def test_its_digest_changes_with_what_it_says(world: World) -> None:
    first = digest_of(world.vault, day_of(world))
    assert first == digest_of(world.vault, day_of(world))
    admit(world)
    assert digest_of(world.vault, day_of(world)) != first


def test_the_kiosk_reads_what_was_sent_and_nobody_else_does(world: World) -> None:
    keys, day = secrets_for(world), day_of(world)
    content = build_day(day, keys, CLOCK_US, signing_key(world.vault))
    assert open_day(content, keys) == (day, CLOCK_US)
    assert "第1考场" not in content.decode()
    with pytest.raises(PackageError, match="other_kiosk"):
        open_day(content, replace(keys, kiosk_uuid="another"))
    with pytest.raises(PackageError, match="other_secret"):
        open_day(content, secrets_for(world))
    with pytest.raises(PackageError, match="not_ours"):
        open_day(content[:-1] + b" ", keys)


def test_signed_nonsense_is_damaged(world: World) -> None:
    keys = secrets_for(world)
    for box in ({}, {"box": "!!"}):
        body = json.dumps({"kiosk": keys.kiosk_uuid, "secret": keys.secret_id, **box}).encode()
        with pytest.raises(PackageError, match="damaged"):
            open_day(sign("KZD1", body, signing_key(world.vault)), keys)
