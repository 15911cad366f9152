"""Disposal registers as people make them: who may do what, and what is frozen."""

import json
from collections.abc import Iterator
from hashlib import sha256

import pytest

from evidence.disposal_plans import (
    REJECTED,
    PlanError,
    Proposal,
    add_authority,
    decide_plan,
    find_plan,
    load_authorities,
    load_plans,
    order_disposal,
    propose_plan,
)
from evidence.disposal_times import check_time
from evidence.outside_time import OutsideTimeError
from evidence.work_orders import OrderKind, orders
from exam.disposal_approval import ApprovalFault
from tests.disposals import DUE_US, END_US, WITNESSES, Archive, Cosigner, account, open_archive
from tests.world import World


@pytest.fixture
def archive(world: World) -> Iterator[Archive]:
    with open_archive(world) as opened:
        yield opened


def plan(archive: Archive, plan_id: int):
    with archive.world.exam.read() as connection:
        return find_plan(connection, plan_id)


def test_a_plan_freezes_every_file_and_sums_up_in_its_first_line(archive: Archive) -> None:
    made = plan(archive, archive.propose())
    files = [archive.planned(each) for each in archive.segment_ids]
    assert made.files == files
    assert made.head == {
        "number": "销毁-2032-001",
        "batch_id": archive.world.batch_id,
        "basis": "规程第十一条（二）",
        "proposed_at_us": DUE_US,
        "files": 3,
        "size_bytes": sum(each.size_bytes for each in files),
        "retain_until_us": END_US,
    }
    assert made.digest == sha256(made.document.encode()).digest()
    assert json.loads(made.document.splitlines()[1])["sha256"] == files[0].sha256
    assert (made.proposed_by, made.appraisal, made.is_rejected) == (
        "dangan",
        "保存期满，无继续保存价值",
        False,
    )


def test_numbers_run_by_the_year_and_the_newest_comes_first(archive: Archive) -> None:
    archive.propose(archive.segment_ids[:1])
    archive.propose(archive.segment_ids[1:])
    with archive.world.exam.read() as connection:
        assert [each.number for each in load_plans(connection)] == ["销毁-2032-002", "销毁-2032-001"]


def test_only_an_archivist_proposes_and_only_something(archive: Archive) -> None:
    files = [archive.planned(archive.segment_ids[0])]
    for who, what in [(archive.site_lead, files), (archive.archivist, [])]:
        with pytest.raises(PlanError), archive.world.exam.write() as connection:
            propose_plan(
                connection, Proposal(archive.world.batch_id, "规程", "无", what), archive.decision(who)
            )


def test_two_more_people_approve_and_their_names_are_kept(archive: Archive) -> None:
    plan_id = archive.propose()
    archive.approve(plan_id)
    assert [(each.name, each.decision, each.note) for each in plan(archive, plan_id).approvals] == [
        ("李强", "approved", "同意"),
        ("fuhe", "approved", "同意"),
    ]


def test_nobody_approves_twice_nor_his_own_plan_nor_as_an_administrator(archive: Archive) -> None:
    plan_id = archive.propose()
    archive.approve(plan_id, archive.site_lead)
    mixed = account(archive.world, "site_lead", "administrator", name="mixed")
    for who, fault in [
        (archive.site_lead, ApprovalFault.SAME_PERSON),
        (archive.archivist, ApprovalFault.SAME_PERSON),
        (archive.world.administrator_account_id, ApprovalFault.ADMINISTRATOR),
        (mixed, ApprovalFault.ADMINISTRATOR),
        (archive.world.proctor_account_id, ApprovalFault.WRONG_ROLE),
    ]:
        with pytest.raises(PlanError) as caught:
            archive.approve(plan_id, who)
        assert fault in caught.value.faults


def test_an_account_without_a_badge_takes_no_part(archive: Archive) -> None:
    plan_id = archive.propose()
    unknown = account(archive.world, "site_lead", "archivist", name="noname", badge=False)
    with pytest.raises(PlanError, match="证卡号") as caught:
        archive.approve(plan_id, unknown)
    assert caught.value.faults == (ApprovalFault.NO_BADGE,)
    archive.archivist = archive.registrar = unknown
    for act in (archive.propose, archive.register_cosigner):
        with pytest.raises(PlanError, match="证卡号"):
            act()


def test_one_no_ends_a_plan(archive: Archive) -> None:
    plan_id = archive.propose()
    archive.approve(plan_id, archive.supervisor, verdict=REJECTED)
    assert plan(archive, plan_id).is_rejected
    with pytest.raises(PlanError, match="已有结论"):
        archive.approve(plan_id, archive.site_lead)


