"""Registration photos taken in from a folder or archive: whole or not at all, encrypted, with a leaf each."""

import io
import zipfile
from pathlib import Path

import pytest
from PIL import Image

from evidence import photo_files
from evidence.check_in_pictures import LIMITS, Picture, PictureKind, PictureStore, rooms_of_picture
from evidence.file_photos import CHANGED_MEANWHILE, PhotosRequest, file_photo_of, take_photos
from evidence.photo_files import PhotoSourceError, looked_at, open_photos
from exam.file_photos import PhotoReport
from tests.evidence.check_ins import Desk
from tests.web.doubted import face
from tests.world import CLOCK_US, World

SMALL = (60, 90)


@pytest.fixture
def store(world: World) -> PictureStore:
    return PictureStore(world.folder / "check_in", world.vault)


@pytest.fixture
def folder(world: World, tmp_path: Path) -> Path:
    """Photos of two people as an exam office has them, with what a Mac left beside them."""
    laid = tmp_path / "照片"
    (laid / "一班").mkdir(parents=True)
    (laid / f"{world.on_time.ticket_no}.jpg").write_bytes(face(1))
    (laid / "一班" / f"{world.late.ticket_no}.JPG").write_bytes(face(2))
    (laid / ".DS_Store").write_bytes(b"x")
    return laid


def zipped(folder: Path, names: dict[str, str] | None = None) -> Path:
    path = folder.with_suffix(".zip")
    with zipfile.ZipFile(path, "w") as archive:
        for one in sorted(folder.rglob("*")):
            name = one.relative_to(folder).as_posix()
            archive.write(one, (names or {}).get(name, name))
    return path


def take(world: World, store: PictureStore, path: Path, **how: object) -> PhotoReport:
    request = PhotosRequest(path, "B2026-1", **how)  # type: ignore[arg-type] - of the request
    return take_photos(world.exam, store, request, CLOCK_US)


def png(size: tuple[int, int], mode: str = "L") -> bytes:
    kept = io.BytesIO()
    Image.new(mode, size).save(kept, "PNG")
    return kept.getvalue()


def reasons(report: PhotoReport) -> list[str]:
    return [one.reason for one in report.changes.faults]


def test_photos_are_kept_encrypted_with_a_leaf_each(world: World, store: PictureStore, folder: Path) -> None:
    tried = take(world, store, folder, dry_run=True)
    assert (len(tried.changes.added), tried.ignored, list(store.folder.rglob("*.enc"))) == (2, 1, [])
    report = take(world, store, folder)
    assert (report.read, len(report.changes.added), len(report.changes.without)) == (2, 2, 2)
    with world.exam.read() as connection:
        digest = file_photo_of(connection, world.on_time.id)
        assert digest is not None
        assert store.read(connection, digest).content == face(1)
        assert rooms_of_picture(connection, digest) == [(world.session_id, world.room_1)]
        assert file_photo_of(connection, world.other_room.id) is None
    assert all(b"\xff\xd8\xff" not in path.read_bytes()[:16] for path in store.folder.rglob("*.enc"))
    desk = Desk(world)
    leaves = desk.rows("select body from ledger_leaf where kind = 'file_photo'")
    assert len(leaves) == 2
    assert world.on_time.ticket_no not in "".join(str(row["body"]) for row in leaves)
    assert desk.findings() == []


def test_an_archive_says_the_same_and_again_changes_nothing(
    world: World, store: PictureStore, folder: Path
) -> None:
    assert len(take(world, store, zipped(folder)).changes.added) == 2
    again = take(world, store, folder)
    assert (again.is_unchanged, again.changes.unchanged) == (True, 2)
    # Another photo counts from now on; coming back to the first keeps no second copy of it.
    own = folder / f"{world.on_time.ticket_no}.jpg"
    for number in (5, 1):
        own.write_bytes(face(number))
        assert set(take(world, store, folder, account_id=1).changes.replaced) == {world.on_time.id}
    assert len(list(store.folder.rglob("*.enc"))) == 3
    with world.exam.read() as connection:
        kept = store.read(connection, file_photo_of(connection, world.on_time.id) or "")
    assert kept.content == face(1)


def test_one_fault_keeps_all_photos_out(world: World, store: PictureStore, folder: Path) -> None:
    (folder / "202699999999.jpg").write_bytes(face(3))
    (folder / f"{world.other_room.ticket_no}.jpg").write_bytes(face(4)[:800])
    report = take(world, store, folder)
    assert sorted(reasons(report)) == ["图片已损坏，无法显示", "本批次的花名册中没有准考证号 202699999999"]
    assert list(store.folder.rglob("*.enc")) == []
    assert Desk(world).rows("select 1 from file_photo") == []


