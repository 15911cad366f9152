"""Which files an order 立即校验 is about, and how many of them were read since it was given."""

import json
from collections.abc import Collection
from dataclasses import dataclass
from sqlite3 import Connection
from typing import Final

from evidence.fixity_rows import IndexedFile, indexed_file
from evidence.timeline import Interval
from evidence.work_orders import NewOrder, Order, OrderKind, Subject, give_order

# An order without an interval reaches over everything.
EVER: Final = Interval(0, 1 << 62)


@dataclass(frozen=True, slots=True)
class CheckRequest:
    """What somebody wants read now. Without cameras: those of all rooms."""

    label: str
    cameras: Collection[str]
    interval: Interval
    reason: str
    account_id: int


@dataclass(frozen=True, slots=True)
class Ordered:
    """How far an order is. `files`: some of what is next; `left`: what lies on volumes that are away."""

    files: list[IndexedFile]
    total: int
    done: int
    troubles: int
    left: int


_ASKED: Final = (
    " from segment join volume on volume.id = volume_id"
    " left join fixity_result on fixity_result.segment_id = segment.id and checked_at_us >= :since_us"
    " where started_at_us < :until_us and ended_at_us > :from_us"
    " and (:cameras = '[]' or camera_uuid in (select value from json_each(:cameras)))"
    " and not exists (select 1 from disposal where disposal.segment_id = segment.id)"
)


def give_check_order(exam: Connection, asked: CheckRequest, now_us: int) -> int:
    """Write the order down; returns its id."""
    subject: Subject = {
        "label": asked.label,
        "cameras": sorted(asked.cameras),
        "from_us": asked.interval.from_us,
        "until_us": asked.interval.until_us,
    }
    new = NewOrder(OrderKind.FIXITY_CHECK, subject, asked.reason, asked.account_id)
    return give_order(exam, new, now_us)


def ordered_files(connection: Connection, order: Order, volumes: Collection[int], limit: int) -> Ordered:
    """What is still to be read of an order, a few files at a time, and how far it is."""
    facts = {
        "since_us": order.ordered_at_us,
        "from_us": order.subject["from_us"],
        "until_us": min(order.subject["until_us"], order.ordered_at_us),
        "cameras": json.dumps(order.subject["cameras"]),
        "volumes": json.dumps(list(volumes)),
        "limit": limit,
    }
    total, done, troubles = connection.execute(
        f"select count(*), count(result), count(case when result <> 'sound' then 1 end) {_ASKED}", facts
    ).fetchone()
    rows = connection.execute(
        "select segment.id as segment_id, volume_id, volume.path as volume, volume.uuid as volume_uuid,"  # noqa: S608 - our own words
        f" segment.path, size_bytes, sha256 {_ASKED} and result is null"
        " and volume_id in (select value from json_each(:volumes)) order by segment.id limit :limit",
        facts,
    ).fetchall()
    left = 0 if rows else total - done
    return Ordered([indexed_file(row) for row in rows], total, done, troubles, left)
