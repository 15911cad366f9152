"""The cameras to record, as the site plan in exam.db names them."""

from dataclasses import dataclass, field
from sqlite3 import Connection
from typing import Final

from evidence.vault import Vault

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


def load_camera_sources(connection: Connection, vault: Vault) -> list[CameraSource]:
    """Every camera that is not retired, in the order of their rooms."""
    rows = connection.execute(
        "select camera.uuid, room_id, camera.label, address, username, password_cipher from camera"
        " join room on room.id = room_id where retired_at_us is null order by room.code, camera.label"
    )
    return [
        CameraSource(
            uuid=row[0],
            room_id=row[1],
            label=row[2],
            address=row[3],
            username=row[4],
            password="" if row[5] is None else vault.decrypt(row[5], PASSWORD_PURPOSE),
        )
        for row in rows
    ]
