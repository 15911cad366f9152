"""The secret of a kiosk's roster packages on the server, and what a kiosk keeps of ours on its own disk.

A kiosk's file holds what opens its packages; whoever deletes it has wiped the kiosk. It is readable by its
owner alone, and is written anew whenever the console made another secret.
"""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from sqlite3 import Connection
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from evidence.roster_boxes import KEY_BYTES, PackageError, Secrets, WrongKeyError, from_text, to_text
from evidence.small_files import replace_whole
from evidence.stretched_numbers import Stretcher
from evidence.stretching import Cost
from evidence.vault import Vault

SIGNING: Final = "kiosk/signing/1"
TICKET_PROOF: Final = "ticket/proof/1"
_CIPHER: Final = "kiosk secret"


@dataclass(frozen=True, slots=True)
class KioskSecrets:
    """What a kiosk needs to open and to believe what we send."""

    kiosk_uuid: str
    # Names the package secret: packages say which one opens them.
    secret_id: int
    package: Secrets
    stretcher: Stretcher
    # Ed25519, raw: the site's key that signs packages and tickets.
    verify_key: bytes
    # Known to kiosks only: makes the proof of the ID number on signed tickets.
    ticket_proof: bytes

    def to_dict(self) -> dict[str, Any]:
        """As it goes over TLS to the kiosk, and into its file."""
        return {
            "kiosk": self.kiosk_uuid,
            "secret": self.secret_id,
            "package_secret": to_text(self.package.secret),
            "stretch": {"salt": to_text(self.stretcher.salt), **self.stretcher.cost.to_dict()},
            "verify_key": to_text(self.verify_key),
            "ticket_proof": to_text(self.ticket_proof),
        }

    def write(self, path: Path) -> None:
        """Keep them on the kiosk, for its own account alone."""
        replace_whole(path, json.dumps(self.to_dict()).encode(), 0o600)


def signing_key(vault: Vault) -> Ed25519PrivateKey:
    """The site's key that signs roster packages and tickets; it follows from the site key."""
    return Ed25519PrivateKey.from_private_bytes(vault.secret(SIGNING))


def verify_key(vault: Vault) -> bytes:
    """Its public half, raw."""
    return signing_key(vault).public_key().public_bytes_raw()


def renew_secret(connection: Connection, vault: Vault, kiosk_id: int, now_us: int) -> None:
    """Another package secret: what the kiosk held so far opens no later package."""
    connection.execute(
        "insert into kiosk_secret (kiosk_id, secret_cipher, made_at_us) values (?, ?, ?)",
        (kiosk_id, vault.encrypt(os.urandom(KEY_BYTES).hex(), _CIPHER), now_us),
    )


def secrets_of(connection: Connection, vault: Vault, kiosk_id: int) -> KioskSecrets | None:
    """What the kiosk needs now; None before its first secret was made."""
    row = connection.execute(
        "select kiosk_secret.id, secret_cipher, uuid from kiosk_secret join kiosk on kiosk.id = kiosk_id"
        " where kiosk_id = ? order by kiosk_secret.id desc limit 1",
        (kiosk_id,),
    ).fetchone()
    if row is None:
        return None
    return KioskSecrets(
        kiosk_uuid=row["uuid"],
        secret_id=row["id"],
        package=Secrets(bytes.fromhex(vault.decrypt(row["secret_cipher"], _CIPHER))),
        stretcher=Stretcher.of(vault),
        verify_key=verify_key(vault),
        ticket_proof=vault.secret(TICKET_PROOF),
    )


def check_head(told: Mapping[str, Any], wanted_format: int, keys: KioskSecrets) -> None:
    """Refuse what was made for somebody else. Raises PackageError: damaged, other_kiosk, other_secret."""
    if told.get("format") != wanted_format:
        raise PackageError("damaged")
    if told.get("kiosk") != keys.kiosk_uuid:
        raise PackageError("other_kiosk")
    if told.get("secret") != keys.secret_id:
        raise PackageError("other_secret")


def read_secrets(told: dict[str, Any]) -> KioskSecrets:
    """What the console sent, or the file held. Raises PackageError: damaged."""
    try:
        stretching = told["stretch"]
        cost = Cost(stretching["n"], stretching["r"], stretching["p"])
        return KioskSecrets(
            kiosk_uuid=told["kiosk"],
            secret_id=told["secret"],
            package=Secrets(from_text(told["package_secret"])),
            stretcher=Stretcher(from_text(stretching["salt"]), cost),
            verify_key=from_text(told["verify_key"]),
            ticket_proof=from_text(told["ticket_proof"]),
        )
    except (KeyError, TypeError, WrongKeyError) as error:
        raise PackageError("damaged") from error


def load_secrets(path: Path) -> KioskSecrets:
    """The kiosk's own file. Raises PackageError: damaged, also when it is missing."""
    try:
        told = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise PackageError("damaged") from error
    if not isinstance(told, dict):
        raise PackageError("damaged")
    return read_secrets(told)
