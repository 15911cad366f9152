"""What an export puts on a medium, and what it says when something is missing or goes wrong."""

import errno
import json
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import bagit
import pytest

from evidence import bag, bag_verifier
from evidence.bag_verifier import INCOMPLETE, PROVED, REFUSED
from evidence.export import LIST_CSV, LIST_PDF, MadeBag, carry_out, exported_bags
from evidence.export_plan import CopyOptions, ExportError, RestrictedError
from evidence.footage import Cause
from evidence.footage_rows import note_absence
from evidence.ledger import read_leaves
from exam.clock import SECOND_US
from tests.evidence.bags import CAMERA, CAMERA_2, FIRST_US, Archive, open_archive, wish


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    with open_archive(tmp_path) as opened:
        yield opened


def verified(archive: Archive, made: MadeBag) -> int:
    return bag_verifier.main([str(made.path), "--fingerprint", archive.authority.fingerprint])


def verified_by_shell(archive: Archive, made: MadeBag) -> int:
    words = ["sh", str(made.path / "verify.sh"), "--fingerprint", archive.authority.fingerprint]
    return subprocess.run(words, capture_output=True, check=False).returncode


def delivery(made: MadeBag) -> dict[str, object]:
    said: dict[str, object] = json.loads((made.path / "delivery.json").read_bytes())
    return said


def nothing(_done: int, _total: int, _words: str) -> None:
    """Nobody looks at the progress."""


def test_a_bag_is_valid_for_everybody_and_holds_the_archives_own_bytes(archive: Archive) -> None:
    (made,) = archive.export()
    assert made.is_complete
    assert made.segments == 16
    assert (verified(archive, made), verified_by_shell(archive, made)) == (PROVED, PROVED)
    bagit.Bag(str(made.path)).validate()
    originals = {each.name: each.read_bytes() for each in made.path.glob("data/camera-*/*.mp4")}
    kept = [*archive.footage.segments(CAMERA), *archive.footage.segments(CAMERA_2)]
    assert originals == {each.file.name: each.file.read_bytes() for each in kept}


def test_the_copy_of_the_verifier_in_the_bag_needs_nothing_of_ours(archive: Archive) -> None:
    (made,) = archive.export()
    words = [
        "python3",
        "-I",
        "-S",
        str(made.path / "verify.py"),
        "--fingerprint",
        archive.authority.fingerprint,
    ]
    done = subprocess.run(words, capture_output=True, text=True, check=False, cwd="/")
    assert (done.returncode, done.stderr) == (0, "")
    assert "摄像机停止发送画面" in done.stdout


def test_the_bag_says_who_took_it_why_and_what_is_missing(archive: Archive) -> None:
    (made,) = archive.export()
    about = (made.path / "bag-info.txt").read_text()
    for words in ("示例市人力资源和社会保障局 周审", "考生投诉核查", "李强", "R0"):
        assert words in about
    size = sum(each.stat().st_size for each in made.path.glob("data/*/*"))
    assert f"Payload-Oxum: {size}.16\n" in about
    listed = (made.path / LIST_CSV).read_text(encoding="utf-8-sig").splitlines()
    assert len(listed) == 1 + 16
    assert (made.path / LIST_PDF).exists()


def test_every_valid_bag_stands_in_the_register_and_in_the_ledger(archive: Archive) -> None:
    (made,) = archive.export()
    with archive.footage.database.read() as connection:
        (row,) = exported_bags(connection, 12)
        leaf = list(read_leaves(connection))[-1][0]
    assert row["tagmanifest_sha256"].hex() == made.tagmanifest_sha256
    assert row["name"] == made.path.name
    body = json.loads(leaf.body)
    assert (leaf.kind, body["tagmanifest_sha256"], body["account_id"]) == (
        "export",
        made.tagmanifest_sha256,
        3,
    )


def test_a_damaged_file_is_delivered_but_never_silently(archive: Archive) -> None:
    broken = archive.footage.segments()[1].file
    broken.chmod(0o644)
    content = bytearray(broken.read_bytes())
    content[-20] ^= 1
    broken.write_bytes(content)
    (made,) = archive.export()
    assert not made.is_complete
    assert (verified(archive, made), verified_by_shell(archive, made)) == (INCOMPLETE, INCOMPLETE)
    assert "文件已损坏" in (made.path / LIST_CSV).read_text(encoding="utf-8-sig")


def test_sound_that_was_transcoded_is_never_taken_for_the_cameras_own(
    archive: Archive, capsys: pytest.CaptureFixture[str]
) -> None:
    kinds = [("derived", "pcm_alaw"), ("copied", "aac"), ("left_out", ""), ("none", "aac")]
    with archive.footage.database.write() as connection:
        for (kind, codec), segment in zip(kinds, archive.footage.segments(CAMERA), strict=False):
            connection.execute(
                "update fragment_map set sound = ?, sound_codec = ? where segment_id = ?",
                (kind, codec, segment.id),
            )
    (made,) = archive.export()
    cameras: Any = delivery(made)["cameras"]
    said = [(each["sound"], each["sound_codec"]) for each in cameras[0]["segments"]]
    assert said[:4] == kinds
    listed = (made.path / LIST_CSV).read_text(encoding="utf-8-sig")
    for words in ("录制时转码，非摄像机原始数据（pcm_alaw）", "摄像机原声（aac）", ",未录制,", ",无,"):
        assert words in listed
    assert (verified(archive, made), verified_by_shell(archive, made)) == (PROVED, PROVED)
    assert "其中 1 个文件的声音是录制时转码的" in capsys.readouterr().out


