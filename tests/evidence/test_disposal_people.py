"""Who registered a source of time has no other part in the plan that uses it, not even as a witness."""

import pytest

from evidence.disposal_people import time_faults
from exam.disposal_approval import ApprovalFault
from tests.world import CLOCK_US, World


@pytest.fixture
def plan_id(world: World) -> int:
    """A plan whose only time comes from a source that 李强 registered."""
    lead = world.site_lead_account_id
    with world.exam.write() as connection:
        connection.execute(
            "insert into time_authority (id, kind, name, public_pem, account_id, recorded_at_us)"
            " values (1, 'cosigner', '省中心', '-----BEGIN PUBLIC KEY-----', ?, ?)",
            (lead, CLOCK_US),
        )
        connection.execute(
            "insert into disposal_plan (id, number, batch_id, document, digest, appraisal, account_id,"
            " recorded_at_us) values (7, '销毁-1', ?, '{}', zeroblob(32), '同意', ?, ?)",
            (world.batch_id, world.proctor_account_id, CLOCK_US),
        )
        connection.execute(
            "insert into disposal_time (plan_id, authority_id, token, proved_at_us, account_id,"
            " recorded_at_us) values (7, 1, x'00', ?, ?, ?)",
            (CLOCK_US, lead, CLOCK_US),
        )
    return 7


def test_a_registrar_who_is_a_witness_makes_his_source_useless(world: World, plan_id: int) -> None:
    with world.exam.read() as connection:
        assert time_faults(connection, plan_id, [], ["李强", "王芳"]) == [ApprovalFault.REGISTERED_TIME]
        assert ApprovalFault.REGISTERED_TIME not in time_faults(connection, plan_id, [], ["王芳"])
