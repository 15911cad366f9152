"""Footage whose time is over, and the people and papers that a disposal needs.

The exam of the small world lies five years back: its batch was closed on 2026-12-20, the clock stands at
2032-01-05. An archivist, the site lead and a supervisor are there, and a cosigner with a key.
"""

import base64
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from sqlite3 import Connection

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from evidence.checkpoints import Checkpoints
from evidence.database import ReaderDatabase
from evidence.disposal import Disposer
from evidence.disposal_permit import Permits
from evidence.disposal_plans import (
    APPROVED,
    PlannedFile,
    Proposal,
    add_authority,
    decide_plan,
    find_plan,
    name_witnesses,
    order_disposal,
    propose_plan,
)
from evidence.disposal_times import add_time, check_time
from evidence.ingest import Store
from evidence.ledger import LeafKind, append
from evidence.naming import VOLUME_MARK
from evidence.outside_time import MOMENT, Authority, AuthorityKind, cosigned_text, cosigner_token
from evidence.retention import Decision, Policy, close_batch
from evidence.volumes import LocalDisk
from evidence.work_orders import NewOrder, OrderKind, give_order
from exam.clock import SITE_ZONE, from_us, to_us
from exam.retention import end_of_period
from tests.recordings import Reel, file_of
from tests.world import PASSWORD, START_US, World

CLOSED_US = to_us(datetime(2026, 12, 20, 17, 0, tzinfo=SITE_ZONE))
END_US = to_us(datetime(2032, 1, 1, tzinfo=SITE_ZONE))
DUE_US = to_us(datetime(2032, 1, 5, 9, 0, tzinfo=SITE_ZONE))
POLICY = Policy("footage", 5)
VOLUME_UUID = "00000000-0000-4000-8000-000000000001"
SEGMENT_US = 10_000_000
WITNESSES = ("钱进", "孙立")


@dataclass
class Cosigner:
    """Somebody outside with a key and a watch of his own."""

    key: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)

    @property
    def authority(self) -> Authority:
        pem = self.key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        return Authority(AuthorityKind.COSIGNER, pem.decode())

    def signature(self, digest: bytes, moment: str) -> str:
        return base64.b64encode(self.key.sign(cosigned_text(digest, moment).encode())).decode()

    def token(self, digest: bytes, at_us: int) -> bytes:
        moment = from_us(at_us).astimezone(UTC).strftime(MOMENT)
        return cosigner_token(moment, self.signature(digest, moment))


