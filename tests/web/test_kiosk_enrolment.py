"""A one-machine site has a working kiosk without any setup."""

from pathlib import Path

import pytest

from config.settings import KioskSettings, Settings
from evidence import kiosks
from evidence.kiosk_enrolments import revoke
from tests.world import World
from web.kiosk_enrolment import LOCAL_LABEL, ensure_local_kiosk
from web.services import FootageReader, Services


def at_home(world: World, *, enabled: bool = True) -> Services:
    settings = Settings(data_folder=world.folder, kiosk=KioskSettings(enabled=enabled))
    return Services(settings, world.clock, world.exam, FootageReader(Path("nowhere")), world.vault)


def local_kiosk(services: Services) -> kiosks.Kiosk | None:
    token = services.settings.kiosk_token.read_text(encoding="ascii").strip()
    with services.exam.read() as connection:
        return kiosks.find_by_token(connection, token)


def test_the_first_start_writes_a_token_that_only_the_owner_reads(world: World) -> None:
    services = at_home(world)
    ensure_local_kiosk(services)
    found = local_kiosk(services)
    assert found is not None
    assert found.label == LOCAL_LABEL
    assert services.settings.kiosk_token.stat().st_mode & 0o777 == 0o600


def test_a_later_start_changes_nothing(world: World) -> None:
    services = at_home(world)
    ensure_local_kiosk(services)
    token = services.settings.kiosk_token.read_bytes()
    ensure_local_kiosk(services)
    assert services.settings.kiosk_token.read_bytes() == token


def test_a_lost_token_is_rolled_and_the_kiosk_stays_the_same(world: World) -> None:
    services = at_home(world)
    ensure_local_kiosk(services)
    before = local_kiosk(services)
    services.settings.kiosk_token.write_text("damaged")
    ensure_local_kiosk(services)
    after = local_kiosk(services)
    assert before is not None
    assert after is not None
    assert before.uuid == after.uuid


def test_a_machine_without_kiosk_gets_no_token(world: World) -> None:
    services = at_home(world, enabled=False)
    ensure_local_kiosk(services)
    assert not services.settings.kiosk_token.exists()


def test_a_token_that_cannot_be_written_is_not_enrolled(world: World) -> None:
    services = at_home(world)
    services.settings.kiosk_token.with_name(".kiosk.token.draft").mkdir()
    with pytest.raises(IsADirectoryError):
        ensure_local_kiosk(services)
    with world.exam.read() as connection:
        labels = [row["label"] for row in connection.execute("select label from kiosk")]
    assert labels == ["一号签到机"]


def test_a_kiosk_of_our_own_that_was_revoked_stays_out_even_when_it_wiped_itself(world: World) -> None:
    services = at_home(world)
    ensure_local_kiosk(services)
    with world.exam.write() as connection:
        (kiosk_id,) = connection.execute("select id from kiosk where label = ?", (LOCAL_LABEL,)).fetchone()
        revoke(connection, kiosk_id, None, world.clock.wall_us())
    services.settings.kiosk_token.unlink()
    ensure_local_kiosk(services)
    assert not services.settings.kiosk_token.exists()


def test_a_machine_whose_kiosk_enrolled_elsewhere_is_left_alone(world: World) -> None:
    services = at_home(world)
    services.settings.kiosk_place.write_text('{"url":"https://192.168.1.5:8600"}')
    ensure_local_kiosk(services)
    assert not services.settings.kiosk_token.exists()
