from pathlib import Path

from evidence.stream_format import look_for_other_format
from tests.evidence.recorded import box, words

PICTURE = b"\x65" * 40
OLD = b"\x67\x64\x00\x1f old"
NEW = b"\x67\x64\x00\x28 new"


def mdat(*units: bytes) -> bytes:
    return box("mdat", *(words(len(unit)) + unit for unit in units))


def growing(tmp_path: Path, *fragments: bytes) -> Path:
    path = tmp_path / "growing.mp4"
    path.write_bytes(
        box("ftyp") + box("moov", OLD) + b"".join(box("moof") + fragment for fragment in fragments)
    )
    return path


def test_a_camera_that_repeats_its_parameters_has_not_changed(tmp_path: Path) -> None:
    path = growing(tmp_path, mdat(OLD, b"\x68pps", PICTURE), mdat(PICTURE))
    assert look_for_other_format(path, 0) == (False, path.stat().st_size)


def test_other_parameters_before_a_picture_are_noticed(tmp_path: Path) -> None:
    path = growing(tmp_path, mdat(OLD, PICTURE), mdat(b"\x06sei", NEW, PICTURE))
    assert look_for_other_format(path, 0)[0]


def test_other_parameters_of_h265_are_noticed_too(tmp_path: Path) -> None:
    old, new, picture = b"\x42\x01 old", b"\x42\x01 new", b"\x26\x01" + b"\x65" * 40
    for sent, has_changed in ((old, False), (new, True)):
        path = tmp_path / "growing.mp4"
        described = box("ftyp") + box("moov", box("hvcC", old))
        path.write_bytes(described + box("moof") + mdat(b"\x40\x01 vps", sent, picture, new))
        assert look_for_other_format(path, 0)[0] is has_changed


def test_what_was_looked_at_is_not_looked_at_again(tmp_path: Path) -> None:
    path = growing(tmp_path, mdat(NEW, PICTURE))
    changed, until = look_for_other_format(path, 0)
    assert changed
    assert look_for_other_format(path, until) == (False, until)
    with path.open("ab") as opened:
        opened.write(box("moof") + mdat(NEW))
    assert look_for_other_format(path, until) == (True, path.stat().st_size)


def test_a_file_without_a_description_describes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "growing.mp4"
    path.write_bytes(mdat(OLD, PICTURE))
    assert look_for_other_format(path, 0)[0]


def test_a_file_that_has_been_moved_or_holds_nothing_says_nothing(tmp_path: Path) -> None:
    assert look_for_other_format(tmp_path / "moved", 7) == (False, 7)
    assert look_for_other_format(growing(tmp_path), 0) == (False, 0)
