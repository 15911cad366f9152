"""An export that is asked for at the command line: the same checks and rows as on the console.

The command takes the plea to the database itself while the console is stopped, and to the console's local
socket while it runs.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from datetime import datetime
from pathlib import Path
from sqlite3 import Connection
from typing import Any, Final

from evidence import accounts
from evidence.database import WriterDatabase
from evidence.export_orders import GB, ExportRequest, SiteCamera, give_export_order, site_cameras
from evidence.export_plan import Asker, CopyOptions, ExportError
from evidence.timeline import Interval
from exam.clock import SITE_ZONE, to_us

MAY_EXPORT: Final = frozenset({"supervisor", "site_lead"})


@dataclass(frozen=True, slots=True)
class Plea:
    """What somebody asks for, in their own words: labels of rooms and cameras, times of the site."""

    account: str
    password: str = field(repr=False)
    rooms: list[str]
    cameras: list[str]
    begin: str
    end: str
    target: str
    organisation: str
    reason: str
    second_person: str = ""
    max_gb: int | None = None
    with_play: bool = True
    burn_in: bool = False
    read_back: bool = True

    def packed(self) -> dict[str, Any]:
        """As it goes over the socket."""
        return asdict(self)

    @staticmethod
    def unpacked(packed: Mapping[str, Any]) -> "Plea":
        """What came over the socket. Raises KeyError and TypeError for anything else."""
        return Plea(**{each.name: packed[each.name] for each in fields(Plea)})


def order_export(exam: WriterDatabase, plea: Plea, now_us: int) -> int:
    """Check who asks, and write the order; returns its id. Raises ExportError with words for the person."""
    with exam.read() as connection:
        account = _account(connection, plea)
        wanted = _request(connection, plea, account)
    with exam.write() as connection:
        return give_export_order(connection, wanted, now_us)


def _account(exam: Connection, plea: Plea) -> accounts.Account:
    account_id = accounts.proven_account(exam, plea.account, plea.password)
    if account_id is None:
        raise ExportError("登录名或密码不正确。")
    account = accounts.load_account(exam, account_id)
    if account is None or not account.roles & MAY_EXPORT:
        raise ExportError("您的账户没有导出录像的权限。")
    return account


def _request(exam: Connection, plea: Plea, account: accounts.Account) -> ExportRequest:
    cameras = [camera for camera in site_cameras(exam) if _is_asked(camera, plea)]
    if not cameras:
        raise ExportError("没有这个考场或摄像机。")
    if not (plea.organisation.strip() and plea.reason.strip()):
        raise ExportError("请填写调取人员的单位和事由。")
    if plea.max_gb is not None and plea.max_gb < 1:
        raise ExportError("每个介质的容量请填写正整数（GB）。")
    interval = Interval(_moment_us(plea.begin), _moment_us(plea.end))
    if interval.until_us <= interval.from_us:
        raise ExportError("结束时间应晚于开始时间。")
    return ExportRequest(
        account_id=account.id,
        room_ids=tuple(sorted({camera.room_id for camera in cameras})),
        camera_uuids=tuple(camera.uuid for camera in cameras),
        interval=interval,
        target=Path(plea.target),
        asker=Asker(account.display_name, plea.organisation, plea.second_person, plea.reason),
        options=CopyOptions(
            max_bytes=plea.max_gb * GB if plea.max_gb else None,
            with_play=plea.with_play,
            burn_in=plea.burn_in,
            read_back=plea.read_back,
        ),
    )


def _is_asked(camera: SiteCamera, plea: Plea) -> bool:
    return camera.room in plea.rooms and (not plea.cameras or camera.label in plea.cameras)


def _moment_us(text: str) -> int:
    try:
        return to_us(datetime.fromisoformat(text).replace(tzinfo=SITE_ZONE))
    except ValueError as error:
        raise ExportError(f"时间写法不对：{text}；请写作 2026-11-22 09:00:00") from error
