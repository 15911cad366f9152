"""Brings the photos and signatures of a scan to the console, before the scan that names them."""

from typing import Final

import structlog

from evidence.kiosk_outbox import Outbox
from kiosk.console import Console, ConsoleRefusedError

UNOPENED: Final = "签到机的待上传密钥已更换，这张图片打不开；请把数据文件夹交给系统管理员。"
NOT_TAKEN: Final = "控制台不接受这张图片；请把数据文件夹交给系统管理员。"

_log: Final = structlog.get_logger("kiosk")


def bring_pictures(console: Console, outbox: Outbox, nonce: str) -> None:
    """Send what the console does not have; one that it refuses is set aside, and its scan goes on without.

    Raises ConsoleUnreachableError and ConsoleRevokedError: then everything left waits.
    """
    for picture in outbox.pictures_of(nonce):
        if picture.content is None:
            outbox.set_picture_aside(picture.sha256_hex, UNOPENED)
            continue
        try:
            console.picture(picture.kind, picture.sha256_hex, picture.media_type, picture.content)
        except ConsoleRefusedError as error:
            _log.warning("picture needs a person", nonce=nonce, reason=str(error))
            outbox.set_picture_aside(picture.sha256_hex, NOT_TAKEN)
        else:
            outbox.picture_delivered(picture.sha256_hex)
