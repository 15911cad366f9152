"""The kiosk's own key file."""

from pathlib import Path

import pytest

from evidence.kiosk_enrolments import is_signed
from evidence.kiosk_key import KioskKeyError, load_key, make_key, public_bytes


def test_a_key_is_read_again_and_only_its_owner_may(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "kiosk.key"
    made = make_key(path)
    assert public_bytes(load_key(path)) == public_bytes(made)
    assert path.stat().st_mode & 0o777 == 0o600
    assert is_signed(public_bytes(made), load_key(path).sign(b"words"), b"words")


def test_another_key_replaces_the_first(tmp_path: Path) -> None:
    path = tmp_path / "kiosk.key"
    first, second = make_key(path), make_key(path)
    assert public_bytes(load_key(path)) == public_bytes(second) != public_bytes(first)


@pytest.mark.parametrize("content", [None, b"", b"short"])
def test_a_key_that_is_none_is_said(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "kiosk.key"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(KioskKeyError, match="enrol it again"):
        load_key(path)
