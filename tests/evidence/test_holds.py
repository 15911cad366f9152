"""Holds as rows with their leaves, and footage that nobody may view."""

import pytest

from evidence.accounts import NewAccount, create_account
from evidence.holds import NewHold, closing_to_viewers, keeping, load_holds, propose_hold, take_step
from evidence.ledger import read_leaves
from evidence.restrictions import restricted
from evidence.retention import Decision
from exam.holds import HoldError, HoldKind, HoldState, HoldStep
from exam.retention import Hold, Reach
from tests.world import CLOCK_US, START_US, World

HOUR_US = 3_600_000_000


def reach(world: World, start_us: int = START_US) -> Reach:
    return Reach(world.camera_2, start_us, start_us + HOUR_US)


def ask(world: World, kind: HoldKind = HoldKind.LEGAL_HOLD, *, batch: bool = False) -> int:
    new = NewHold(kind, world.batch_id if batch else None, () if batch else (reach(world),), "第2考场 T1")
    with world.exam.write() as connection:
        return propose_hold(connection, new, Decision(world.site_lead_account_id, "考生投诉", CLOCK_US))


def step(world: World, hold_id: int, each: HoldStep, account_id: int) -> HoldState:
    with world.exam.write() as connection:
        return take_step(connection, hold_id, each, Decision(account_id, "同意", CLOCK_US))


def test_a_hold_shows_who_asked_why_and_who_confirmed(world: World) -> None:
    hold_id = ask(world)
    assert step(world, hold_id, HoldStep.CONFIRMED, world.proctor_account_id) is HoldState.IN_FORCE
    with world.exam.read() as connection:
        (row,) = load_holds(connection)
        assert keeping([row]) == [Hold(hold_id, False, None, (reach(world),))]
    assert [(each.name, each.reason) for each in row.steps] == [("李强", "考生投诉"), ("王芳", "同意")]
    assert (row.last.step, row.words, row.batch_id) == (HoldStep.CONFIRMED, "第2考场 T1", None)


def test_each_step_has_a_leaf_that_does_not_tell_the_reason(world: World) -> None:
    hold_id = ask(world, batch=True)
    step(world, hold_id, HoldStep.CONFIRMED, world.proctor_account_id)
    with world.exam.read() as connection:
        bodies = [leaf.body for leaf, _ in read_leaves(connection) if leaf.kind == "legal_hold"]
    assert len(bodies) == 2
    assert f'"batch_id":{world.batch_id}' in bodies[0]
    assert '"step":"confirmed"' in bodies[1]
    assert "投诉" not in "".join(bodies)


def test_a_refused_step_writes_nothing(world: World) -> None:
    hold_id = ask(world)
    with pytest.raises(HoldError, match="另一人"):
        step(world, hold_id, HoldStep.CONFIRMED, world.site_lead_account_id)
    with world.exam.read() as connection:
        assert [row.state for row in load_holds(connection)] == [HoldState.PROPOSED]


def test_one_person_with_two_accounts_is_not_two_people(world: World) -> None:
    with world.exam.write() as connection:
        twin = NewAccount("liqiang2", "李强", "$argon2id$x", ["archivist"], world.site_lead_staff_id)
        second = create_account(connection, twin, CLOCK_US)
    hold_id = ask(world)
    for each in (HoldStep.CONFIRMED, HoldStep.WITHDRAWN):
        with pytest.raises(HoldError, match="同一名工作人员"):
            step(world, hold_id, each, second)
    step(world, hold_id, HoldStep.CONFIRMED, world.proctor_account_id)
    step(world, hold_id, HoldStep.LIFT_PROPOSED, world.site_lead_account_id)
    with pytest.raises(HoldError, match="同一名工作人员"):
        step(world, hold_id, HoldStep.LIFTED, second)
    assert step(world, hold_id, HoldStep.LIFT_REFUSED, second) is HoldState.IN_FORCE


def test_an_account_without_a_badge_is_not_another_person(world: World) -> None:
    with world.exam.write() as connection:
        new = NewAccount("noname", "无名", "$argon2id$x", ["archivist"])
        unknown = create_account(connection, new, CLOCK_US)
    hold_id = ask(world)
    with pytest.raises(HoldError, match="没有证卡号"):
        step(world, hold_id, HoldStep.CONFIRMED, unknown)
    step(world, hold_id, HoldStep.CONFIRMED, world.proctor_account_id)
    with pytest.raises(HoldError, match="没有证卡号"):
        step(world, hold_id, HoldStep.LIFT_PROPOSED, unknown)
    step(world, hold_id, HoldStep.LIFT_PROPOSED, world.proctor_account_id)
    with pytest.raises(HoldError, match="没有证卡号"):
        step(world, hold_id, HoldStep.LIFTED, unknown)


def test_only_a_confirmed_restriction_closes_footage_and_only_what_it_touches(world: World) -> None:
    ask(world)
    hold_id = ask(world, HoldKind.RESTRICTION)
    here, elsewhere = reach(world), reach(world, START_US + 5 * HOUR_US)
    with world.exam.read() as connection:
        assert restricted(connection, [here]) == []
    step(world, hold_id, HoldStep.CONFIRMED, world.proctor_account_id)
    with world.exam.read() as connection:
        assert restricted(connection, [elsewhere, here]) == [hold_id]
        assert restricted(connection, [elsewhere]) == []
        assert [each.restricts for each in closing_to_viewers(connection)] == [True]


def test_a_restricted_batch_closes_all_its_footage(world: World) -> None:
    hold_id = ask(world, HoldKind.RESTRICTION, batch=True)
    step(world, hold_id, HoldStep.CONFIRMED, world.proctor_account_id)
    with world.exam.read() as connection:
        assert restricted(connection, [reach(world)]) == [hold_id]
        assert restricted(connection, [reach(world, START_US + 48 * HOUR_US)]) == []


def test_two_people_open_it_again(world: World) -> None:
    hold_id = ask(world, HoldKind.RESTRICTION)
    step(world, hold_id, HoldStep.CONFIRMED, world.proctor_account_id)
    step(world, hold_id, HoldStep.LIFT_PROPOSED, world.proctor_account_id)
    step(world, hold_id, HoldStep.LIFTED, world.site_lead_account_id)
    with world.exam.read() as connection:
        assert restricted(connection, [reach(world)]) == []
        assert keeping(load_holds(connection)) == []
