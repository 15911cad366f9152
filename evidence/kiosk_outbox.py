"""The scans of a kiosk on their way to the console (待上传): durable before anybody is asked (13(2)).

Order: `begin` before the question; then `answered` by the console, or `decided` by this kiosk alone; a
scan that was decided alone is `delivered` once the console has it on record, or `set_aside` for a person.
Nothing is ever deleted. What holds document numbers is sealed with the outbox key, which is a file of its
own: a revoked kiosk that wipes itself can still bring its scans in once people have enrolled it again.
"""

import base64
import json
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from sqlite3 import Connection
from typing import Any, Final

from evidence.check_in_pictures import Picture, PictureKind
from evidence.database import ReaderDatabase, WriterDatabase
from evidence.kiosk_act_box import ActBox, LetIn, mark_aside, mark_delivered, opened_body
from evidence.roster_boxes import KEY_BYTES, WrongKeyError, seal, unseal
from evidence.small_files import create_whole
from exam.answers import Answer
from exam.outcomes import Outcome
from exam.roster_facts import LocalEntry

SEALED_AS: Final = "outbox"
PICTURE_SEALED_AS: Final = "outbox picture"
_LET_IN: Final = (
    "select candidate_id, session_id, place_id, let_in_at_us from {} where let_in_at_us is not null"
    " and (delivered_at_us is null or delivered_at_us > :since)"
)


def undelivered(path: Path) -> int:
    """How many scans and acts a kiosk.db holds; 0 without one. Raises sqlite3.Error when it is damaged."""
    if not path.exists():
        return 0
    database = ReaderDatabase(path)
    try:
        with database.read() as connection:
            known = connection.execute("select name from sqlite_master where type = 'table'").fetchall()
            # A file of an earlier version has no acts yet.
            tables = {"scan", "staff_act"} & {row["name"] for row in known}
            return sum(
                connection.execute(f"select count(*) from {table} where state <> 'delivered'").fetchone()[0]  # noqa: S608 - our own names
                for table in tables
            )
    finally:
        database.close()


class OutboxKeyError(Exception):
    """The key file is damaged; the message names it and says what to do."""


@dataclass(frozen=True, slots=True)
class NewScan:
    """A scan before anybody was asked."""

    nonce: str
    boot_id: str
    scanned_at_us: int


@dataclass(frozen=True, slots=True)
class WaitingScan:
    """A scan that the console must hear of. `body` is None when the key does not open it."""

    nonce: str
    body: dict[str, Any] | None
    # What the candidate was told, and where he was sent; None: nothing, the kiosk stopped before.
    outcome: str | None
    place_id: int | None


@dataclass(frozen=True, slots=True)
class AsideScan:
    """A scan, a picture of one, or an act, that a person must look at; it says nothing about whose it was."""

    # By this kiosk's clock.
    scanned_at_us: int
    # What the candidate was told; None: nothing of a console's or of our own.
    outcome: str | None
    problem: str


@dataclass(frozen=True, slots=True)
class WaitingPicture:
    """A picture that the console does not have. `content` is None when the key does not open it."""

    sha256_hex: str
    kind: PictureKind
    media_type: str
    content: bytes | None


@dataclass(frozen=True, slots=True)
class Counts:
    """How many scans and acts the console does not have; how many, with pictures, people must look at."""

    waiting: int
    needs_human: int


