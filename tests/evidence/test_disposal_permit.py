"""What stands between a file and its deletion: every single thing missing or changed is a refusal."""

import sqlite3
from collections.abc import Iterator

import pytest

from evidence.disposal_permit import DisposalRefusal, DisposalRefusedError
from evidence.disposal_plans import REJECTED, add_authority, decide_plan
from evidence.holds import NewHold, propose_hold, take_step
from evidence.ledger import LeafKind, append
from evidence.retention import assign_day, reopen_batch, site_day
from exam.disposal_approval import ApprovalFault
from exam.holds import HoldKind, HoldStep
from exam.retention import KeepReason, Reach
from tests.disposals import CLOSED_US, DUE_US, END_US, POLICY, Archive, Cosigner, open_archive, set_clock
from tests.world import START_US, World

YEAR_US = 366 * 24 * 3_600_000_000


@pytest.fixture
def archive(world: World) -> Iterator[Archive]:
    with open_archive(world) as opened:
        yield opened


def refusal(archive: Archive, order_id: int, segment_id: int | None = None) -> tuple[str, ...]:
    """What the primitive answers; whatever it is, no file may be gone."""
    with pytest.raises(DisposalRefusedError) as caught:
        archive.disposer().dispose(order_id, segment_id or archive.segment_ids[0])
    assert archive.files_left() == len(archive.segment_ids)
    assert archive.rows("disposal_refusal")[-1]["reasons"] == str(caught.value)
    return caught.value.reasons


def test_with_everything_in_place_the_permit_names_file_plan_and_outside_time(archive: Archive) -> None:
    order_id = archive.approved_order()
    permit = archive.permits().permit(order_id, archive.segment_ids[0])
    planned = archive.planned(archive.segment_ids[0])
    assert permit.path == archive.file(archive.segment_ids[0])
    assert (permit.size_bytes, permit.sha256.hex()) == (planned.size_bytes, planned.sha256)
    assert permit.plan.number == "销毁-2032-001"
    assert permit.proved_at_us == DUE_US
    assert (permit.order_id, permit.segment_id) == (order_id, archive.segment_ids[0])


# The periods.


def test_before_the_end_of_the_period_the_clock_of_the_machine_refuses(archive: Archive) -> None:
    order_id = archive.approved_order()
    set_clock(archive.world, END_US - 1)
    assert refusal(archive, order_id) == (KeepReason.WITHIN_PERIOD,)


def test_at_the_end_of_the_period_it_is_allowed(archive: Archive) -> None:
    order_id = archive.approved_order()
    set_clock(archive.world, END_US)
    assert archive.permits().permit(order_id, archive.segment_ids[0])


def test_setting_the_clock_six_years_on_does_not_help_without_outside_time(archive: Archive) -> None:
    """The host's clock lies from the exam on; only the word from outside tells."""
    set_clock(archive.world, CLOSED_US + 6 * YEAR_US)
    plan_id = archive.propose()
    archive.approve(plan_id)
    token = archive.cosigner.token(archive.digest(plan_id), CLOSED_US)
    archive.force_time(plan_id, token, CLOSED_US)
    order_id = archive.force_order(plan_id)
    assert refusal(archive, order_id) == (DisposalRefusal.TOO_EARLY_OUTSIDE,)


def test_a_retention_of_no_years_in_the_settings_deletes_nothing_early(archive: Archive) -> None:
    order_id = archive.approved_order()
    archive.years = 0
    set_clock(archive.world, END_US - 1)
    assert refusal(archive, order_id) == (KeepReason.WITHIN_PERIOD,)


def test_a_longer_period_in_the_settings_keeps_longer(archive: Archive) -> None:
    order_id = archive.approved_order()
    archive.years = 6
    assert refusal(archive, order_id) == (KeepReason.WITHIN_PERIOD, DisposalRefusal.TOO_EARLY_OUTSIDE)


def test_a_batch_opened_again_keeps_everything_at_once_signed_or_not(archive: Archive) -> None:
    order_id = archive.approved_order()
    with archive.world.exam.write() as connection:
        reopen_batch(connection, archive.world.batch_id, POLICY, archive.decision(archive.site_lead))
    assert refusal(archive, order_id) == (KeepReason.BATCH_OPEN,)


def test_a_batch_closed_by_an_edited_row_alone_is_open(archive: Archive) -> None:
    with archive.world.exam.write() as connection:
        reopen_batch(connection, archive.world.batch_id, POLICY, archive.decision(archive.site_lead))
    order_id = archive.approved_order()
    archive.edit("update batch set closed_at_us = ?", CLOSED_US)
    assert refusal(archive, order_id)[0] == KeepReason.BATCH_OPEN


