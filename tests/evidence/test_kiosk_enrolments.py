"""How kiosks come, change and go, each act with its leaf."""

import json
import sqlite3

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from evidence import kiosks
from evidence.check_facts import EXAM_FACTS, check_facts
from evidence.kiosk_enrolments import (
    ROLL_FRESH_US,
    Act,
    Enrolled,
    EnrolmentError,
    Machine,
    Offer,
    bind,
    is_out_of_service,
    is_signed,
    offer,
    revoke,
    roll,
    switch,
    take_offer,
    use_next_token,
    want_roll,
    wants_roll,
)
from evidence.kiosk_key import public_bytes
from evidence.kiosk_states import Report, keep_report
from evidence.kiosks import Scope
from evidence.ledger import read_leaves
from evidence.recording_orders import Who
from exam.enrolment import VALID_US, enrolment_message, roll_message
from tests.world import CLOCK_US, World

KEY = Ed25519PrivateKey.from_private_bytes(b"k" * 32)


def machine(token: str, key: Ed25519PrivateKey = KEY) -> Machine:
    public = public_bytes(key)
    return Machine(public, key.sign(enrolment_message(token, public)), {"host": "mini"})


def enrolled(world: World, scope: Scope | None = None, label: str = "3号签到机") -> Enrolled:
    with world.exam.write() as connection:
        wanted = Offer(label, scope or Scope())
        token = offer(connection, wanted, world.administrator_account_id, CLOCK_US)
        return take_offer(connection, token, machine(token), CLOCK_US + 1)


def leaves(connection: sqlite3.Connection) -> list[dict[str, object]]:
    return [json.loads(leaf.body) for leaf, _ in read_leaves(connection) if leaf.kind == "kiosk_change"]


def acts(world: World) -> list[str]:
    with world.exam.read() as connection:
        assert list(check_facts(connection, EXAM_FACTS)) == []
        return [str(body["act"]) for body in leaves(connection)]


def who(world: World, reason: str = "设备故障") -> Who:
    return Who(world.administrator_account_id, reason)


def test_a_machine_becomes_a_kiosk_with_the_rooms_and_sessions_of_the_offer(world: World) -> None:
    taken = enrolled(world, Scope((world.room_1, world.room_2), (world.session_id,)))
    with world.exam.read() as connection:
        found = kiosks.find_by_token(connection, taken.token)
        assert found is not None
        assert (found.uuid, found.label, found.room_id) == (taken.kiosk_uuid, "3号签到机", None)
        assert found.public_key == public_bytes(KEY)
        assert kiosks.scope_of(connection, found.id) == Scope(
            (world.room_1, world.room_2), (world.session_id,)
        )
        (leaf,) = leaves(connection)
    assert (leaf["rooms"], leaf["sessions"]) == ([str(world.room_1), str(world.room_2)], ["1"])
    assert leaf["account_id"] == world.administrator_account_id
    assert acts(world) == ["enrolled"]


def test_one_room_is_the_door_it_stands_at(world: World) -> None:
    taken = enrolled(world, Scope((world.room_2,)))
    with world.exam.read() as connection:
        found = kiosks.load_kiosk(connection, taken.kiosk_id)
    assert found is not None
    assert found.room_id == world.room_2


def test_the_one_time_token_is_kept_as_digest_only(world: World) -> None:
    with world.exam.write() as connection:
        token = offer(connection, Offer("x"), world.administrator_account_id, CLOCK_US)
        kept = [str(value) for value in connection.execute("select * from kiosk_enrolment").fetchone()]
    assert token not in kept


def test_a_one_time_token_lets_one_machine_in(world: World) -> None:
    with world.exam.write() as connection:
        token = offer(connection, Offer("x"), world.administrator_account_id, CLOCK_US)
        take_offer(connection, token, machine(token), CLOCK_US)
        with pytest.raises(EnrolmentError, match="used"):
            take_offer(connection, token, machine(token), CLOCK_US)


@pytest.mark.parametrize(
    ("later_us", "code"), [(VALID_US - 1, None), (VALID_US, "expired"), (10 * VALID_US, "expired")]
)
def test_it_is_good_for_ten_minutes(world: World, later_us: int, code: str | None) -> None:
    with world.exam.write() as connection:
        token = offer(connection, Offer("x"), world.administrator_account_id, CLOCK_US)
        if code is None:
            take_offer(connection, token, machine(token), CLOCK_US + later_us)
            return
        with pytest.raises(EnrolmentError, match=code):
            take_offer(connection, token, machine(token), CLOCK_US + later_us)


def test_a_token_nobody_gave_out_and_a_key_nobody_holds_are_refused(world: World) -> None:
    with world.exam.write() as connection:
        with pytest.raises(EnrolmentError, match="unknown_token"):
            take_offer(connection, "nothing", machine("nothing"), CLOCK_US)
        token = offer(connection, Offer("x"), world.administrator_account_id, CLOCK_US)
        for wrong in (machine("other"), Machine(b"short", b"", {})):
            with pytest.raises(EnrolmentError, match="bad_signature"):
                take_offer(connection, token, wrong, CLOCK_US)


