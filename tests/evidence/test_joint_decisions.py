"""Two people revoke a source of time, or give up a mirror; what was decided before stays."""

import json
import shutil
from collections.abc import Iterator

import pytest

from evidence.check_codes import Code
from evidence.check_facts import EXAM_FACTS, check_facts
from evidence.disposal_permit import DisposalRefusedError
from evidence.disposal_plans import PlanError
from evidence.joint_decisions import (
    DecisionKind,
    decide_jointly,
    decided_subjects,
    find_joint,
    joint_rows,
    propose_jointly,
)
from evidence.ledger import LeafKind, read_leaves
from evidence.outside_time import AuthorityKind
from evidence.time_authorities import load_authorities, load_authority
from exam.joint_decisions import JointError, Step
from tests.disposals import Archive, Cosigner, account, open_archive
from tests.evidence.test_disposal import MIRROR, NEVER, mirrored
from tests.world import World

REVOKE, GIVE_UP = DecisionKind.REVOKE_AUTHORITY, DecisionKind.GIVE_UP_MIRROR


@pytest.fixture
def archive(world: World) -> Iterator[Archive]:
    with open_archive(world) as opened:
        yield opened


def propose(archive: Archive, kind: DecisionKind, subject: str, by: int | None = None) -> int:
    with archive.world.exam.write() as connection:
        return propose_jointly(
            connection, kind, subject, archive.decision(by or archive.registrar, "密钥外泄")
        )


def take(archive: Archive, decision_id: int, step: Step, by: int | None = None) -> None:
    with archive.world.exam.write() as connection:
        decide_jointly(connection, decision_id, step, archive.decision(by or archive.site_lead, "已核实"))


def revoke(archive: Archive) -> None:
    take(archive, propose(archive, REVOKE, str(archive.authority_id)), Step.CONFIRMED)


def give_up(archive: Archive) -> None:
    take(archive, propose(archive, GIVE_UP, MIRROR), Step.CONFIRMED)


def refused(archive: Archive, order_id: int) -> tuple[str, ...]:
    with pytest.raises(DisposalRefusedError) as caught:
        archive.disposer().dispose(order_id, archive.segment_ids[0])
    return caught.value.reasons


def test_a_decision_has_two_people_their_reasons_and_a_leaf_each(archive: Archive) -> None:
    decision_id = propose(archive, REVOKE, "1")
    with archive.world.exam.read() as connection:
        (asked,) = joint_rows(connection, REVOKE)
        assert (asked.is_open, asked.is_decided) == (True, False)
        assert decided_subjects(connection, REVOKE) == set()
    take(archive, decision_id, Step.CONFIRMED)
    with archive.world.exam.read() as connection:
        decided = find_joint(connection, decision_id)
        assert decided is not None
        bodies = [
            json.loads(leaf.body) for leaf, _ in read_leaves(connection) if leaf.kind == "joint_decision"
        ]
        assert list(check_facts(connection, EXAM_FACTS)) == []
    assert (decided.is_open, decided.is_decided) == (False, True)
    assert [(each.name, each.reason) for each in decided.steps] == [("dudao", "密钥外泄"), ("李强", "已核实")]
    assert [(each["step"], each["kind"], each["subject"]) for each in bodies] == [
        ("proposed", "revoke_authority", "1"),
        ("confirmed", "revoke_authority", "1"),
    ]
    assert not any("密钥外泄" in str(each) for each in bodies)


def test_nobody_asks_for_what_is_asked_or_decided_and_a_withdrawn_one_can_be_asked_again(
    archive: Archive,
) -> None:
    decision_id = propose(archive, REVOKE, "1")
    with pytest.raises(JointError, match="已有人提出"):
        propose(archive, REVOKE, "1", archive.supervisor)
    propose(archive, GIVE_UP, "1")
    take(archive, decision_id, Step.WITHDRAWN, archive.registrar)
    again = propose(archive, REVOKE, "1")
    take(archive, again, Step.CONFIRMED)
    with pytest.raises(JointError, match="已经决定"):
        propose(archive, REVOKE, "1")


def test_one_person_with_two_accounts_decides_nothing(archive: Archive) -> None:
    decision_id = propose(archive, REVOKE, "1")
    with archive.world.exam.write() as connection:
        row = connection.execute("select staff_id from account where id = ?", (archive.registrar,)).fetchone()
        connection.execute("update account set staff_id = ? where id = ?", (row[0], archive.supervisor))
    with pytest.raises(JointError, match="另一人"):
        take(archive, decision_id, Step.CONFIRMED, archive.supervisor)
    nobody = account(archive.world, "supervisor", name="wuka", badge=False)
    with pytest.raises(JointError, match="证卡号"):
        take(archive, decision_id, Step.CONFIRMED, nobody)


def test_an_unknown_decision_is_said_to_be_unknown(archive: Archive) -> None:
    with pytest.raises(JointError, match="没有这项决定"):
        take(archive, 99, Step.CONFIRMED)


# A source of time.


def test_a_revoked_source_gives_no_more_time_and_is_offered_to_nobody(archive: Archive) -> None:
    plan_id = archive.propose()
    revoke(archive)
    with pytest.raises(PlanError, match="撤销"):
        archive.stamp(plan_id)
    with archive.world.exam.read() as connection:
        assert load_authorities(connection) == []
        assert load_authority(connection, archive.authority_id) is None