def test_a_day_given_to_a_batch_by_an_edited_row_alone_belongs_to_none(archive: Archive) -> None:
    night = START_US + 30 * 24 * 3_600_000_000
    from tests.recordings import Reel

    archive.segment_ids.append(Reel(archive.world, archive.world.cameras_1[1]).invent(night))
    order_id = archive.approved_order()
    segment_id = archive.segment_ids[-1]
    assert refusal(archive, order_id, segment_id)[0] == KeepReason.NO_BATCH
    archive.edit(
        "insert into day_assignment (site_day, batch_id, reason, account_id, recorded_at_us)"
        " values (?, ?, '无', ?, 1)",
        site_day(night).isoformat(),
        archive.world.batch_id,
        archive.archivist,
    )
    assert refusal(archive, order_id, segment_id) == (KeepReason.NO_BATCH,)


def test_a_day_given_to_a_batch_by_a_person_follows_that_batch(archive: Archive) -> None:
    night = START_US + 40 * 24 * 3_600_000_000
    from tests.recordings import Reel

    segment_id = Reel(archive.world, archive.world.cameras_1[1]).invent(night)
    with archive.world.exam.write() as connection:
        decision = archive.decision(archive.site_lead)
        assign_day(connection, site_day(night), archive.world.batch_id, decision)
    set_clock(archive.world, DUE_US + YEAR_US)
    plan_id = archive.propose([segment_id])
    archive.approve(plan_id)
    archive.stamp(plan_id, DUE_US + YEAR_US)
    order_id = archive.order(plan_id)
    archive.sign()
    archive.disposer().dispose(order_id, segment_id)
    assert not archive.file(segment_id).exists()


# Holds.


def hold(archive: Archive, kind: HoldKind = HoldKind.LEGAL_HOLD) -> int:
    reach = Reach(archive.world.cameras_1[0], START_US, START_US + 1)
    with archive.world.exam.write() as connection:
        new = NewHold(kind, None, (reach,), "第1考场")
        return propose_hold(connection, new, archive.decision(archive.supervisor, "申诉"))


def step(archive: Archive, hold_id: int, *steps: tuple[HoldStep, int]) -> None:
    with archive.world.exam.write() as connection:
        for each, account_id in steps:
            take_step(connection, hold_id, each, archive.decision(account_id, "无异议"))


def test_a_hold_that_is_only_asked_for_and_not_even_signed_stops_the_disposal(archive: Archive) -> None:
    order_id = archive.approved_order()
    hold(archive)
    assert refusal(archive, order_id) == (KeepReason.LEGAL_HOLD,)
    assert archive.permits().permit(order_id, archive.segment_ids[1])


def test_a_restriction_keeps_as_well(archive: Archive) -> None:
    order_id = archive.approved_order()
    hold(archive, HoldKind.RESTRICTION)
    assert refusal(archive, order_id) == (KeepReason.RESTRICTED,)


def test_a_hold_deleted_from_its_tables_still_stands_in_the_ledger(archive: Archive) -> None:
    order_id = archive.approved_order()
    hold(archive)
    archive.edit("delete from hold_step")
    archive.edit("delete from hold")
    assert refusal(archive, order_id) == (KeepReason.LEGAL_HOLD,)


def test_a_hold_lifted_by_two_people_keeps_no_longer_once_that_is_signed(archive: Archive) -> None:
    order_id = archive.approved_order()
    hold_id = hold(archive)
    lead, other = archive.site_lead, archive.archivist
    step(archive, hold_id, (HoldStep.CONFIRMED, lead), (HoldStep.LIFT_PROPOSED, lead))
    step(archive, hold_id, (HoldStep.LIFTED, other))
    assert refusal(archive, order_id) == (KeepReason.LEGAL_HOLD,)
    archive.sign()
    assert archive.permits().permit(order_id, archive.segment_ids[0])


# Plans, approvals, orders.


def test_an_order_that_only_a_row_knows_is_unknown(archive: Archive) -> None:
    plan_id = archive.propose()
    archive.sign()
    archive.edit(
        "insert into work_order (kind, subject, reason, ordered_by, ordered_at_us)"
        " values ('disposal', ?, '无', ?, 1)",
        f'{{"plan_id":{plan_id}}}',
        archive.archivist,
    )
    assert refusal(archive, 1) == (DisposalRefusal.UNKNOWN_ORDER,)


