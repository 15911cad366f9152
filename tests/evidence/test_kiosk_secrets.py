"""What a kiosk keeps of ours, and where it comes from."""

import json
from pathlib import Path

import pytest

from evidence.kiosk_secrets import (
    load_secrets,
    read_secrets,
    renew_secret,
    secrets_of,
    signing_key,
    verify_key,
)
from evidence.roster_boxes import PackageError, Secrets
from tests.evidence.rostered import secrets_for
from tests.world import CLOCK_US, World


def test_a_kiosk_without_a_secret_has_none_and_a_new_one_replaces_the_old(world: World) -> None:
    with world.exam.write() as connection:
        assert secrets_of(connection, world.vault, world.kiosk_id) is None
        found = []
        for _ in range(2):
            renew_secret(connection, world.vault, world.kiosk_id, CLOCK_US)
            found.append(secrets_of(connection, world.vault, world.kiosk_id))
        first, second = found
        kept = [bytes(row[0]) for row in connection.execute("select secret_cipher from kiosk_secret")]
    assert first is not None
    assert second is not None
    assert (first.secret_id, second.secret_id) == (1, 2)
    assert first.package != second.package
    assert all(first.package.secret not in one for one in kept)


def test_they_survive_the_kiosks_own_file_which_only_its_owner_reads(world: World, tmp_path: Path) -> None:
    keys = secrets_for(world)
    keys.write(tmp_path / "kiosk.secrets")
    assert load_secrets(tmp_path / "kiosk.secrets") == keys
    assert (tmp_path / "kiosk.secrets").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("content", [None, b"", b"[]", b"{}", b"\xff"])
def test_a_file_that_is_none_is_damaged(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "kiosk.secrets"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(PackageError, match="damaged"):
        load_secrets(path)


@pytest.mark.parametrize("field", ["stretch", "package_secret", "verify_key"])
def test_secrets_with_a_broken_part_are_damaged(world: World, field: str) -> None:
    told = json.loads(json.dumps(secrets_for(world).to_dict()))
    with pytest.raises(PackageError, match="damaged"):
        read_secrets({**told, field: "!!" if field != "stretch" else None})


def test_the_sites_signature_is_known_by_its_public_half(world: World) -> None:
    assert signing_key(world.vault).public_key().public_bytes_raw() == verify_key(world.vault)


def test_every_purpose_has_its_own_key() -> None:
    secrets = Secrets(b"s" * 32)
    keys = {
        secrets.card_key(b"n"),
        secrets.name_key(b"n", b""),
        secrets.day_key(),
        Secrets(b"t" * 32).card_key(b"n"),
    }
    assert len(keys) == 4
    assert secrets.card_tag(b"n") != secrets.name_tag(b"n", b"")