def test_a_missing_file_is_named_and_the_rest_is_delivered(archive: Archive) -> None:
    archive.footage.segments()[1].file.unlink()
    (made,) = archive.export()
    assert (made.segments, made.is_complete) == (15, False)
    assert (verified(archive, made), verified_by_shell(archive, made)) == (INCOMPLETE, INCOMPLETE)


def test_a_disposed_file_is_named_with_its_reason(archive: Archive) -> None:
    gone = archive.footage.segments()[1]
    gone.file.unlink()
    with archive.footage.database.write() as connection:
        connection.execute(
            "insert into disposal (segment_id, order_id, plan_id, plan_number, plan_digest, proved_at_us,"
            " decided_at_us, done_at_us) values (?, 1, 1, 'X-1', zeroblob(32), 1, 1, 1)",
            (gone.id,),
        )
    (made,) = archive.export()
    assert verified(archive, made) == INCOMPLETE
    assert "已依规销毁" in (made.path / "delivery.json").read_text()


def test_a_file_that_cannot_be_read_to_its_end_is_damaged() -> None:
    class Failing:
        """A disk that gives one block and then no more."""

        def __init__(self) -> None:
            self.reads = 0

        def readinto(self, block: memoryview) -> int:
            self.reads += 1
            if self.reads > 1:
                raise OSError(errno.EIO, "bad sector")
            block[:3] = b"abc"
            return 3

    failing, block = Failing(), memoryview(bytearray(8))
    assert [bag._read(failing, block), bag._read(failing, block)] == [3, 0]  # type: ignore[arg-type]


def test_time_that_nobody_recorded_is_named(archive: Archive) -> None:
    late = wish(archive, FIRST_US + 20 * SECOND_US, FIRST_US + 40 * SECOND_US)
    (made,) = archive.export(late)
    assert (verified(archive, made), verified_by_shell(archive, made)) == (INCOMPLETE, INCOMPLETE)
    said = delivery(made)["cameras"]
    assert isinstance(said, list)
    assert said[0]["unaccounted"][0]["from_us"] == FIRST_US + 34 * SECOND_US
    assert "没有录像，也没有缺口记录" in said[0]["unaccounted"][0]["words"]


def test_a_gap_that_still_lasts_reaches_to_the_bags_own_time(archive: Archive) -> None:
    ended_us = FIRST_US + 34 * SECOND_US
    with archive.footage.database.write() as connection:
        note_absence(connection, CAMERA, ended_us, Cause.UNREACHABLE, ended_us)
    archive.sign()
    (made,) = archive.export(wish(archive, FIRST_US, FIRST_US + 60 * SECOND_US, cameras=[CAMERA]))
    assert (made.is_complete, verified(archive, made)) == (True, PROVED)
    assert "尚未结束" in (made.path / "delivery.json").read_text()


def test_quarantined_files_of_a_camera_are_named(archive: Archive) -> None:
    with archive.footage.database.write() as connection:
        connection.execute(
            "insert into quarantined_file (volume_id, found_path, path, reason, quarantined_at_us)"
            " values (1, ?, 'quarantine/x', 'no_moov', ?)",
            (f"growing/{CAMERA}_x.mp4", FIRST_US + SECOND_US * 3),
        )
    (made,) = archive.export()
    assert "x (no_moov)" in (made.path / "delivery.json").read_text()


def test_a_size_limit_makes_several_bags_each_valid_alone(archive: Archive) -> None:
    small = CopyOptions(max_bytes=8_000_000 + 6 * 20_000, with_play=False)
    made = archive.export(wish(archive, options=small))
    assert len(made) > 2
    assert [each.path.name[-4:] for each in made][:2] == [f"1of{len(made)}", f"2of{len(made)}"]
    assert {verified(archive, each) for each in made} == {PROVED}
    stretches = [(delivery(each)["from_us"], delivery(each)["until_us"]) for each in made]
    assert [end for _, end in stretches[:-1]] == [begin for begin, _ in stretches[1:]]


def test_a_size_limit_that_no_file_fits_is_refused(archive: Archive) -> None:
    with pytest.raises(ExportError, match="放不下一段录像"):
        archive.export(wish(archive, options=CopyOptions(max_bytes=1000)))
    assert list(archive.target.iterdir()) == []


def test_bags_of_an_order_that_is_made_again_lie_beside_the_first(archive: Archive) -> None:
    names = [archive.export()[0].path.name for _ in range(2)]
    assert names == ["export-12_20261122T090002", "export-12_20261122T090002_2"]


def test_a_folder_that_is_not_there_is_refused(archive: Archive) -> None:
    with pytest.raises(ExportError, match="目标文件夹不存在"):
        archive.export(replace(wish(archive), target=archive.target / "pulled"))


