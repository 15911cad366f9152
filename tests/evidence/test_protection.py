import errno
from pathlib import Path

import pytest

from evidence.database import WriterDatabase
from evidence.naming import PROBE
from evidence.protection import (
    Level,
    can_protect,
    is_immutable,
    level,
    make_immutable,
    make_mutable,
    make_read_only,
)
from evidence.volume_look import Looker, Place
from evidence.volume_rows import VolumeFound, write_volume_states
from tests.evidence.fake_flags import GET, IMMUTABLE, SET, FakeFlags
from tests.evidence.store import FIRST_US


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "file"
    path.write_bytes(b"pictures")
    return path


def test_the_flag_is_set_and_cleared_beside_the_others(file: Path) -> None:
    flags = FakeFlags(value=0x80000)
    assert make_immutable(file, flags)
    assert flags.value == 0x80000 | IMMUTABLE
    assert is_immutable(file, flags)
    assert make_immutable(file, flags)
    assert make_mutable(file, flags)
    assert flags.value == 0x80000


@pytest.mark.parametrize("refusal", [errno.ENOTTY, errno.EPERM, errno.EOPNOTSUPP])
def test_a_file_system_or_service_without_the_flag_is_no_fault(file: Path, refusal: int) -> None:
    flags = FakeFlags(refuses={GET, SET}, refusal=refusal)
    assert not make_immutable(file, flags)
    assert not is_immutable(file, flags)
    assert not can_protect(file.parent, flags)


def test_a_disk_that_fails_is_a_fault(file: Path) -> None:
    flags = FakeFlags(refuses={GET}, refusal=errno.EIO)
    with pytest.raises(OSError, match="refused"):
        make_immutable(file, flags)
    with pytest.raises(OSError, match="refused"):
        is_immutable(file, flags)


def test_a_volume_is_tried_on_its_own_probe_file(tmp_path: Path) -> None:
    flags = FakeFlags()
    assert can_protect(tmp_path, flags)
    assert flags.value == 0
    assert (tmp_path / PROBE).exists()


def test_a_file_that_is_read_only_already_is_left_alone(file: Path) -> None:
    make_read_only(file)
    make_read_only(file)
    assert file.stat().st_mode & 0o777 == 0o444


def test_the_level_is_what_the_recorder_found_and_r0_before_it_looked(tmp_path: Path) -> None:
    database = WriterDatabase(tmp_path / "footage.db", "footage")
    place = Place(tmp_path / "disk", frozenset([tmp_path / "disk"]))
    look = Looker(database).look(place, FIRST_US)
    assert look.volume is not None
    with database.write() as connection:
        assert level(connection, look.volume.id) is Level.DETECT_ONLY
        write_volume_states(connection, [VolumeFound(look, None, FIRST_US)], FIRST_US)
        assert level(connection, look.volume.id) is look.level
    database.close()