def test_after_the_order_nobody_changes_his_mind(archive: Archive) -> None:
    plan_id = archive.propose()
    archive.approve(plan_id)
    archive.stamp(plan_id)
    archive.order(plan_id)
    other = account(archive.world, "inspector", name="xunkao")
    with pytest.raises(PlanError, match="已有结论"), archive.world.exam.write() as connection:
        decide_plan(connection, plan_id, REJECTED, archive.decision(other))


def test_time_from_outside_counts_from_the_end_of_the_period_on(archive: Archive) -> None:
    plan_id = archive.propose()
    with pytest.raises(PlanError, match="届满"):
        archive.stamp(plan_id, END_US - 1_000_000)
    assert archive.stamp(plan_id, END_US) == END_US
    (time,) = plan(archive, plan_id).times
    assert (time.authority, time.kind, time.proved_at_us) == ("市档案馆", "cosigner", END_US)


def test_only_who_was_registered_before_the_proposal_is_asked(archive: Archive) -> None:
    plan_id = archive.propose()
    archive.world.clock.step_wall(1)
    archive.register_cosigner()
    for authority_id in (archive.authority_id, 99):
        archive.authority_id = authority_id
        with pytest.raises(PlanError, match="登记"):
            archive.stamp(plan_id)


def test_who_registered_the_source_of_time_has_no_other_part(archive: Archive) -> None:
    by_another = archive.authority_id
    archive.registrar = archive.site_lead
    archive.register_cosigner()
    archive.world.clock.step_wall(1)
    plan_id = archive.propose()
    archive.stamp(plan_id)  # the site lead has not approved yet
    archive.approve(plan_id)
    with pytest.raises(PlanError, match="无关人员") as caught:
        archive.stamp(plan_id)
    assert caught.value.faults == (ApprovalFault.REGISTERED_TIME,)
    with pytest.raises(PlanError) as caught:
        archive.order(plan_id)
    assert caught.value.faults == (ApprovalFault.REGISTERED_TIME,)
    archive.authority_id = by_another
    archive.stamp(plan_id, DUE_US + 1_000_000)
    with pytest.raises(PlanError) as caught, archive.world.exam.write() as connection:
        order_disposal(connection, plan_id, ["钱进", "dudao"], archive.decision(archive.archivist))
    assert caught.value.faults == (ApprovalFault.REGISTERED_TIME,)
    assert archive.order(plan_id)


def test_a_word_that_does_not_hold_is_not_kept(archive: Archive) -> None:
    plan_id = archive.propose()
    archive.cosigner = Cosigner()
    with pytest.raises(OutsideTimeError):
        archive.stamp(plan_id)
    assert plan(archive, plan_id).times == ()


def test_registered_authorities_are_listed(archive: Archive) -> None:
    with archive.world.exam.write() as connection:
        add_authority(connection, "公证处", Cosigner().authority, archive.decision(archive.site_lead))
    with archive.world.exam.read() as connection:
        assert [row["name"] for row in load_authorities(connection)] == ["市档案馆", "公证处"]


def test_an_order_names_plan_digest_and_who_watches(archive: Archive) -> None:
    plan_id = archive.propose()
    archive.approve(plan_id)
    archive.stamp(plan_id)
    order_id = archive.order(plan_id)
    (order,) = plan(archive, plan_id).orders
    assert (order.id, order.witnesses, order.name) == (order_id, tuple(sorted(WITNESSES)), "dangan")
    with archive.world.exam.read() as connection:
        (given,) = orders(connection, OrderKind.DISPOSAL)
    assert given.subject == {"plan_id": plan_id, "plan_sha256": archive.digest(plan_id).hex()}


def test_nothing_is_ordered_while_anything_is_missing(archive: Archive) -> None:
    plan_id = archive.propose()

    def refused(*witnesses: str) -> tuple[ApprovalFault, ...]:
        with pytest.raises(PlanError, match="还不能执行") as caught, archive.world.exam.write() as connection:
            order_disposal(connection, plan_id, witnesses, archive.decision(archive.archivist))
        return caught.value.faults

    assert ApprovalFault.TOO_FEW_APPROVALS in refused(*WITNESSES)
    archive.approve(plan_id)
    assert refused(*WITNESSES) == ()  # no time from outside yet
    archive.stamp(plan_id)
    assert refused("钱进", " 钱进", "") == (ApprovalFault.TOO_FEW_WITNESSES,)


def test_an_unknown_plan_is_an_error(archive: Archive) -> None:
    with pytest.raises(PlanError, match="没有这份"):
        plan(archive, 99)
    with pytest.raises(PlanError), archive.world.exam.write() as connection:
        check_time(connection, 99, 1, b"")
