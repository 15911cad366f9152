import stat
from pathlib import Path

import pytest

from evidence.small_files import create_whole


def test_a_file_appears_whole_with_its_rights_and_is_never_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "key"
    create_whole(path, b"secret", 0o400)
    assert path.read_bytes() == b"secret"
    assert stat.S_IMODE(path.stat().st_mode) == 0o400
    with pytest.raises(FileExistsError):
        create_whole(path, b"other", 0o400)
    assert [each.name for each in tmp_path.iterdir()] == ["key"]


def test_what_a_crash_left_of_an_earlier_try_is_no_hindrance(tmp_path: Path) -> None:
    (tmp_path / ".key.draft").write_bytes(b"half of a much longer secret")
    create_whole(tmp_path / "key", b"secret", 0o600)
    assert (tmp_path / "key").read_bytes() == b"secret"
