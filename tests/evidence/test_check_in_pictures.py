"""Photos and signatures: encrypted, whole before their row, refused when they are not what they claim."""

from hashlib import sha256
from pathlib import Path

import pytest

from evidence.check_in_pictures import (
    LIMITS,
    LOOK_US,
    Picture,
    PictureError,
    PictureFault,
    PictureKind,
    PictureStore,
    is_kept,
    record_picture,
    record_view,
)
from tests.evidence.check_ins import Desk
from tests.world import CLOCK_US, World

JPEG = b"\xff\xd8\xff\xe0" + b"a face" * 100


def picture(
    content: bytes = JPEG, kind: PictureKind = PictureKind.PHOTO, media_type: str = "image/jpeg"
) -> Picture:
    return Picture(kind, media_type, sha256(content).hexdigest(), content)


@pytest.fixture
def store(world: World) -> PictureStore:
    return PictureStore(world.folder / "check_in", world.vault)


def keep(world: World, store: PictureStore, one: Picture) -> bool:
    cipher_sha256 = store.write(one)
    with world.exam.write() as connection:
        return record_picture(connection, one, cipher_sha256, world.kiosk_id, CLOCK_US)


def files(store: PictureStore) -> list[Path]:
    return sorted(store.folder.rglob("*.enc"))


def test_a_picture_comes_back_byte_for_byte_and_lies_encrypted(world: World, store: PictureStore) -> None:
    one = picture()
    assert keep(world, store, one)
    with world.exam.read() as connection:
        assert is_kept(connection, one.sha256_hex)
        assert store.read(connection, one.sha256_hex) == one
    [path] = files(store)
    content = path.read_bytes()
    assert b"a face" not in content
    assert path.name == f"{sha256(content).hexdigest()}.enc"
    assert path.stat().st_mode & 0o777 == 0o400
    assert Desk(world).findings() == []


def test_the_same_picture_twice_is_one_row(world: World, store: PictureStore) -> None:
    assert keep(world, store, picture())
    assert not keep(world, store, picture())
    with world.exam.read() as connection:
        assert store.read(connection, picture().sha256_hex).content == JPEG


@pytest.mark.parametrize(
    ("one", "fault"),
    [
        (picture(b""), PictureFault.EMPTY),
        (picture(b"\xff\xd8\xff" + bytes(LIMITS[PictureKind.PHOTO].largest_bytes)), PictureFault.TOO_LARGE),
        (picture(b"<html>"), PictureFault.WRONG_TYPE),
        (picture(media_type="image/gif"), PictureFault.WRONG_TYPE),
        (picture(kind=PictureKind.SIGNATURE), PictureFault.WRONG_TYPE),
        (Picture(PictureKind.PHOTO, "image/jpeg", "00" * 32, JPEG), PictureFault.WRONG_DIGEST),
    ],
)
def test_what_is_no_picture_leaves_no_file(store: PictureStore, one: Picture, fault: PictureFault) -> None:
    with pytest.raises(PictureError) as error:
        store.write(one)
    assert error.value.fault is fault
    assert files(store) == []


def test_a_signature_is_a_picture_or_its_strokes(store: PictureStore) -> None:
    for content, media_type in (
        (b"\x89PNG\r\n\x1a\nstrokes", "image/png"),
        (b'{"strokes":[]}', "application/json"),
    ):
        store.write(picture(content, PictureKind.SIGNATURE, media_type))
    assert len(files(store)) == 2


@pytest.mark.parametrize("damage", ["gone", "changed", "another"])
def test_a_file_that_is_no_longer_what_was_kept_is_named(
    world: World, store: PictureStore, damage: str
) -> None:
    keep(world, store, picture())
    [path] = files(store)
    path.chmod(0o600)
    if damage == "gone":
        path.rename(path.with_suffix(".away"))
    elif damage == "changed":
        content = path.read_bytes()
        path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    else:
        path.write_bytes(world.vault.encrypt_bytes(b"another picture", "check_in_picture"))
    with world.exam.read() as connection, pytest.raises(PictureError) as error:
        store.read(connection, picture().sha256_hex)
    assert error.value.fault is PictureFault.DAMAGED


def test_a_picture_nobody_sent_is_unknown(world: World, store: PictureStore) -> None:
    with world.exam.read() as connection:
        assert not is_kept(connection, "ab" * 32)
        with pytest.raises(PictureError) as error:
            store.read(connection, "ab" * 32)
        assert error.value.fault is PictureFault.UNKNOWN
        with pytest.raises(PictureError) as error:
            store.read(connection, "no digest")
        assert error.value.fault is PictureFault.WRONG_DIGEST


def test_a_look_is_on_record_once_for_each_person_and_while_it_lasts(
    world: World, store: PictureStore, desk: Desk
) -> None:
    one = picture()
    keep(world, store, one)
    looks = [
        (world.proctor_account_id, CLOCK_US, True),
        (world.proctor_account_id, CLOCK_US + LOOK_US - 1, False),
        (world.site_lead_account_id, CLOCK_US + 1, True),
        (world.proctor_account_id, CLOCK_US + LOOK_US, True),
    ]
    with world.exam.write() as connection:
        told = [record_view(connection, one.sha256_hex, who, at_us) for who, at_us, _ in looks]
        with pytest.raises(PictureError):
            record_view(connection, "0" * 64, world.proctor_account_id, CLOCK_US)
    assert told == [is_new for _, _, is_new in looks]
    views = desk.rows("select account_id, viewed_at_us from check_in_picture_view order by id")
    assert [tuple(row) for row in views] == [(who, at_us) for who, at_us, is_new in looks if is_new]
    assert desk.findings() == []
