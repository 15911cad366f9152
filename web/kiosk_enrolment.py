"""Enrolling the kiosk that runs on this very machine, so that a one-machine site needs no setup.

The token is written once, readable by its owner alone; the kiosk service reads it from there.
"""

from typing import Final

from evidence import kiosk_enrolments, kiosks
from evidence.kiosk_key import make_key, public_bytes
from evidence.small_files import replace_whole
from web.services import Services

LOCAL_LABEL: Final = "1号签到机"


def ensure_local_kiosk(services: Services) -> None:
    """Give this machine's kiosk a token that the database knows.

    Does nothing when it has one, when it was revoked here, or when it enrolled at another console.
    """
    settings = services.settings
    if not settings.kiosk.enabled or settings.kiosk_place.exists() or _is_known(services):
        return
    key = make_key(settings.kiosk_key)
    with services.exam.write() as connection:
        token = kiosk_enrolments.enrol(
            connection, LOCAL_LABEL, None, services.clock.wall_us(), public_bytes(key)
        )
        # Inside the transaction: a token that cannot be written is not enrolled either.
        replace_whole(settings.kiosk_token, token.encode("ascii") + b"\n", 0o600)


def _is_known(services: Services) -> bool:
    path = services.settings.kiosk_token
    token = path.read_text(encoding="ascii", errors="replace").strip() if path.exists() else ""
    with services.exam.read() as connection:
        return kiosks.find_by_token(connection, token) is not None or kiosks.is_label_revoked(
            connection, LOCAL_LABEL
        )
