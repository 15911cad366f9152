"""Staff PINs: key pairs that follow from six digits, and acts signed with them."""

import sqlite3
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from evidence import accounts
from evidence.check_facts import EXAM_FACTS, check_facts
from evidence.staff_pins import (
    CLOCK_SLACK_US,
    NewPin,
    PinKeys,
    StaffActError,
    keys_from_pin,
    load_pins,
    new_pin,
    pin_set_at_us,
    set_pin,
    unlock,
    verify_act,
)
from evidence.stretching import Cost
from exam.staff_acts import StaffAct
from tests.world import CLOCK_US, World

CHEAP = Cost(2)
PIN = "730419"
ACT = StaffAct(1, "kiosk", "nonce-1", CLOCK_US + 5, "redirect", {"session_id": 1})


def given(world: World, account_id: int, pin: str = PIN, at_us: int = CLOCK_US) -> tuple[int, PinKeys]:
    new = new_pin(pin, CHEAP)
    with world.exam.write() as connection:
        return set_pin(connection, account_id, new, at_us), keys_from_pin(pin, new.salt, CHEAP)


def test_from_a_pin_and_its_salt_follow_the_same_keys_again() -> None:
    new = new_pin(PIN, CHEAP)
    keys = keys_from_pin(PIN, new.salt, new.cost)
    assert keys.exchange.public_key().public_bytes_raw() == new.exchange_public
    assert keys.signing.public_key().public_bytes_raw() == new.signing_public
    other = keys_from_pin("730418", new.salt, new.cost)
    assert other.signing.public_key().public_bytes_raw() != new.signing_public


def test_two_people_with_one_pin_have_different_keys() -> None:
    assert new_pin(PIN, CHEAP).exchange_public != new_pin(PIN, CHEAP).exchange_public


def test_public_keys_are_kept_and_nothing_that_opens(world: World) -> None:
    given(world, world.proctor_account_id)
    with world.exam.read() as connection:
        kept = connection.execute("select * from staff_pin").fetchone()
        assert list(check_facts(connection, EXAM_FACTS)) == []
    assert set(kept.keys()) == {
        *("id", "account_id", "salt", "cost_n", "cost_r", "cost_p"),
        *("exchange_public", "signing_public", "set_at_us"),
    }


def test_the_latest_pin_is_in_force_with_the_persons_roles(world: World) -> None:
    given(world, world.proctor_account_id)
    given(world, world.site_lead_account_id)
    latest, _ = given(world, world.proctor_account_id, "918273", CLOCK_US + 1)
    with world.exam.write() as connection:
        assert pin_set_at_us(connection, world.proctor_account_id) == CLOCK_US + 1
        assert pin_set_at_us(connection, world.administrator_account_id) is None
        found = {pin.account_id: pin for pin in load_pins(connection)}
        accounts.disable_account(connection, world.site_lead_account_id, CLOCK_US)
        assert [pin.account_id for pin in load_pins(connection)] == [world.proctor_account_id]
    proctor = found[world.proctor_account_id]
    assert (proctor.id, proctor.display_name, proctor.roles) == (latest, "王芳", {"proctor"})
    assert (proctor.staff_id, proctor.unlocked_at_us) == (world.proctor_staff_id, None)


def test_an_account_without_roles_has_none(world: World) -> None:
    given(world, world.proctor_account_id)
    with world.exam.write() as connection:
        connection.execute("delete from account_role")
        (pin,) = load_pins(connection)
    assert pin.roles == set()


def test_unlocking_is_kept_with_its_leaf(world: World) -> None:
    given(world, world.proctor_account_id)
    with world.exam.write() as connection:
        unlock(connection, world.proctor_account_id, world.site_lead_account_id, CLOCK_US + 3)
        assert [pin.unlocked_at_us for pin in load_pins(connection)] == [CLOCK_US + 3]
        assert list(check_facts(connection, EXAM_FACTS)) == []


@pytest.mark.parametrize("table", ["staff_pin", "staff_pin_unlock"])
def test_neither_is_ever_rewritten(world: World, table: str) -> None:
    given(world, world.proctor_account_id)
    with world.exam.write() as connection:
        unlock(connection, world.proctor_account_id, world.site_lead_account_id, CLOCK_US)
    for statement in (f"update {table} set account_id = 1", f"delete from {table}"):
        with world.exam.write() as connection, pytest.raises(sqlite3.IntegrityError):
            connection.execute(statement)


def test_a_signed_act_names_its_author(world: World) -> None:
    pin_id, keys = given(world, world.proctor_account_id)
    act = replace(ACT, pin_id=pin_id)
    with world.exam.read() as connection:
        signer = verify_act(connection, act, keys.signing.sign(act.message()))
    assert (signer.account_id, signer.pin_id, signer.doubts) == (world.proctor_account_id, pin_id, ())


@pytest.mark.parametrize(
    "changed",
    [{"act": "admit"}, {"nonce": "x"}, {"subject": {}}, {"kiosk_uuid": "o"}, {"signed_at_us": CLOCK_US}],
)
def test_an_act_that_was_changed_is_nobodys(world: World, changed: dict[str, object]) -> None:
    pin_id, keys = given(world, world.proctor_account_id)
    act = replace(ACT, pin_id=pin_id)
    signature = keys.signing.sign(act.message())
    with world.exam.read() as connection, pytest.raises(StaffActError, match="bad_signature"):
        verify_act(connection, replace(act, **changed), signature)  # type: ignore[arg-type]


def test_a_pin_that_does_not_exist_and_one_that_was_not_set_yet_sign_nothing(world: World) -> None:
    pin_id, keys = given(world, world.proctor_account_id)
    early = replace(ACT, pin_id=pin_id, signed_at_us=CLOCK_US - CLOCK_SLACK_US - 1)
    with world.exam.read() as connection:
        with pytest.raises(StaffActError, match="unknown_pin"):
            verify_act(connection, replace(ACT, pin_id=99), b"")
        with pytest.raises(StaffActError, match="not_yet"):
            verify_act(connection, early, keys.signing.sign(early.message()))


def test_what_a_kiosk_alone_could_not_know_is_a_doubt_and_no_refusal(world: World) -> None:
    pin_id, keys = given(world, world.proctor_account_id)
    given(world, world.proctor_account_id, "918273", CLOCK_US + 5)
    with world.exam.write() as connection:
        accounts.disable_account(connection, world.proctor_account_id, CLOCK_US + 6)
        doubts = []
        for signed_at_us in (CLOCK_US + 4, CLOCK_US + 5, CLOCK_US + 6):
            act = replace(ACT, pin_id=pin_id, signed_at_us=signed_at_us)
            doubts.append(verify_act(connection, act, keys.signing.sign(act.message())).doubts)
    assert doubts == [(), ("old_pin",), ("old_pin", "disabled")]


def test_a_pin_costs_what_the_documents_say() -> None:
    new = new_pin(PIN)
    assert new.cost == Cost(131072, 8, 1)
    assert isinstance(new, NewPin)
    assert isinstance(keys_from_pin(PIN, new.salt, CHEAP).exchange, X25519PrivateKey)