@pytest.mark.parametrize(
    ("name", "content", "fault"),
    [
        ("1.jpg", face(1), ""),
        ("1.png", png((100, 120)), ""),
        ("1.gif", b"GIF89a", "不是图片文件"),
        ("1.jpg", b"", "文件是空的"),
        ("1.jpg", b"\xff\xd8\xff" + bytes(LIMITS[PictureKind.PHOTO].largest_bytes), "超过 2 MiB"),
        ("1.jpg", png((100, 120)), "内容与文件名的格式不符"),
        ("1.png", png(SMALL), "图片太小（60×90）"),
        ("1.png", png((9000, 100)), "图片太大（9000×100）"),
        ("1.jpg", b"\xff\xd8\xff no picture", "图片已损坏"),
        ("1.jpg", b"\xff\xd8\xff no picture \xff\xd9", "图片已损坏"),
    ],
)
def test_what_is_said_of_a_file(name: str, content: bytes, fault: str) -> None:
    found = looked_at(name, content).fault
    assert fault in found
    assert bool(fault) == bool(found)


def test_files_of_an_archive_that_cannot_be_read_are_named(
    world: World, store: PictureStore, folder: Path
) -> None:
    path = zipped(folder)
    content = bytearray(path.read_bytes())
    at = content.rindex(b"PK\x01\x02")
    content[at + 8] |= 1  # the last entry of the directory: encrypted
    path.write_bytes(content)
    [reason] = reasons(take(world, store, path))
    assert "有密码" in reason
    stored = path.read_bytes().index(face(1)[:64])
    damaged = bytearray(path.read_bytes())
    damaged[stored + 300] ^= 0xFF
    path.write_bytes(damaged)
    assert "压缩包中的这个文件已损坏" in reasons(take(world, store, path))


def test_a_file_that_went_away_is_named(folder: Path) -> None:
    with open_photos(folder) as source:
        for one in folder.rglob("*.JPG"):
            one.unlink()
        assert [one.fault for one in source.look()] == ["", "文件无法读取（No such file or directory）"]


@pytest.mark.parametrize(
    ("raw", "shown"), [("一班".encode("gb18030"), "一班"), (b"\xff\xffab", b"\xff\xffab".decode("cp437"))]
)
def test_names_packed_on_a_chinese_windows_are_read(tmp_path: Path, raw: bytes, shown: str) -> None:
    path = tmp_path / "照片.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("XXXX.jpg", face(1))
        archive.writestr("三班.jpg", face(2))
    path.write_bytes(path.read_bytes().replace(b"XXXX", raw))
    with open_photos(path) as source:
        assert source.names == (f"{shown}.jpg", "三班.jpg")


@pytest.mark.parametrize("what", ["nothing", "text"])
def test_what_is_no_archive_is_refused(world: World, store: PictureStore, tmp_path: Path, what: str) -> None:
    path = tmp_path / "照片.zip"
    if what == "text":
        path.write_text("no archive", encoding="utf-8")
    words = "ZIP" if what == "text" else "无法读取"
    assert words in reasons(take(world, store, path))[0]


def test_two_files_of_one_name_are_refused(world: World, store: PictureStore, folder: Path) -> None:
    path = zipped(folder)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("XX2611220001.jpg", face(3))
    path.write_bytes(path.read_bytes().replace(b"XX2611220001", world.on_time.ticket_no.encode()))
    assert "两个同名的文件" in take(world, store, path).to_text()


def test_too_many_files_are_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(photo_files, "MOST_FILES", 1)
    with pytest.raises(PhotoSourceError, match="超过 1 个文件"), open_photos(folder):
        pass


def test_a_closed_or_unknown_batch_takes_no_photos(world: World, store: PictureStore, folder: Path) -> None:
    unknown = PhotosRequest(folder, "B1999")
    assert "没有批次“B1999”" in take_photos(world.exam, store, unknown, CLOCK_US).to_text()
    Desk(world).set("update batch set closed_at_us = ?", CLOCK_US)
    assert "已归档" in take(world, store, folder).to_text()


def test_a_disk_that_takes_nothing_leaves_no_row(world: World, store: PictureStore, folder: Path) -> None:
    store.folder.write_bytes(b"no folder")
    assert "照片写不到磁盘" in take(world, store, folder).to_text()
    assert Desk(world).rows("select 1 from file_photo") == []


def test_photos_changed_while_they_are_taken_in_are_not(world: World, folder: Path) -> None:
    class Meddled(PictureStore):
        def write(self, picture: Picture) -> bytes:
            for one in folder.rglob("*.JPG"):
                one.write_bytes(face(9))
            return super().write(picture)

    store = Meddled(world.folder / "check_in", world.vault)
    assert CHANGED_MEANWHILE in take(world, store, folder).to_text()
    assert Desk(world).rows("select 1 from check_in_picture") == []
