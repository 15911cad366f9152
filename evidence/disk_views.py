"""Every volume and every mirror there ever was, as people decide about them: lost, given up, or in use."""

from dataclasses import dataclass
from pathlib import Path
from sqlite3 import Connection

from evidence.mirror import mirror_state
from evidence.volume_restore import Holdings, holdings
from evidence.volume_rows import volume_states
from evidence.work_orders import NewOrder, OrderKind, Subject, give_order


@dataclass(frozen=True, slots=True)
class VolumeView:
    """A volume by its identity. `is_there` as the recorder last found it; `is_lost` once an order said so."""

    id: int
    uuid: str
    path: str
    held: Holdings
    is_there: bool
    is_lost: bool

    @property
    def name(self) -> str:
        """How people tell it from another one in the same folder."""
        return f"{self.path}（{self.uuid[:8]}）"


@dataclass(frozen=True, slots=True)
class MirrorView:
    """A mirror by its identity, and how many kept files have a copy there."""

    id: int
    uuid: str
    path: str
    copies: int
    is_there: bool


@dataclass(frozen=True, slots=True)
class RestoreRequest:
    """What the site lead orders: the footage of one volume to be brought from its mirror onto another one."""

    lost: VolumeView
    target: VolumeView
    reason: str
    account_id: int


def volume_views(footage: Connection) -> list[VolumeView]:
    """Every volume, in the order in which they were first seen."""
    there = {each.volume_id for each in volume_states(footage) if each.volume_id is not None}
    rows = footage.execute(
        "select id, uuid, path, exists (select 1 from volume_loss where volume_id = volume.id) as is_lost"
        " from volume order by id"
    ).fetchall()
    return [
        VolumeView(
            row["id"],
            row["uuid"],
            row["path"],
            holdings(footage, row["id"]),
            is_there=row["id"] in there,
            is_lost=bool(row["is_lost"]),
        )
        for row in rows
    ]


def mirror_views(footage: Connection) -> list[MirrorView]:
    """Every mirror, in the order in which they were first seen."""
    state = mirror_state(footage)
    current = None if state is None else state.mirror_id
    rows = footage.execute(
        "select id, uuid, path, (select count(*) from mirror_copy where mirror_id = mirror.id"
        "  and verified_at_us is not null"
        "  and not exists (select 1 from disposal where segment_id = mirror_copy.segment_id)) as copies"
        " from mirror order by id"
    ).fetchall()
    return [
        MirrorView(row["id"], row["uuid"], row["path"], row["copies"], row["id"] == current) for row in rows
    ]


def give_restore_order(exam: Connection, asked: RestoreRequest, now_us: int) -> int:
    """Write the order down; returns its id."""
    subject: Subject = {
        "volume_uuid": asked.lost.uuid,
        "target_uuid": asked.target.uuid,
        "label": f"{Path(asked.lost.path).name} → {Path(asked.target.path).name}",
    }
    new = NewOrder(OrderKind.VOLUME_RESTORE, subject, asked.reason, asked.account_id)
    return give_order(exam, new, now_us)