def test_a_kiosk_that_enrols_again_keeps_its_identity_and_comes_back_from_revocation(world: World) -> None:
    first = enrolled(world)
    with world.exam.write() as connection:
        revoke(connection, first.kiosk_id, who(world), CLOCK_US)
        assert kiosks.was_revoked(connection, first.token)
        assert kiosks.is_label_revoked(connection, first.label)
        wanted = Offer(first.label, Scope(), first.kiosk_id)
        token = offer(connection, wanted, world.administrator_account_id, CLOCK_US)
        second = take_offer(connection, token, machine(token), CLOCK_US)
        assert kiosks.find_by_token(connection, first.token) is None
        assert not kiosks.was_revoked(connection, first.token)
        assert not kiosks.is_label_revoked(connection, first.label)
    assert second.kiosk_uuid == first.kiosk_uuid
    assert acts(world) == ["enrolled", "revoked", "enrolled"]


def test_revoking_twice_is_one_act_and_takes_the_state_away(world: World) -> None:
    taken = enrolled(world)
    with world.exam.write() as connection:
        keep_report(connection, taken.kiosk_id, Report(CLOCK_US, 0, 0, None, 1, False), None, CLOCK_US)
        revoke(connection, taken.kiosk_id, who(world), CLOCK_US)
        revoke(connection, taken.kiosk_id, who(world), CLOCK_US + 1)
        assert connection.execute("select count(*) from kiosk_state").fetchone()[0] == 0
        assert kiosks.load_kiosk(connection, taken.kiosk_id) is None
        assert [one.id for one in kiosks.load_kiosks(connection)] == [world.kiosk_id]
    assert acts(world) == ["enrolled", "revoked"]


def rolled(world: World, taken: Enrolled, asked_at_us: int = CLOCK_US, key: Ed25519PrivateKey = KEY) -> str:
    signature = key.sign(roll_message(taken.kiosk_uuid, taken.token, asked_at_us))
    with world.exam.write() as connection:
        found = kiosks.find_by_token(connection, taken.token)
        assert found is not None
        return roll(connection, found, taken.token, (asked_at_us, signature), CLOCK_US)


def test_the_old_token_works_until_the_new_one_is_used(world: World) -> None:
    taken = enrolled(world)
    with world.exam.write() as connection:
        want_roll(connection, taken.kiosk_id, CLOCK_US)
        assert wants_roll(connection, taken.kiosk_id)
    fresh = rolled(world, taken)
    with world.exam.write() as connection:
        assert not wants_roll(connection, taken.kiosk_id)
        old, new = (kiosks.find_by_token(connection, one) for one in (taken.token, fresh))
        assert old is not None
        assert new is not None
        assert (old.came_with_next_token, new.came_with_next_token) == (False, True)
        use_next_token(connection, taken.kiosk_id)
        use_next_token(connection, taken.kiosk_id)
        assert kiosks.find_by_token(connection, taken.token) is None
        assert kiosks.find_by_token(connection, fresh) is not None
    assert acts(world) == ["enrolled", "rolled"]


def test_a_copied_token_alone_gets_no_other(world: World) -> None:
    taken = enrolled(world)
    with pytest.raises(EnrolmentError, match="bad_signature"):
        rolled(world, taken, key=Ed25519PrivateKey.generate())
    with pytest.raises(EnrolmentError, match="stale"):
        rolled(world, taken, CLOCK_US - ROLL_FRESH_US - 1)


def test_a_kiosk_without_a_key_must_enrol_again(world: World) -> None:
    with world.exam.write() as connection:
        found = kiosks.load_kiosk(connection, world.kiosk_id)
        assert found is not None
        with pytest.raises(EnrolmentError, match="no_key"):
            roll(connection, found, "token", (CLOCK_US, b""), CLOCK_US)


def test_a_kiosk_is_bound_to_other_rooms(world: World) -> None:
    taken = enrolled(world, Scope((world.room_1,)))
    with world.exam.write() as connection:
        bind(connection, taken.kiosk_id, Scope((world.room_2,)), who(world, ""), CLOCK_US)
        assert kiosks.scope_of(connection, taken.kiosk_id) == Scope((world.room_2,))
        bind(connection, taken.kiosk_id, Scope(), who(world, ""), CLOCK_US)
        assert kiosks.scope_of(connection, taken.kiosk_id) == Scope()
    assert acts(world) == ["enrolled", "bound", "bound"]


def test_the_switch_stays_as_it_was_set_and_twice_is_once(world: World) -> None:
    taken = enrolled(world)
    with world.exam.write() as connection:
        assert not is_out_of_service(connection, taken.kiosk_id)
        for is_out in (True, True, False):
            switch(connection, taken.kiosk_id, who(world), CLOCK_US, is_out=is_out)
            assert is_out_of_service(connection, taken.kiosk_id) is is_out
    assert acts(world) == ["enrolled", Act.OUT_OF_SERVICE, Act.BACK_IN_SERVICE]


def test_a_change_is_never_rewritten(world: World) -> None:
    enrolled(world)
    for statement in ("update kiosk_change set reason = 'x'", "delete from kiosk_change"):
        with world.exam.write() as connection, pytest.raises(sqlite3.IntegrityError):
            connection.execute(statement)


def test_a_signature_of_somebody_else_is_none() -> None:
    assert is_signed(public_bytes(KEY), KEY.sign(b"a"), b"a")
    assert not is_signed(public_bytes(KEY), KEY.sign(b"a"), b"b")
    assert not is_signed(b"", b"", b"")
