"""Takes a site plan into the database: all or nothing, and the same plan twice changes nothing.

Rows are recognised by what people call them (room code, place label, camera label in its room,
badge, session code), so a camera keeps its uuid, and with it its footage, whatever else changes.
Whatever the day already depends on is not taken away: an occupied place, a session with
candidates or signals. Run it inside one write transaction; an exception must undo it.
"""

import uuid
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from sqlite3 import Connection, IntegrityError
from typing import Final

from evidence.floor_maps import FloorMap, drop_unused_maps, keep_map
from evidence.site_plan import RoomTable, SessionTable, SitePlan, SitePlanError, read_maps, read_site_plan
from evidence.vault import Vault
from exam.procedure import Procedure

CAMERA_PASSWORD: Final = "camera_password"  # noqa: S105 - the purpose of a ciphertext, not a password
TABLE_WORDS: Final = {
    "site": "考点",
    "room": "考室",
    "place": "座位/工位",
    "camera": "摄像机",
    "staff": "工作人员",
    "batch": "批次",
    "session": "场次",
    "session_room": "场次考室",
    "duty": "岗位",
    "room_map": "平面图",
}
# Moves a place out of the way while its neighbours change cells; far beyond any real grid.
ASIDE_ROWS: Final = 100_000


@dataclass
class SiteReport:
    """What an import changed, by table."""

    source: str
    added: Counter[str] = field(default_factory=Counter)
    changed: Counter[str] = field(default_factory=Counter)
    removed: Counter[str] = field(default_factory=Counter)
    # Rooms and people no longer in the file that records still name.
    kept: list[str] = field(default_factory=list)

    @property
    def is_unchanged(self) -> bool:
        """Whether the database was already as the file says."""
        return not (self.added.total() or self.changed.total() or self.removed.total())

    def to_text(self) -> str:
        """The report for people."""
        if self.is_unchanged:
            lines = [f"考点安排 {self.source}：与现有安排一致，没有变化。"]
        else:
            lines = [f"考点安排 {self.source} 已导入："]
            lines += [
                f"  {words}：新增 {self.added[table]}，修改 {self.changed[table]}，删除 {self.removed[table]}"
                for table, words in TABLE_WORDS.items()
                if self.added[table] or self.changed[table] or self.removed[table]
            ]
        lines += [f"  {words}不在文件中，因已有记录而保留" for words in self.kept]
        return "\n".join(lines)


def import_site(
    connection: Connection, vault: Vault, path: Path, procedures: Mapping[str, Procedure], now_us: int
) -> SiteReport:
    """Make the database say what the file says. Raises SitePlanError with every fault."""
    plan = read_site_plan(path, procedures)
    maps, faults = read_maps(plan, path.parent)
    keeper = _Keeper(connection, vault, SiteReport(path.name), now_us, maps, faults)
    keeper.take_in(plan)
    if keeper.faults:
        raise SitePlanError(str(path), keeper.faults)
    return keeper.report


