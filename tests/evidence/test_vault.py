"""The site key and what it protects."""

from pathlib import Path

import pytest

from evidence.vault import Vault, VaultError


def test_the_key_is_made_at_first_start_and_read_afterwards(tmp_path: Path) -> None:
    first = Vault.open(tmp_path / "keys" / "site.key")
    cipher = first.encrypt("秘密", "id_number")
    assert Vault.open(tmp_path / "keys" / "site.key").decrypt(cipher, "id_number") == "秘密"
    assert (tmp_path / "keys" / "site.key").stat().st_mode & 0o777 == 0o600


def test_two_sites_have_two_keys(tmp_path: Path) -> None:
    one = Vault.open(tmp_path / "one.key")
    other = Vault.open(tmp_path / "other.key")
    assert one.index("11010119900307001X") != other.index("11010119900307001X")
    with pytest.raises(VaultError, match="does not belong"):
        other.decrypt(one.encrypt("x", "id_number"), "id_number")


def test_equal_numbers_have_equal_indexes_but_different_ciphertexts(tmp_path: Path) -> None:
    vault = Vault.open(tmp_path / "site.key")
    assert vault.index("A") == vault.index("A")
    assert len(vault.index("A")) == 32
    assert vault.encrypt("A", "id_number") != vault.encrypt("A", "id_number")


def test_a_ciphertext_cannot_be_used_for_another_purpose(tmp_path: Path) -> None:
    vault = Vault.open(tmp_path / "site.key")
    with pytest.raises(VaultError, match="camera_password"):
        vault.decrypt(vault.encrypt("A", "id_number"), "camera_password")


def test_a_key_others_can_read_is_refused(tmp_path: Path) -> None:
    Vault.open(tmp_path / "site.key")
    (tmp_path / "site.key").chmod(0o644)
    with pytest.raises(VaultError, match="chmod 600"):
        Vault.open(tmp_path / "site.key")


def test_a_damaged_key_is_refused(tmp_path: Path) -> None:
    key = tmp_path / "site.key"
    key.write_bytes(b"short")
    key.chmod(0o600)
    with pytest.raises(VaultError, match="5 bytes"):
        Vault.open(key)


def test_a_lost_key_is_not_replaced_by_one_that_fits_nothing(tmp_path: Path) -> None:
    key, database = tmp_path / "keys" / "site.key", tmp_path / "exam.db"
    Vault.open(key, database)
    database.touch()
    Vault.open(key, database)
    key.unlink()
    with pytest.raises(VaultError, match=r"site\.key is missing, but .*exam\.db needs it"):
        Vault.open(key, database)
    assert not key.exists()


def test_secrets_follow_from_the_site_key_and_their_purpose() -> None:
    one = Vault(b"a" * 32)
    assert one.secret("signing") == Vault(b"a" * 32).secret("signing")
    assert len({one.secret("signing"), one.secret("tickets"), Vault(b"b" * 32).secret("signing")}) == 3
    assert len(one.secret("signing")) == 32


def test_bytes_of_any_kind_are_kept_and_are_not_taken_for_text(tmp_path: Path) -> None:
    vault = Vault.open(tmp_path / "site.key")
    cipher = vault.encrypt_bytes(b"\xff\x00", "check_in_picture")
    assert vault.decrypt_bytes(cipher, "check_in_picture") == b"\xff\x00"
    with pytest.raises(VaultError, match="holds no text"):
        vault.decrypt(cipher, "check_in_picture")
    with pytest.raises(VaultError, match="does not belong"):
        vault.decrypt_bytes(cipher, "id_number")
