"""The cameras to record, as the site plan in exam.db names them."""

from dataclasses import dataclass, field
from sqlite3 import Connection, Row
from typing import Final

from evidence.vault import Vault, VaultError

PASSWORD_PURPOSE: Final = "camera_password"  # noqa: S105 - the name of a purpose, not a secret


@dataclass(frozen=True, slots=True)
class CameraSource:
    """One camera in service. The password never shows in a repr, and so in no log."""

    uuid: str
    room_id: int
    label: str
    address: str
    username: str = ""
    password: str = field(default="", repr=False)
    # Its password does not belong to this site key: it is asked without a login, and refuses.
    is_locked: bool = False


def load_camera_sources(connection: Connection, vault: Vault) -> list[CameraSource]:
    """Every camera that is not retired, in the order of their rooms.

    A password that cannot be decrypted hinders no other camera, and its own is told like a wrong password.
    """
    rows = connection.execute(
        "select camera.uuid, room_id, camera.label, address, username, password_cipher from camera"
        " join room on room.id = room_id where retired_at_us is null order by room.code, camera.label"
    )
    return [_source(row, vault) for row in rows]


def is_locked(connection: Connection, vault: Vault, uuid: str) -> bool:
    """Whether nobody can read the camera's password any more: the site plan must be read in anew."""
    row = connection.execute("select password_cipher from camera where uuid = ?", (uuid,)).fetchone()
    return row is not None and _password(row[0], vault) is None


def _source(row: Row, vault: Vault) -> CameraSource:
    uuid, room_id, label, address, username, cipher = row
    password = _password(cipher, vault)
    if password is None:
        return CameraSource(uuid, room_id, label, address, is_locked=True)
    return CameraSource(uuid, room_id, label, address, username, password)


def _password(cipher: bytes | None, vault: Vault) -> str | None:
    try:
        return "" if cipher is None else vault.decrypt(cipher, PASSWORD_PURPOSE)
    except VaultError:
        return None