def test_what_is_not_signed_yet_permits_nothing(archive: Archive) -> None:
    archive.sign()
    plan_id = archive.propose()
    archive.approve(plan_id)
    archive.stamp(plan_id)
    order_id = archive.order(plan_id)
    assert refusal(archive, order_id) == (DisposalRefusal.UNKNOWN_ORDER,)
    assert not archive.permits().is_known(order_id)
    archive.sign()
    permits = archive.permits()
    assert permits.is_known(order_id)
    permits.close()


def test_an_order_for_a_plan_that_nobody_proposed_or_another_digest_is_refused(archive: Archive) -> None:
    plan_id = archive.propose()
    assert refusal(archive, archive.force_order(plan_id, "ab" * 32)) == (DisposalRefusal.UNKNOWN_PLAN,)
    assert refusal(archive, archive.force_order(99, "ab" * 32)) == (DisposalRefusal.UNKNOWN_PLAN,)


def test_without_approvals_and_outside_time_every_lack_is_named(archive: Archive) -> None:
    order_id = archive.force_order(archive.propose())
    assert refusal(archive, order_id) == (
        "too_few_approvals",
        "no_site_lead",
        DisposalRefusal.NO_OUTSIDE_TIME,
    )


def test_approvals_forged_as_rows_do_not_count(archive: Archive) -> None:
    plan_id = archive.propose()
    archive.stamp(plan_id)
    for account_id in (archive.site_lead, archive.supervisor):
        archive.edit(
            "insert into disposal_approval (plan_id, decision, note, account_id, recorded_at_us)"
            " values (?, 'approved', '同意', ?, 1)",
            plan_id,
            account_id,
        )
    order_id = archive.force_order(plan_id)
    assert refusal(archive, order_id) == ("too_few_approvals", "no_site_lead")


def test_a_rejected_plan_is_refused_for_ever(archive: Archive) -> None:
    plan_id = archive.propose()
    with archive.world.exam.write() as connection:
        decide_plan(connection, plan_id, REJECTED, archive.decision(archive.site_lead, "有复议"))
    archive.stamp(plan_id)
    assert DisposalRefusal.PLAN_REJECTED in refusal(archive, archive.force_order(plan_id))


def test_a_file_that_was_smuggled_into_the_plan_is_refused(archive: Archive) -> None:
    order_id = archive.approved_order(archive.segment_ids[:2])
    assert refusal(archive, order_id, archive.segment_ids[2]) == (DisposalRefusal.NOT_IN_PLAN,)
    archive.edit("update disposal_plan set document = document || '{}'")
    assert refusal(archive, order_id) == (DisposalRefusal.PLAN_CHANGED,)
    archive.edit("delete from disposal_time")
    archive.edit("delete from disposal_approval")
    archive.edit("delete from disposal_plan")
    assert refusal(archive, order_id) == (DisposalRefusal.PLAN_CHANGED,)


# Time from outside.


def test_a_word_about_another_plan_does_not_count_for_this_one(archive: Archive) -> None:
    first, second = archive.propose(archive.segment_ids[:1]), archive.propose(archive.segment_ids[:2])
    archive.approve(second)
    archive.force_time(second, archive.cosigner.token(archive.digest(first), DUE_US), DUE_US)
    assert refusal(archive, archive.force_order(second)) == (DisposalRefusal.NO_OUTSIDE_TIME,)


@pytest.mark.parametrize("who", ["archivist", "site_lead", "supervisor"])
def test_a_word_whose_source_one_of_those_who_act_registered_does_not_count(
    archive: Archive, who: str
) -> None:
    """Whoever asks for the disposal would say himself what time it is."""
    archive.registrar = getattr(archive, who)
    archive.register_cosigner()
    archive.world.clock.step_wall(1)
    plan_id = archive.propose()
    archive.approve(plan_id)
    archive.force_time(plan_id, archive.cosigner.token(archive.digest(plan_id), DUE_US), DUE_US)
    assert refusal(archive, archive.force_order(plan_id)) == (
        ApprovalFault.REGISTERED_TIME,
        DisposalRefusal.NO_OUTSIDE_TIME,
    )


def test_a_row_that_names_another_registrar_changes_nothing(archive: Archive) -> None:
    other, archive.registrar = archive.registrar, archive.site_lead
    archive.register_cosigner()
    archive.edit("update time_authority set account_id = ?", other)
    order_id = archive.approved_order()
    assert refusal(archive, order_id)[0] == ApprovalFault.REGISTERED_TIME


