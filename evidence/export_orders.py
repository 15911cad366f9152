"""Asking for footage to be exported: the rows of exam.db that say who wants what, and why.

An export is also a look at footage: each room gets its row in footage_access in the same transaction.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from sqlite3 import Connection
from typing import Any, Final

from evidence.export_plan import (
    AskedCamera,
    Asker,
    CopyOptions,
    ExportWish,
    RestrictedError,
    shown_interval,
)
from evidence.footage_access import FootageRequest, record_access
from evidence.restrictions import restricted
from evidence.timeline import Interval
from evidence.work_orders import NewOrder, Order, OrderKind, find_order, give_order, orders
from exam.retention import Reach

GB: Final = 10**9


@dataclass(frozen=True, slots=True)
class ExportRequest:
    """What somebody asks for on the console or at the command line."""

    account_id: int
    room_ids: tuple[int, ...]
    camera_uuids: tuple[str, ...]
    interval: Interval
    target: Path
    asker: Asker
    options: CopyOptions


def give_export_order(exam: Connection, wanted: ExportRequest, now_us: int) -> int:
    """Write the order, who takes the footage, and the looks at it; returns the order's id."""
    options = wanted.options
    subject: dict[str, int | str | list[str] | None] = {
        "camera_uuids": list(wanted.camera_uuids),
        "from_us": wanted.interval.from_us,
        "until_us": wanted.interval.until_us,
        "target": str(wanted.target),
        "max_bytes": options.max_bytes,
        "with_play": int(options.with_play),
        "burn_in": int(options.burn_in),
        "read_back": int(options.read_back),
    }
    reason = wanted.asker.reason
    for room_id in wanted.room_ids:
        record_access(exam, FootageRequest(wanted.account_id, room_id, wanted.interval, reason), now_us)
    order_id = give_order(exam, NewOrder(OrderKind.EXPORT, subject, reason, wanted.account_id), now_us)
    exam.execute(
        "insert into export_request (work_order_id, organisation, requested_by, second_person)"
        " values (?, ?, ?, ?)",
        (order_id, wanted.asker.organisation, wanted.asker.name, wanted.asker.second_person),
    )
    return order_id


def read_wish(exam: Connection, order: Order) -> ExportWish:
    """The order in full, as it is carried out."""
    asked = order.subject
    row = exam.execute("select * from export_request where work_order_id = ?", (order.id,)).fetchone()
    site = exam.execute("select code, name from site").fetchone()
    return ExportWish(
        order_id=order.id,
        account_id=order.ordered_by,
        site=f"{site['name']}（{site['code']}）",
        asker=Asker(row["requested_by"], row["organisation"], row["second_person"], order.reason),
        cameras=tuple(_camera(exam, uuid) for uuid in asked["camera_uuids"]),
        interval=Interval(asked["from_us"], asked["until_us"]),
        options=_options(asked),
        target=Path(asked["target"]),
    )


def refuse_restricted(exam: Connection, footage: Connection, wish: ExportWish) -> None:
    """Raises RestrictedError while the processing of any footage in the files asked for is restricted."""
    uuids = [camera.uuid for camera in wish.cameras]
    shown = [(uuid, shown_interval(footage, uuid, wish.interval)) for uuid in uuids]
    if restricted(exam, [Reach(uuid, each.from_us, each.until_us) for uuid, each in shown]):
        raise RestrictedError("所选录像正在限制处理，不得查看和导出。如需使用，须先由两人解除限制。")


def _options(asked: Mapping[str, Any]) -> CopyOptions:
    # Orders that are older than this choice do not have it.
    read_back = bool(asked.get("read_back", True))
    return CopyOptions(asked["max_bytes"], bool(asked["with_play"]), bool(asked["burn_in"]), read_back)


def _camera(exam: Connection, uuid: str) -> AskedCamera:
    row = exam.execute(
        "select room.label as room, camera.label from camera join room on room.id = room_id where uuid = ?",
        (uuid,),
    ).fetchone()
    return AskedCamera(uuid, row["room"], row["label"])


@dataclass(frozen=True, slots=True)
class SiteCamera:
    """A camera that footage can be asked of, retired ones included."""

    uuid: str
    room_id: int
    room: str
    label: str


def site_cameras(exam: Connection) -> list[SiteCamera]:
    """Every camera the site ever had, room by room."""
    rows = exam.execute(
        "select uuid, room_id, room.label as room, camera.label from camera"
        " join room on room.id = room_id order by room.code, camera.id"
    )
    return [SiteCamera(*row) for row in rows]


def find_export(exam: Connection, order_id: int) -> ExportWish | None:
    """The export with this order's id; None when there is none, or the order is of another kind."""
    order = find_order(exam, order_id)
    return None if order is None or order.kind is not OrderKind.EXPORT else read_wish(exam, order)


def export_orders(exam: Connection) -> list[ExportWish]:
    """Every export that was ever ordered, the newest first."""
    return [read_wish(exam, order) for order in reversed(orders(exam, OrderKind.EXPORT))]