@dataclass
class Archive:
    """The world five years later. Every step of a disposal is a method, so that a test can leave one out."""

    world: World
    archivist: int
    supervisor: int
    registrar: int
    exam_checkpoints: Checkpoints
    footage_checkpoints: Checkpoints
    exam: ReaderDatabase
    footage: ReaderDatabase
    segment_ids: list[int]
    cosigner: Cosigner = field(default_factory=Cosigner)
    years: int = 5
    authority_id: int = 0

    @property
    def site_lead(self) -> int:
        return self.world.site_lead_account_id

    @property
    def store(self) -> Store:
        return Store(self.world.footage, LocalDisk(), self.world.clock)

    def permits(self) -> Permits:
        return Permits(
            self.footage, self.exam, self.world.folder / "keys", self.world.clock, lambda: self.years
        )

    def disposer(self) -> Disposer:
        return Disposer(self.store, self.permits())

    def decision(self, account_id: int, reason: str = "保存期已满") -> Decision:
        return Decision(account_id, reason, self.world.clock.wall_us())

    def sign(self) -> None:
        """What each service does every minute."""
        self.exam_checkpoints.sign(self.world.clock.wall_us())
        self.footage_checkpoints.sign(self.world.clock.wall_us())

    def register_cosigner(self) -> int:
        with self.world.exam.write() as connection:
            self.authority_id = add_authority(
                connection, "市档案馆", self.cosigner.authority, self.decision(self.registrar)
            )
        return self.authority_id

    def propose(self, segment_ids: list[int] | None = None) -> int:
        files = [self.planned(each) for each in (segment_ids or self.segment_ids)]
        proposal = Proposal(self.world.batch_id, "规程第十一条（二）", "保存期满，无继续保存价值", files)
        with self.world.exam.write() as connection:
            return propose_plan(connection, proposal, self.decision(self.archivist))

    def planned(self, segment_id: int) -> PlannedFile:
        with self.world.footage.read() as connection:
            row = connection.execute("select * from segment where id = ?", (segment_id,)).fetchone()
        names = ("camera_uuid", "path", "started_at_us", "ended_at_us", "size_bytes")
        facts = {name: row[name] for name in names}
        end_us = max(END_US, end_of_period(row["ended_at_us"], 5))
        return PlannedFile(segment_id, **facts, sha256=row["sha256"].hex(), retain_until_us=end_us)

    def approve(self, plan_id: int, *accounts: int, verdict: str = APPROVED) -> None:
        for account_id in accounts or (self.site_lead, self.supervisor):
            with self.world.exam.write() as connection:
                decide_plan(connection, plan_id, verdict, self.decision(account_id, "同意"))

    def digest(self, plan_id: int) -> bytes:
        with self.world.exam.read() as connection:
            return find_plan(connection, plan_id).digest

    def stamp(self, plan_id: int, at_us: int = DUE_US) -> int:
        token = self.cosigner.token(self.digest(plan_id), at_us)
        with self.world.exam.write() as connection:
            checked = check_time(connection, plan_id, self.authority_id, token)
            return add_time(connection, checked, self.decision(self.archivist))

    def order(self, plan_id: int) -> int:
        with self.world.exam.write() as connection:
            return order_disposal(connection, plan_id, WITNESSES, self.decision(self.archivist))

    def force_time(self, plan_id: int, token: bytes, at_us: int) -> None:
        """Row and leaf of a word about time, whatever it says: a console without its checks."""
        with self.world.exam.write() as connection:
            row = connection.execute(
                "insert into disposal_time (plan_id, authority_id, token, proved_at_us, account_id,"
                " recorded_at_us) values (?, ?, ?, ?, ?, ?) returning id",
                (plan_id, self.authority_id, token, at_us, self.archivist, self.world.clock.wall_us()),
            ).fetchone()
            body = {
                "disposal_time_id": row["id"],
                "plan_id": plan_id,
                "time_authority_id": self.authority_id,
                "token_sha256": sha256(token).hexdigest(),
            }
            append(connection, LeafKind.DISPOSAL_TIME, body, self.world.clock.wall_us())

    def force_order(self, plan_id: int, digest: str = "", witnesses: tuple[str, ...] = WITNESSES) -> int:
        """An order for a plan that may not be carried out: a console without its checks."""
        subject = {"plan_id": plan_id, "plan_sha256": digest or self.digest(plan_id).hex()}
        new = NewOrder(OrderKind.DISPOSAL, subject, "销毁", self.archivist)
        with self.world.exam.write() as connection:
            order_id = give_order(connection, new, self.world.clock.wall_us())
            name_witnesses(connection, order_id, witnesses, self.world.clock.wall_us())
        self.sign()
        return order_id

    def edit(self, question: str, *facts: object, exam: bool = True) -> None:
        """Somebody with the database file and a tool, who lifts the triggers first."""
        with (self.world.exam if exam else self.world.footage).write() as connection:
            names = connection.execute("select name from sqlite_master where type = 'trigger'").fetchall()
            for (name,) in names:
                connection.execute(f"drop trigger {name}")
            connection.execute(question, facts)

    def approved_order(self, segment_ids: list[int] | None = None) -> int:
        """Every step there is, and signed ledgers."""
        plan_id = self.propose(segment_ids)
        self.approve(plan_id)
        self.stamp(plan_id)
        order_id = self.order(plan_id)
        self.sign()
        return order_id

    def file(self, segment_id: int) -> Path:
        return file_of(self.world, segment_id)

    def files_left(self) -> int:
        return sum(self.file(each).exists() for each in self.segment_ids)

    def rows(self, table: str, *, exam: bool = False) -> list[dict[str, object]]:
        with (self.world.exam if exam else self.world.footage).read() as connection:
            return [dict(row) for row in connection.execute(f"select * from {table}")]

    def leaves(self, kind: str, *, exam: bool = False) -> int:
        with (self.world.exam if exam else self.world.footage).read() as connection:
            question = "select count(*) from ledger_leaf where kind = ?"
            return int(connection.execute(question, (kind,)).fetchone()[0])


def account(world: World, *roles: str, name: str = "", badge: bool = True) -> int:
    from argon2 import PasswordHasher

    from evidence.accounts import NewAccount, create_account

    cheap = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)
    login = name or f"{'-'.join(roles)}-{len(roles)}"
    shown = name or "、".join(roles)
    with world.exam.write() as connection:
        staff_id = staff(connection, shown, login) if badge else None
        new = NewAccount(login, shown, cheap, roles, staff_id)
        return create_account(connection, new, world.clock.wall_us())


def staff(connection: Connection, name: str, badge_no: str) -> int:
    """A person on the staff list."""
    question = "insert into staff (name, badge_no) values (?, ?) returning id"
    return int(connection.execute(question, (name, badge_no)).fetchone()["id"])


def film(world: World, count: int) -> list[int]:
    """So many ten-second files of the first camera, from the start of the session."""
    reel = Reel(world, world.cameras_1[0])
    ids = [reel.invent(START_US + at * SEGMENT_US) for at in range(count)]
    (world.folder / "footage" / VOLUME_MARK).write_text(VOLUME_UUID + "\n", encoding="ascii")
    return ids


def set_clock(world: World, at_us: int) -> None:
    world.clock.step_wall(at_us - world.clock.wall_us())


@contextmanager
def open_archive(world: World, files: int = 3) -> Iterator[Archive]:
    """The archive when everything is due and nobody has proposed anything yet."""
    keys = world.folder / "keys"
    signers = Checkpoints(world.exam, keys, "exam"), Checkpoints(world.footage, keys, "footage")
    archive = Archive(
        world=world,
        archivist=account(world, "archivist", name="dangan"),
        supervisor=account(world, "supervisor", name="fuhe"),
        registrar=account(world, "quality_supervisor", name="dudao"),
        exam_checkpoints=signers[0],
        footage_checkpoints=signers[1],
        exam=ReaderDatabase(world.exam.path),
        footage=ReaderDatabase(world.footage.path),
        segment_ids=film(world, files),
    )
    set_clock(world, CLOSED_US)
    with world.exam.write() as connection:
        close_batch(connection, world.batch_id, POLICY, archive.decision(archive.site_lead, "成绩已公布"))
    set_clock(world, DUE_US)
    archive.register_cosigner()
    try:
        yield archive
    finally:
        archive.exam_checkpoints.close()
        archive.footage_checkpoints.close()
        archive.exam.close()
        archive.footage.close()