def test_a_word_of_somebody_registered_after_the_proposal_does_not_count(archive: Archive) -> None:
    plan_id = archive.propose()
    archive.approve(plan_id)
    archive.cosigner = Cosigner()
    with archive.world.exam.write() as connection:
        archive.authority_id = add_authority(
            connection, "新登记", archive.cosigner.authority, archive.decision(archive.site_lead)
        )
    archive.force_time(plan_id, archive.cosigner.token(archive.digest(plan_id), DUE_US), DUE_US)
    assert refusal(archive, archive.force_order(plan_id)) == (DisposalRefusal.NO_OUTSIDE_TIME,)


@pytest.mark.parametrize(
    "change",
    [
        "update disposal_time set token = x'00'",
        "update time_authority set public_pem = '-----BEGIN nothing'",
        "delete from disposal_time",
    ],
)
def test_a_changed_token_or_authority_does_not_count(archive: Archive, change: str) -> None:
    order_id = archive.approved_order()
    archive.edit(change)
    assert refusal(archive, order_id) == (DisposalRefusal.NO_OUTSIDE_TIME,)


# Ledgers and rows.


@pytest.mark.parametrize(
    "change",
    [
        "update ledger_leaf set body = replace(body, '\"years\":5', '\"years\":6')",
        "update ledger_leaf set kind = 'x' where kind = 'batch_closing'",
        "delete from ledger_leaf where kind = 'batch_closing'",
    ],
)
def test_an_edited_ledger_of_decisions_permits_nothing(archive: Archive, change: str) -> None:
    order_id = archive.approved_order()
    archive.edit(change)
    assert refusal(archive, order_id) == (DisposalRefusal.LEDGER_UNSOUND,)
    with pytest.raises(DisposalRefusedError, match="ledger_unsound"):
        archive.permits().is_known(order_id)


def test_a_ledger_rewritten_as_a_whole_does_not_fit_what_was_signed(archive: Archive) -> None:
    """All hashes are right again, but the signed checkpoint is of another history."""
    order_id = archive.approved_order()
    with archive.world.exam.read() as connection:
        leaves = [
            tuple(row) for row in connection.execute("select kind, body, recorded_at_us from ledger_leaf")
        ]
    archive.edit("delete from ledger_node")
    archive.edit("delete from ledger_leaf")
    with archive.world.exam.write() as connection:
        for kind, body, at_us in leaves:
            import json

            append(connection, LeafKind(kind), json.loads(body), at_us - 1)
    assert refusal(archive, order_id) == (DisposalRefusal.LEDGER_UNSOUND,)


def test_without_key_or_checkpoints_nothing_is_permitted(archive: Archive) -> None:
    order_id = archive.approved_order()
    key = archive.world.folder / "keys" / "ledger_exam.key"
    key.rename(key.with_suffix(".gone"))
    assert refusal(archive, order_id) == (DisposalRefusal.LEDGER_UNSOUND,)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ("update segment set ended_at_us = ended_at_us - 1", DisposalRefusal.RECORD_CHANGED),
        ("update segment set sha256 = zeroblob(32)", DisposalRefusal.RECORD_CHANGED),
        ("update segment set path = 'footage/elsewhere.mp4'", DisposalRefusal.RECORD_CHANGED),
        (
            'update ledger_leaf set body = replace(body, \'"origin":"live"\', \'"origin":"adopted"\')',
            DisposalRefusal.NOT_IN_LEDGER,
        ),
        ("delete from ledger_leaf", DisposalRefusal.NOT_IN_LEDGER),
    ],
)
def test_an_edited_index_permits_nothing(archive: Archive, change: str, reason: str) -> None:
    order_id = archive.approved_order()
    if "path" in change:
        change += f" where id = {archive.segment_ids[0]}"
    archive.edit(change, exam=False)
    with pytest.raises(DisposalRefusedError) as caught:
        archive.permits().permit(order_id, archive.segment_ids[0])
    assert caught.value.reasons == (reason,)


def test_a_segment_that_is_not_signed_yet_is_kept(archive: Archive) -> None:
    from tests.recordings import Reel

    archive.sign()
    new = Reel(archive.world, archive.world.cameras_1[1]).invent(START_US)
    plan_id = archive.propose([new])
    archive.approve(plan_id)
    archive.stamp(plan_id)
    order_id = archive.order(plan_id)
    archive.exam_checkpoints.sign(DUE_US)
    assert refusal(archive, order_id, new) == (DisposalRefusal.NOT_IN_LEDGER,)