def test_a_withdrawn_revocation_changes_nothing(archive: Archive) -> None:
    take(archive, propose(archive, REVOKE, str(archive.authority_id)), Step.WITHDRAWN)
    with archive.world.exam.read() as connection:
        (known,) = load_authorities(connection)
        assert (known.kind, load_authority(connection, known.id)) == (AuthorityKind.COSIGNER, known)
    assert archive.permits().permit(archive.approved_order(), archive.segment_ids[0])


def test_what_a_source_said_before_its_revocation_stays(archive: Archive) -> None:
    order_id = archive.approved_order()
    revoke(archive)
    archive.sign()
    archive.disposer().dispose(order_id, archive.segment_ids[0])
    assert archive.files_left() == 2


def test_a_word_given_after_the_revocation_does_not_count_signed_or_not(archive: Archive) -> None:
    plan_id = archive.propose()
    archive.approve(plan_id)
    archive.sign()
    revoke(archive)  # a console without its checks takes the word all the same
    archive.force_time(plan_id, archive.cosigner.token(archive.digest(plan_id), 1_956_000_000_000_000), 1)
    order_id = archive.force_order(plan_id)
    assert refused(archive, order_id) == ("no_outside_time",)


def test_another_source_still_counts(archive: Archive) -> None:
    first = archive.authority_id
    other = Archive(**{**vars(archive), "cosigner": Cosigner()})
    other.register_cosigner()
    take(archive, propose(archive, REVOKE, str(first)), Step.CONFIRMED)
    assert other.permits().permit(other.approved_order(), archive.segment_ids[0])


# A mirror.


def test_a_mirror_that_two_people_gave_up_holds_no_disposal_up_and_the_leaf_names_it(
    archive: Archive,
) -> None:
    order_id = archive.approved_order()
    mirrored(archive)
    (archive.world.folder / "mirror").rename(archive.world.folder / "lost")
    assert refused(archive, order_id) == ("mirror_absent",)
    give_up(archive)
    assert refused(archive, order_id) == ("mirror_absent",), "not signed yet: it may forbid, never permit"
    archive.sign()
    archive.disposer().carry_out(order_id, archive.segment_ids, NEVER)
    assert archive.files_left() == 0
    with archive.world.footage.read() as connection:
        leaves = [json.loads(leaf.body) for leaf, _ in read_leaves(connection) if leaf.kind == "disposal"]
    assert [each["lost_mirrors"] for each in leaves] == [[MIRROR], [], []]


def test_a_mirror_that_was_given_up_and_is_there_all_the_same_is_emptied(archive: Archive) -> None:
    copy = mirrored(archive)
    give_up(archive)
    archive.disposer().carry_out(archive.approved_order(), archive.segment_ids, NEVER)
    assert not copy.exists()


def test_another_disk_in_the_place_of_a_lost_mirror_is_not_touched(archive: Archive) -> None:
    copy = mirrored(archive)
    give_up(archive)
    (archive.world.folder / "mirror" / "mirror.uuid").write_text("another\n")
    archive.disposer().carry_out(archive.approved_order(), archive.segment_ids, NEVER)
    assert copy.exists()


@pytest.mark.parametrize(
    "changes",
    [
        {"person": "staff:1", "step": "confirmed"},
        {"person": "account:8", "step": "confirmed"},
        {"person": "staff:2", "step": "withdrawn"},
        {"person": "staff:2", "step": "confirmed", "kind": "revoke_authority"},
        {"person": "staff:2", "step": "confirmed", "decision_id": 9},
    ],
)
def test_what_is_not_the_word_of_two_people_gives_up_nothing(
    archive: Archive, changes: dict[str, object]
) -> None:
    """Leaves as a console without its checks might write them."""
    from evidence.ledger import append

    order_id = archive.approved_order()
    mirrored(archive)
    shutil.rmtree(archive.world.folder / "mirror")
    first = {
        "decision_id": 1,
        "kind": GIVE_UP.value,
        "subject": MIRROR,
        "step": "proposed",
        "person": "staff:1",
    }
    with archive.world.exam.write() as connection:
        for body in (first, {**first, **changes}):
            append(connection, LeafKind.JOINT_DECISION, body, archive.world.clock.wall_us())  # type: ignore[arg-type]
    archive.sign()
    assert refused(archive, order_id) == ("mirror_absent",)


# Witnesses.


def test_an_order_whose_witnesses_the_ledger_does_not_know_is_refused(archive: Archive) -> None:
    plan_id = archive.propose()
    archive.approve(plan_id)
    archive.stamp(plan_id)
    for names in ((), ("钱进",)):
        assert refused(archive, archive.force_order(plan_id, witnesses=names)) == ("too_few_witnesses",)


def test_a_witness_who_is_renamed_or_added_afterwards_is_found(archive: Archive) -> None:
    archive.approved_order()
    archive.edit("update disposal_witness set name = '冒名' where place = 1")
    archive.edit("insert into disposal_witness values (1, '添名', 3, randomblob(16))")
    with archive.world.exam.read() as connection:
        found = {(each.code, each.where) for each in check_facts(connection, EXAM_FACTS)}
    assert found == {
        (Code.FACT_CHANGED, "disposal_witness 1/1 name_salted_sha256"),
        (Code.FACT_WITHOUT_LEAF, "disposal_witness 1/3"),
    }