@dataclass
class _Keeper:
    connection: Connection
    vault: Vault
    report: SiteReport
    now_us: int
    # The pictures that the plan names, by name.
    maps: Mapping[str, FloorMap]
    faults: list[str] = field(default_factory=list)

    def take_in(self, plan: SitePlan) -> None:
        self._take_site(plan)
        rooms = self._take_rooms(plan)
        staff = {
            person.badge: self._keep("staff", {"badge_no": person.badge}, {"name": person.name})
            for person in plan.staff
        }
        batch_id = self._keep(
            "batch",
            {"code": plan.batch.code},
            {"name": plan.batch.name, "occupation": plan.batch.occupation, "level": plan.batch.level},
        )
        sessions = {
            session.code: self._take_session(batch_id, session, rooms, staff) for session in plan.sessions
        }
        self._drop_sessions(batch_id, set(sessions.values()))
        self._drop_rooms(set(rooms.values()))
        self._drop_staff(set(staff.values()))

    def _keep(
        self,
        table: str,
        key: Mapping[str, object],
        values: Mapping[str, object],
        new: Mapping[str, object] | None = None,
    ) -> int:
        """The row's id, inserted (with `new` added) or brought up to date."""
        where = " and ".join(f"{name} = ?" for name in key)
        asked = f"select * from {table} where {where}"  # noqa: S608 - names are written below, values bound
        row = self.connection.execute(asked, tuple(key.values())).fetchone()
        if row is None:
            self.report.added[table] += 1
            every = {**key, **values, **(new or {})}
            marks = ", ".join("?" * len(every))
            added = f"insert into {table} ({', '.join(every)}) values ({marks}) returning id"  # noqa: S608 - as above
            return int(self.connection.execute(added, tuple(every.values())).fetchone()["id"])
        differing = {name: value for name, value in values.items() if row[name] != value}
        if differing:
            self.report.changed[table] += 1
            assignments = ", ".join(f"{name} = ?" for name in differing)
            changed = f"update {table} set {assignments} where id = ?"  # noqa: S608 - as above
            self.connection.execute(changed, (*differing.values(), row["id"]))
        return int(row["id"])

    def _delete(self, table: str, row_id: int) -> bool:
        """Whether the row could go: nothing refers to it."""
        try:
            self.connection.execute(f"delete from {table} where id = ?", (row_id,))  # noqa: S608 - as above
        except IntegrityError:
            return False
        self.report.removed[table] += 1
        return True

    def _take_site(self, plan: SitePlan) -> None:
        self._keep(
            "site",
            {"id": 1},
            {"code": plan.site.code, "name": plan.site.name, "address": plan.site.address},
            {"uuid": str(uuid.uuid4()), "created_at_us": self.now_us},
        )

    def _take_rooms(self, plan: SitePlan) -> dict[str, int]:
        self._refuse_borrowed_labels(plan)
        for room in plan.rooms:  # two rooms may swap labels, which are unique
            self.connection.execute(
                "update room set label = '~' || code where code = ? and label <> ?", (room.code, room.label)
            )
        rooms = {}
        for room in plan.rooms:
            values = {"label": room.label, "kind": room.kind.value, "directions": room.directions}
            rooms[room.code] = self._keep("room", {"code": room.code}, values)
            self._take_places(rooms[room.code], room)
            self._take_cameras(rooms[room.code], room)
            self._take_map(rooms[room.code], room)
        drop_unused_maps(self.connection)
        return rooms

    def _take_map(self, room_id: int, room: RoomTable) -> None:
        floor = self.maps.get(room.map or "")
        if floor is None:
            self._drop_map(room_id)
            return
        at_x, at_y = (None if room.map_at is None else round(10 * room.map_at[axis]) for axis in (0, 1))
        map_id = keep_map(self.connection, floor)
        self._keep("room_map", {"room_id": room_id}, {"map_id": map_id, "at_x": at_x, "at_y": at_y})

    def _drop_map(self, room_id: int) -> None:
        cursor = self.connection.execute("delete from room_map where room_id = ?", (room_id,))
        self.report.removed["room_map"] += cursor.rowcount

    def _refuse_borrowed_labels(self, plan: SitePlan) -> None:
        # A room that left the file keeps its records, and its label with them.
        codes = {room.code for room in plan.rooms}
        labels = {room.label for room in plan.rooms}
        borrowed = [
            f"考室名称“{row['label']}”已属于编号“{row['code']}”的考室，请沿用原编号"
            for row in self.connection.execute("select code, label from room order by code")
            if row["label"] in labels and row["code"] not in codes
        ]
        if borrowed:
            raise SitePlanError(self.report.source, [*self.faults, *borrowed])

    def _take_places(self, room_id: int, room: RoomTable) -> None:
        cells = room.places.cells() if room.places else {}
        for row in self.connection.execute("select * from place where room_id = ?", (room_id,)).fetchall():
            if row["label"] not in cells:
                if not self._delete("place", row["id"]):
                    self.faults.append(f"考室“{room.code}”：{row['label']}号已安排考生，不能取消")
            elif cells[row["label"]] != (row["grid_row"], row["grid_col"]):
                self.connection.execute(
                    "update place set grid_row = grid_row + ? where id = ?", (ASIDE_ROWS, row["id"])
                )
        for label, (grid_row, grid_col) in cells.items():
            values = {"kind": room.place_kind.value, "grid_row": grid_row, "grid_col": grid_col}
            self._keep("place", {"room_id": room_id, "label": label}, values)

    def _take_cameras(self, room_id: int, room: RoomTable) -> None:
        stored = {
            row["label"]: row
            for row in self.connection.execute("select * from camera where room_id = ?", (room_id,))
        }
        for camera in room.cameras:
            old = stored.pop(camera.label, None)
            cipher = self._password_cipher(old["password_cipher"] if old else None, camera.password)
            self._keep(
                "camera",
                {"room_id": room_id, "label": camera.label},
                {
                    "address": camera.address,
                    "username": camera.username,
                    "password_cipher": cipher,
                    "retired_at_us": None,
                },
                {"uuid": str(uuid.uuid4()), "added_at_us": self.now_us},
            )
        for old in stored.values():
            self._retire_camera(old["id"])

    def _password_cipher(self, stored: bytes | None, wanted: str | None) -> bytes | None:
        if wanted is None:
            return stored
        if stored is not None and self.vault.decrypt(stored, CAMERA_PASSWORD) == wanted:
            return stored  # a fresh ciphertext would look like a change
        return self.vault.encrypt(wanted, CAMERA_PASSWORD) if wanted else None

    def _retire_camera(self, camera_id: int) -> None:
        cursor = self.connection.execute(
            "update camera set retired_at_us = ? where id = ? and retired_at_us is null",
            (self.now_us, camera_id),
        )
        self.report.removed["camera"] += cursor.rowcount

    def _take_session(
        self, batch_id: int, session: SessionTable, rooms: Mapping[str, int], staff: Mapping[str, int]
    ) -> int:
        before = self.report.changed["session"]
        session_id = self._keep(
            "session",
            {"batch_id": batch_id, "code": session.code},
            {
                "kind": session.kind.value,
                "subject": session.subject,
                "procedure_code": session.procedure,
                "planned_start_us": session.planned_start_us,
                "duration_us": session.duration_us,
            },
        )
        if self.report.changed["session"] != before and self._has_begun(session_id):
            self.faults.append(
                f"场次“{session.code}”：已启用信号、已变更计划或已有考生签到，不能修改时间、规程或科目"
            )
        self._take_session_rooms(session_id, session, {rooms[code] for code in session.rooms})
        self._take_duties(
            session_id,
            {
                (staff[duty.badge], rooms[duty.room] if duty.room else None, duty.role.value)
                for duty in session.duties
            },
        )
        return session_id

    def _has_begun(self, session_id: int) -> bool:
        (has_begun,) = self.connection.execute(
            "select exists (select 1 from session where id = ?1 and armed_at_us is not null)"
            " or exists (select 1 from announcement where session_id = ?1)"
            " or exists (select 1 from plan_change where session_id = ?1)"
            " or exists (select 1 from admission where session_id = ?1)",
            (session_id,),
        ).fetchone()
        return bool(has_begun)

    def _take_session_rooms(self, session_id: int, session: SessionTable, wanted: set[int]) -> None:
        stored = {
            row["room_id"]
            for row in self.connection.execute(
                "select room_id from session_room where session_id = ?", (session_id,)
            )
        }
        for room_id in sorted(stored - wanted):
            if self._is_used(session_id, room_id):
                self.faults.append(f"场次“{session.code}”：有考室已安排考生或已有记录，不能撤下")
            self.connection.execute(
                "delete from session_room where session_id = ? and room_id = ?", (session_id, room_id)
            )
        self.connection.executemany(
            "insert into session_room (session_id, room_id) values (?, ?)",
            [(session_id, room_id) for room_id in sorted(wanted - stored)],
        )
        self.report.removed["session_room"] += len(stored - wanted)
        self.report.added["session_room"] += len(wanted - stored)

    def _is_used(self, session_id: int, room_id: int) -> bool:
        (is_used,) = self.connection.execute(
            "select exists (select 1 from seating join place on place.id = place_id"
            "  where session_id = ?1 and room_id = ?2)"
            " or exists (select 1 from announcement where session_id = ?1 and room_id = ?2)",
            (session_id, room_id),
        ).fetchone()
        return bool(is_used)

    def _take_duties(self, session_id: int, wanted: set[tuple[int, int | None, str]]) -> None:
        stored = {
            (row["staff_id"], row["room_id"], row["role"]): row["id"]
            for row in self.connection.execute("select * from duty where session_id = ?", (session_id,))
        }
        for key, duty_id in stored.items():
            if key not in wanted:
                self._delete("duty", duty_id)
        for staff_id, room_id, role in wanted - set(stored):
            self.connection.execute(
                "insert into duty (session_id, staff_id, room_id, role) values (?, ?, ?, ?)",
                (session_id, staff_id, room_id, role),
            )
            self.report.added["duty"] += 1

    def _drop_sessions(self, batch_id: int, wanted: set[int]) -> None:
        rows = self.connection.execute("select id, code from session where batch_id = ?", (batch_id,))
        for row in rows.fetchall():
            if row["id"] in wanted:
                continue
            self.connection.execute("delete from session_room where session_id = ?", (row["id"],))
            self.connection.execute("delete from duty where session_id = ?", (row["id"],))
            if not self._delete("session", row["id"]):
                self.faults.append(f"场次“{row['code']}”：已有考生或记录，不能从文件中去掉")

    def _drop_rooms(self, wanted: set[int]) -> None:
        for row in self.connection.execute("select id, label from room").fetchall():
            if row["id"] in wanted:
                continue
            if self._is_sat_in(row["id"]):
                self.report.kept.append(f"考室“{row['label']}”")
                continue
            self._drop_map(row["id"])
            for camera in self.connection.execute("select id from camera where room_id = ?", (row["id"],)):
                self._retire_camera(camera["id"])
            places = self.connection.execute("select id from place where room_id = ?", (row["id"],))
            for place in places.fetchall():
                self._delete("place", place["id"])
            if not self._delete("room", row["id"]):
                self.report.kept.append(f"考室“{row['label']}”")

    def _is_sat_in(self, room_id: int) -> bool:
        sessions = self.connection.execute("select 1 from session_room where room_id = ?", (room_id,))
        return sessions.fetchone() is not None

    def _drop_staff(self, wanted: set[int]) -> None:
        for row in self.connection.execute("select id, name from staff").fetchall():
            if row["id"] not in wanted and not self._delete("staff", row["id"]):
                self.report.kept.append(f"工作人员“{row['name']}”")