def test_an_unknown_segment_is_refused(archive: Archive) -> None:
    from dataclasses import replace

    from evidence.disposal_plans import Proposal, propose_plan

    ghost = replace(archive.planned(archive.segment_ids[0]), segment_id=999)
    with archive.world.exam.write() as connection:
        proposal = Proposal(archive.world.batch_id, "规程", "无", [ghost])
        plan_id = propose_plan(connection, proposal, archive.decision(archive.archivist))
    archive.approve(plan_id)
    archive.stamp(plan_id)
    order_id = archive.order(plan_id)
    archive.sign()
    assert refusal(archive, order_id, 999) == (DisposalRefusal.UNKNOWN_SEGMENT,)


# The file.


def test_a_file_that_is_missing_damaged_or_on_another_disk_is_refused(archive: Archive) -> None:
    order_id = archive.approved_order()
    file = archive.file(archive.segment_ids[0])
    content = file.read_bytes()
    file.write_bytes(content[:-1] + b"x")
    assert refusal(archive, order_id) == (DisposalRefusal.FILE_DAMAGED,)
    file.write_bytes(content + b"x")
    assert refusal(archive, order_id) == (DisposalRefusal.FILE_DAMAGED,)
    file.write_bytes(content)
    mark = archive.world.folder / "footage" / "volume.uuid"
    mark.write_text("another\n")
    assert refusal(archive, order_id) == (DisposalRefusal.VOLUME_ABSENT,)


def test_a_missing_file_is_never_declared_disposed(archive: Archive) -> None:
    order_id = archive.approved_order()
    archive.file(archive.segment_ids[0]).unlink()
    with pytest.raises(DisposalRefusedError, match="file_missing"):
        archive.disposer().dispose(order_id, archive.segment_ids[0])
    assert archive.rows("disposal") == []


def test_what_was_read_is_read_anew_when_exam_db_changes(archive: Archive) -> None:
    order_id = archive.approved_order()
    permits = archive.permits()
    assert permits.permit(order_id, archive.segment_ids[0])
    assert permits.permit(order_id, archive.segment_ids[0])
    hold(archive)
    with pytest.raises(DisposalRefusedError, match="legal_hold"):
        permits.permit(order_id, archive.segment_ids[0])
    permits.close()


def test_the_tables_refuse_to_forget(archive: Archive) -> None:
    archive.approved_order()
    for table in ("disposal_plan", "disposal_approval", "disposal_time", "batch_closing"):
        with pytest.raises(sqlite3.IntegrityError), archive.world.exam.write() as connection:
            connection.execute(f"delete from {table}")


def test_an_approval_that_is_not_signed_yet_does_not_count_and_other_orders_do_not_matter(
    archive: Archive,
) -> None:
    from evidence.work_orders import NewOrder, OrderKind, give_order

    plan_id = archive.propose()
    archive.stamp(plan_id)
    with archive.world.exam.write() as connection:
        give_order(connection, NewOrder(OrderKind.EXPORT, {"room_id": 1}, "申诉", archive.supervisor), DUE_US)
    order_id = archive.force_order(plan_id)
    archive.edit("delete from disposal_witness")
    archive.edit("delete from work_order")  # as if nothing had been ordered: people may still approve
    archive.approve(plan_id)
    assert refusal(archive, order_id) == ("too_few_approvals", "no_site_lead")


def test_what_was_checked_once_is_not_read_again_and_new_leaves_must_fit(archive: Archive) -> None:
    first = archive.approved_order(archive.segment_ids[:1])
    permits = archive.permits()
    assert permits.permit(first, archive.segment_ids[0])
    archive.world.clock.step_wall(1_000_000)
    second = archive.approved_order(archive.segment_ids[1:])
    assert permits.permit(second, archive.segment_ids[1])
    archive.edit("update ledger_leaf set body = '{}' where id = 0")  # checked long ago: changes nothing
    assert permits.permit(second, archive.segment_ids[1])
    archive.world.clock.step_wall(1_000_000)
    archive.propose(archive.segment_ids[2:])
    archive.sign()
    archive.edit("update ledger_leaf set recorded_at_us = 1 where id = (select max(id) from ledger_leaf)")
    for _ in range(2):
        with pytest.raises(DisposalRefusedError, match="ledger_unsound"):
            permits.permit(second, archive.segment_ids[1])
    permits.close()


def test_an_older_copy_of_the_ledger_does_not_fit_what_was_checked(archive: Archive) -> None:
    order_id = archive.approved_order()
    archive.edit("delete from ledger_leaf where id = (select max(id) from ledger_leaf)")
    assert refusal(archive, order_id) == (DisposalRefusal.LEDGER_UNSOUND,)
