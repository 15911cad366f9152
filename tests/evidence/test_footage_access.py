from evidence.footage_access import GRANT_US, FootageRequest, Grant, find_grant, record_access
from evidence.timeline import Interval
from tests.world import CLOCK_US, START_US, World

INTERVAL = Interval(START_US, START_US + 60_000_000)


def look(world: World) -> Grant:
    with world.exam.write() as connection:
        wanted = FootageRequest(world.site_lead_account_id, world.room_1, INTERVAL, "核查违纪记录")
        access_id = record_access(connection, wanted, CLOCK_US)
        grant = find_grant(connection, access_id)
    assert grant is not None
    return grant


def test_a_look_at_footage_is_written_down_with_its_reason(world: World) -> None:
    grant = look(world)
    assert grant == Grant(
        grant.id, world.site_lead_account_id, world.room_1, INTERVAL, "核查违纪记录", CLOCK_US
    )


def test_every_look_is_its_own_row(world: World) -> None:
    assert look(world).id != look(world).id


def test_a_grant_opens_footage_only_to_the_account_that_gave_the_reason(world: World) -> None:
    grant = look(world)
    assert grant.is_open(world.site_lead_account_id, CLOCK_US)
    assert not grant.is_open(world.proctor_account_id, CLOCK_US)


def test_a_grant_ends_after_a_working_day(world: World) -> None:
    grant = look(world)
    assert grant.is_open(world.site_lead_account_id, CLOCK_US + GRANT_US - 1)
    assert not grant.is_open(world.site_lead_account_id, CLOCK_US + GRANT_US)


def test_an_unknown_grant_is_nobodys(world: World) -> None:
    with world.exam.read() as connection:
        assert find_grant(connection, 4711) is None
