"""Enrolling the kiosk that runs on this very machine, so that a one-machine site needs no setup.

The token is written once, readable by its owner alone; the kiosk service reads it from there.
"""

import os
from pathlib import Path
from typing import Final

from evidence import kiosks
from web.services import Services

LOCAL_LABEL: Final = "1号签到机"


def ensure_local_kiosk(services: Services) -> None:
    """Give this machine's kiosk a token that the database knows. Does nothing when it has one."""
    if not services.settings.kiosk.enabled:
        return
    path = services.settings.kiosk_token
    if _is_known(services, path):
        return
    with services.exam.write() as connection:
        token = kiosks.enrol(connection, LOCAL_LABEL, None, services.clock.wall_us())
        # Inside the transaction: a token that cannot be written is not enrolled either.
        _write_token(path, token)


def _is_known(services: Services, path: Path) -> bool:
    if not path.exists():
        return False
    token = path.read_text(encoding="ascii", errors="replace").strip()
    with services.exam.read() as connection:
        return kiosks.find_by_token(connection, token) is not None


def _write_token(path: Path, token: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(path.name + ".new")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        os.fchmod(descriptor, 0o600)
        os.write(descriptor, token.encode("ascii") + b"\n")
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    fresh.replace(path)
