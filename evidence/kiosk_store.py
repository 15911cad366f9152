"""The kiosk's own database (kiosk.db): packages, plans, clock, state; its scans are `evidence.kiosk_outbox`.

Everything is durable when a call returns. The kiosk's service opens it, for as long as it runs; safe for
several threads. A full disk or a broken one raises `sqlite3.Error` (docs/design/kiosk-sync.md).
"""

import json
from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

from evidence.database import WriterDatabase

NAME: Final = "kiosk"


class PackageKind(StrEnum):
    """Which package of the console."""

    ROSTER = "roster"
    DAY = "day"


@dataclass(frozen=True, slots=True)
class KeptPackage:
    """A package as it came, and when the console last called it the present one, by the console's clock."""

    content: bytes
    tag: str
    confirmed_at_us: int


@dataclass(frozen=True, slots=True)
class KioskState:
    """What the kiosk knows of itself. The clock: its own minus the console's; None: never compared."""

    clock_offset_us: int | None
    clock_uncertainty_us: int | None
    is_out_of_service: bool
    is_revoked: bool


class KioskStore:
    """Opens kiosk.db, makes it when it is missing.

    No room is set aside for it: a kiosk takes nobody long before its disk is full (exam.kiosk_fitness).
    """

    def __init__(self, path: Path) -> None:
        """Raises evidence.database.DatabaseError: in use by another process, newer, or damaged."""
        self.database = WriterDatabase(path, NAME)
        with self.database.write() as connection:
            # What is taken out of a row must not stay readable in the file.
            connection.execute("pragma secure_delete = on").fetchall()

    def close(self) -> None:
        """Give the file back."""
        self.database.close()

    def keep_package(self, kind: PackageKind, package: KeptPackage) -> None:
        """Keep this package in place of the one of its kind."""
        with self.database.write() as connection:
            connection.execute(
                "insert or replace into kept_package (kind, content, tag, confirmed_at_us)"
                " values (?, ?, ?, ?)",
                (kind, package.content, package.tag, package.confirmed_at_us),
            )

    def confirm_packages(self, now_us: int) -> None:
        """The console called both packages the present ones; `now_us` is by its clock."""
        with self.database.write() as connection:
            connection.execute("update kept_package set confirmed_at_us = ?", (now_us,))

    def package(self, kind: PackageKind) -> KeptPackage | None:
        """The package of this kind; None when there is none."""
        with self.database.read() as connection:
            row = connection.execute(
                "select content, tag, confirmed_at_us from kept_package where kind = ?", (kind,)
            ).fetchone()
        return None if row is None else KeptPackage(*row)

    def state(self) -> KioskState:
        """What it knows of itself."""
        with self.database.read() as connection:
            row = connection.execute("select * from kiosk_state").fetchone()
        return KioskState(
            row["clock_offset_us"],
            row["clock_uncertainty_us"],
            bool(row["is_out_of_service"]),
            bool(row["is_revoked"]),
        )

    def note_clock(self, offset_us: int, uncertainty_us: int) -> None:
        """The clocks were compared."""
        with self.database.write() as connection:
            connection.execute(
                "update kiosk_state set clock_offset_us = ?, clock_uncertainty_us = ?",
                (offset_us, uncertainty_us),
            )

    def note_service(self, *, is_out: bool) -> None:
        """People put the kiosk out of service, or into it again."""
        with self.database.write() as connection:
            connection.execute("update kiosk_state set is_out_of_service = ?", (is_out,))

    def maps(self) -> dict[str, bytes]:
        """The floor plans that were kept, by their digests."""
        with self.database.read() as connection:
            return dict(connection.execute("select sha256, content from kept_map").fetchall())

    def keep_map(self, sha256_hex: str, content: bytes) -> None:
        """Keep a floor plan under the digest of its bytes."""
        with self.database.write() as connection:
            connection.execute(
                "insert into kept_map (sha256, content) values (?, ?) on conflict do nothing",
                (sha256_hex, content),
            )

    def drop_maps_but(self, wanted: Collection[str]) -> None:
        """Forget the floor plans that no room names any more."""
        with self.database.write() as connection:
            connection.execute(
                "delete from kept_map where sha256 not in (select value from json_each(?))",
                (json.dumps(list(wanted)),),
            )

    def wipe(self) -> None:
        """The console revoked this kiosk: forget the packages. Scans stay, they are nowhere else."""
        with self.database.write() as connection:
            connection.execute("delete from kept_package")
            connection.execute("delete from kept_map")
            connection.execute("update kiosk_state set is_revoked = 1")

    def note_enrolled(self) -> None:
        """The console takes this kiosk again."""
        with self.database.write() as connection:
            connection.execute("update kiosk_state set is_revoked = 0")

    def note_pin_try(self, pin_id: int, now_us: int) -> None:
        """A PIN (0: of a number that is nobody's) is about to be tried. Call it before it is checked."""
        with self.database.write() as connection:
            connection.execute("insert into pin_try (pin_id, tried_at_us) values (?, ?)", (pin_id, now_us))

    def forget_pin_tries(self, pin_id: int) -> None:
        """The PIN was right."""
        with self.database.write() as connection:
            connection.execute("delete from pin_try where pin_id = ?", (pin_id,))

    def pin_tries(self, since_us: int) -> list[tuple[int, int]]:
        """Which PIN was tried when, of the tries since that moment after which the PIN was not right."""
        with self.database.read() as connection:
            rows = connection.execute(
                "select pin_id, tried_at_us from pin_try where tried_at_us >= ? order by id", (since_us,)
            )
            return [(row["pin_id"], row["tried_at_us"]) for row in rows]
