"""Which boot of the machine this is, and the ledger's word that a service has started in it."""

from pathlib import Path
from sqlite3 import Connection
from typing import Final

from evidence.ledger import LeafKind, append

_BOOT_ID: Final = Path("/proc/sys/kernel/random/boot_id")


def boot_id() -> str:
    """The kernel's name for this boot: another one after every restart of the machine."""
    return _BOOT_ID.read_text(encoding="ascii").strip()


def record_start(connection: Connection, service: str, now_us: int) -> None:
    """Tells a restart of the service from one of the machine, for ever."""
    append(connection, LeafKind.SERVICE_START, {"service": service, "boot_id": boot_id()}, now_us)