class Outbox:
    """The scans in kiosk.db. Safe for several threads."""

    def __init__(self, database: WriterDatabase, key_path: Path) -> None:
        """Makes the key when there is none. Raises OutboxKeyError when it is damaged, OSError."""
        self._database = database
        # What was told of scans whose row would not take it, by nonce.
        self._unkept: dict[str, Outcome] = {}
        if not key_path.exists():
            key_path.parent.mkdir(parents=True, exist_ok=True)
            create_whole(key_path, os.urandom(KEY_BYTES), 0o600)
        self._key = key_path.read_bytes()
        if len(self._key) != KEY_BYTES:
            raise OutboxKeyError(
                f"{key_path} is damaged: what waits in kiosk.db cannot be opened without it."
                " Put both aside for the administrator, then start again"
            )
        # What staff did here alone.
        self.acts = ActBox(database, self._key)

    def begin(
        self,
        scan: NewScan,
        body: Mapping[str, Any],
        said: Callable[[int], Mapping[str, Any]],
        pictures: Iterable[Picture] = (),
    ) -> dict[str, Any]:
        """Keep a scan before anybody is asked; returns the body, with what is `said` of its sequence.

        The pictures that the body names are durable with it, or neither is.
        """
        with self._database.write() as connection:
            sequence: int = connection.execute("select coalesce(max(id), 0) + 1 from scan").fetchone()[0]
            whole = {**body, "kiosk": dict(said(sequence))}
            connection.execute(
                "insert into scan (id, nonce, boot_id, scanned_at_us, sealed_body) values (?, ?, ?, ?, ?)",
                (sequence, scan.nonce, scan.boot_id, scan.scanned_at_us, self._sealed(scan.nonce, whole)),
            )
            for picture in pictures:
                self._keep(connection, sequence, picture)
        return whole

    def answered(self, nonce: str, answer: Answer, now_us: int) -> None:
        """The console answered: it has the scan on record."""
        with self._database.write() as connection:
            connection.execute(
                "update scan set state = 'delivered', sealed_body = null, outcome = ?, answer = ?,"
                " delivered_at_us = ? where nonce = ?",
                (answer.outcome, answer.to_json(), now_us, nonce),
            )

    def decided(self, nonce: str, answer: Answer, let_in: LetIn | None) -> None:
        """This kiosk decided alone. Call it before the candidate is told."""
        entry = (None,) * 4 if let_in is None else _entry(let_in)
        with self._database.write() as connection:
            connection.execute(
                "update scan set state = 'waiting', was_alone = 1, outcome = ?, answer = ?, candidate_id = ?,"
                " session_id = ?, place_id = ?, let_in_at_us = ? where nonce = ?",
                (answer.outcome, answer.to_json(), *entry, nonce),
            )

    def told_unkept(self, nonce: str, outcome: Outcome) -> None:
        """The disk took neither an answer nor a decision about this scan, and this is what was told instead.

        Held in memory: this run brings the scan with it, a later one as it brings what was interrupted.
        """
        self._unkept[nonce] = outcome

    def delivered(self, nonce: str, now_us: int) -> None:
        """The console has it on record; what was sealed is not needed any more."""
        with self._database.write() as connection:
            mark_delivered(connection, "scan", nonce, now_us)

    def set_aside(self, nonce: str, problem: str) -> None:
        """A person must look: the console does not take it. It stays, and nothing waits for it."""
        with self._database.write() as connection:
            mark_aside(connection, "scan", nonce, problem)

    def waiting(self, boot_id: str) -> list[WaitingScan]:
        """What the console must hear of, oldest first.

        Of scans that were being asked when the kiosk stopped, those of earlier runs, and of this run those
        whose answer could not be kept: about others somebody is asking.
        """
        unkept = dict(self._unkept)
        with self._database.read() as connection:
            rows = connection.execute(
                "select nonce, sealed_body, outcome, place_id from scan where state = 'waiting' or (state ="
                " 'asking' and (boot_id <> ? or nonce in (select value from json_each(?)))) order by id",
                (boot_id, json.dumps(list(unkept))),
            ).fetchall()
        return [
            WaitingScan(
                row["nonce"],
                self._opened(*row[:2]),
                unkept.get(row["nonce"], row["outcome"]),
                row["place_id"],
            )
            for row in rows
        ]

    def aside(self) -> list[AsideScan]:
        """What a person must look at, scans, pictures and acts, oldest first."""
        with self._database.read() as connection:
            rows = connection.execute(
                "select id, scanned_at_us, outcome, problem from scan where state = 'needs_human' union all"
                " select scan.id, scanned_at_us, outcome, picture.problem from picture"
                " join scan on scan.id = scan_id where picture.problem <> '' union all"
                " select id, happened_at_us, outcome, problem from staff_act where state = 'needs_human'"
                " order by 2, 1"
            )
            return [AsideScan(row["scanned_at_us"], row["outcome"], row["problem"]) for row in rows]

    def pictures_of(self, nonce: str) -> list[WaitingPicture]:
        """What the console must get before the scan of this nonce; a picture set aside is left out."""
        with self._database.read() as connection:
            rows = connection.execute(
                "select sha256, kind, media_type, sealed_content from picture"
                " join scan on scan.id = picture.scan_id"
                " where nonce = ? and sealed_content is not null and picture.problem = '' order by sha256",
                (nonce,),
            ).fetchall()
        return [
            WaitingPicture(row[0], PictureKind(row[1]), row[2], self._opened_picture(row[0], row[3]))
            for row in rows
        ]

    def picture_delivered(self, sha256_hex: str) -> None:
        """The console has it; what was sealed is not needed any more."""
        with self._database.write() as connection:
            connection.execute("update picture set sealed_content = null where sha256 = ?", (sha256_hex,))

    def set_picture_aside(self, sha256_hex: str, problem: str) -> None:
        """A person must look: the console does not take it. It stays, and its scan does not wait for it."""
        with self._database.write() as connection:
            connection.execute("update picture set problem = ? where sha256 = ?", (problem, sha256_hex))

    def counts(self) -> Counts:
        """For the screen's small line and the heartbeat."""
        with self._database.read() as connection:
            row = connection.execute(
                "select count(*), count(*) filter (where state = 'needs_human')"
                " + (select count(*) from picture where problem <> '') from ("
                " select state from scan union all select state from staff_act) where state <> 'delivered'"
            ).fetchone()
        return Counts(row[0], row[1])

    def entries(self, kiosk_id: int, since_us: int) -> list[LocalEntry]:
        """Whom this kiosk let in alone and the day part of that moment (console's clock) does not know."""
        with self._database.read() as connection:
            rows = connection.execute(
                f"{_LET_IN.format('scan')} union all {_LET_IN.format('staff_act')} order by let_in_at_us",
                {"since": since_us},
            ).fetchall()
        return [LocalEntry(row[0], row[1], row[2], row[3], kiosk_id) for row in rows]

    def _keep(self, connection: Connection, scan_id: int, picture: Picture) -> None:
        content = base64.b64encode(picture.content).decode("ascii")
        sealed = seal(self._key, content, f"{PICTURE_SEALED_AS}/{picture.sha256_hex}")
        connection.execute(
            "insert into picture (sha256, scan_id, kind, media_type, sealed_content) values (?, ?, ?, ?, ?)"
            " on conflict do nothing",
            (picture.sha256_hex, scan_id, picture.kind, picture.media_type, sealed),
        )

    def _opened_picture(self, sha256_hex: str, sealed: str) -> bytes | None:
        try:
            return base64.b64decode(unseal(self._key, sealed, f"{PICTURE_SEALED_AS}/{sha256_hex}"))
        except WrongKeyError:
            return None

    def _sealed(self, nonce: str, body: Mapping[str, Any]) -> str:
        return seal(self._key, dict(body), f"{SEALED_AS}/{nonce}")

    def _opened(self, nonce: str, sealed: str) -> dict[str, Any] | None:
        return opened_body(self._key, sealed, f"{SEALED_AS}/{nonce}")


def _entry(let_in: LetIn) -> tuple[int, int, int, int]:
    return let_in.candidate_id, let_in.session_id, let_in.place_id, let_in.at_us