def test_a_medium_too_small_is_refused_before_anything_is_written(archive: Archive) -> None:
    with archive.footage.database.write() as connection:
        connection.execute("drop trigger ledger_leaf_never_changes")
        connection.execute(
            "update ledger_leaf set body = json_set(body, '$.size_bytes', 1000000000000000) where id = 1"
        )
    with pytest.raises(ExportError, match="空间不足"):
        archive.export()
    assert list(archive.target.iterdir()) == []


@pytest.mark.parametrize(
    ("number", "words"),
    [(errno.ENOSPC, "已满"), (errno.EROFS, "只读"), (errno.EIO, "拔出"), (errno.ETXTBSY, "写入目标介质失败")],
)
def test_a_medium_that_fails_half_way_leaves_nothing_valid(archive: Archive, number: int, words: str) -> None:
    copied = 0

    def fail(done: int, _total: int, _words: str) -> None:
        nonlocal copied
        copied = done
        if done > 5000:
            raise OSError(number, "the medium")

    with pytest.raises(ExportError, match=words):
        carry_out(archive.tools, wish(archive), fail)
    (left,) = archive.target.iterdir()
    assert left.name.endswith(".unfinished")
    assert bag_verifier.main([str(left), "--fingerprint", archive.authority.fingerprint]) == REFUSED
    with pytest.raises(bagit.BagError):
        bagit.Bag(str(left)).validate()
    assert archive.footage.count("export_bag") == 0
    assert archive.export()[0].path.name == "export-12_20261122T090002_2"


class FailingMedium:
    """Follows the progress, and turns one bit of a file on the medium once reading back begins."""

    def __init__(self, target: Path) -> None:
        self.target, self.words = target, [""]

    def __call__(self, done: int, total: int, words: str) -> None:
        assert 0 <= done <= total
        if words != self.words[-1]:
            self.words.append(words)
        if "清单" in words:
            film = next(self.target.glob("*.unfinished/data/camera-2/*.mp4"))
            content = bytearray(film.read_bytes())
            content[7] ^= 4
            film.write_bytes(content)


def test_a_medium_that_keeps_something_else_is_found_by_reading_it_back(archive: Archive) -> None:
    medium = FailingMedium(archive.target)
    with pytest.raises(ExportError, match="读回的内容与写入的不一致（data/camera-2/"):
        carry_out(archive.tools, wish(archive), medium)
    assert medium.words == ["", "正在复制并校验", "正在写入证明和清单", "正在从介质读回核对"]
    assert archive.footage.count("export_bag") == 0
    unread = wish(archive, options=CopyOptions(with_play=False, read_back=False))
    (made,) = carry_out(archive.tools, unread, FailingMedium(archive.target))
    assert verified(archive, made) == REFUSED


class Restricted:
    """Two people confirm a restriction at a certain question."""

    def __init__(self, allowed: int) -> None:
        self.allowed = allowed

    def __call__(self) -> None:
        self.allowed -= 1
        if self.allowed < 0:
            raise RestrictedError("正在限制处理。")


def test_footage_restricted_while_it_is_copied_leaves_no_bag_and_no_content(archive: Archive) -> None:
    with pytest.raises(RestrictedError, match=r"^正在限制处理。$"):
        carry_out(replace(archive.tools, require_allowed=Restricted(0)), wish(archive), nothing)
    (left,) = archive.target.iterdir()
    assert left.name.endswith(".unfinished")
    films = list(left.glob("data/camera-*/*.mp4"))
    assert len(films) == 16
    assert {each.read_bytes() for each in films} == {b""}
    assert archive.footage.count("export_bag") == 0
    assert all(each.file.stat().st_size for each in archive.footage.segments(CAMERA))


def test_parts_that_were_finished_before_a_restriction_are_named_to_be_taken_back(archive: Archive) -> None:
    small = CopyOptions(max_bytes=8_000_000 + 6 * 20_000, with_play=False)
    tools = replace(archive.tools, require_allowed=Restricted(1))
    with pytest.raises(RestrictedError, match=r"export-12_20261122T090002_1of.*立即收回"):
        carry_out(tools, wish(archive, options=small), nothing)
    assert archive.footage.count("export_bag") == 1


def test_a_list_that_cannot_be_laid_out_fails_the_export(archive: Archive) -> None:
    def jammed(_page: str) -> bytes:
        raise subprocess.CalledProcessError(1, "printer")

    with pytest.raises(ExportError, match="排版失败"):
        carry_out(replace(archive.tools, print_page=jammed), wish(archive), nothing)


@pytest.mark.parametrize(("kind", "words"), [("segment", "录像片段"), ("gap_end", "录像缺口")])
def test_a_fact_without_its_leaf_is_not_exported(archive: Archive, kind: str, words: str) -> None:
    with archive.footage.database.write() as connection:
        connection.execute("drop trigger ledger_leaf_never_changes")
        connection.execute(
            "update ledger_leaf set kind = 'clock_step' where kind in (?, 'gap_open')", (kind,)
        )
    with pytest.raises(ExportError, match=words):
        archive.export()
