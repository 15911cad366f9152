from evidence.cameras import PASSWORD_PURPOSE, is_locked, load_camera_sources
from evidence.vault import Vault
from tests.world import World


def test_cameras_come_with_their_login_and_in_the_order_of_rooms(world: World) -> None:
    with world.exam.write() as connection:
        cipher = world.vault.encrypt("p'@ss", PASSWORD_PURPOSE)
        connection.execute(
            "update camera set username = 'recorder', password_cipher = ? where uuid = ?",
            (cipher, world.camera_2),
        )
        sources = load_camera_sources(connection, world.vault)
    assert {source.uuid for source in sources} == {*world.cameras_1, world.camera_2}
    assert sources[-1].uuid == world.camera_2
    assert (sources[-1].username, sources[-1].password) == ("recorder", "p'@ss")
    assert sources[0].password == ""
    assert "p'@ss" not in repr(sources)


def test_a_retired_camera_is_not_recorded(world: World) -> None:
    with world.exam.write() as connection:
        connection.execute("update camera set retired_at_us = 5 where uuid = ?", (world.camera_2,))
        assert world.camera_2 not in {source.uuid for source in load_camera_sources(connection, world.vault)}


def test_a_camera_whose_password_nobody_can_read_comes_locked_beside_the_others(world: World) -> None:
    foreign = Vault.open(world.folder / "other.key").encrypt("secret", PASSWORD_PURPOSE)
    with world.exam.write() as connection:
        for cipher in (foreign, b"short"):
            connection.execute(
                "update camera set username = 'recorder', password_cipher = ? where uuid = ?",
                (cipher, world.camera_2),
            )
            sources = load_camera_sources(connection, world.vault)
            assert [source.is_locked for source in sources] == [False, False, True]
            assert (sources[-1].username, sources[-1].password) == ("", "")
            assert is_locked(connection, world.vault, world.camera_2)
        assert not is_locked(connection, world.vault, world.cameras_1[0])
        assert not is_locked(connection, world.vault, "nobody")
