"""A site whose reserve volume took footage, and everything that can be asked of it."""

import json
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from evidence.check import Memory, check
from evidence.check_codes import Depth, Finding
from evidence.check_files import Cost
from evidence.check_files import Look as CheckLook
from evidence.checkpoints import Checkpoints
from evidence.disposal import release_duplicate
from evidence.duplicate_permit import ReleaseRefusal, ReleaseRefusedError
from evidence.ingest import Store, ingest
from evidence.ledger import read_leaves
from evidence.relocation import CALM_US, bring, next_to_bring
from evidence.relocation_rows import Relocation, open_relocations
from evidence.signed_ledger import SignedLedger
from evidence.volume_look import Look, Place, Space, Trouble, open_volume
from evidence.volume_rows import VolumeFound, write_volume_states
from evidence.volumes import Volume
from tests.evidence.store import FIRST_US, Footage, open_footage

NOW_US = FIRST_US + 100_000_000
ROOM = Space(1, 1 << 30, 1 << 29, None)


@dataclass
class Spilled:
    """A normal volume, and a reserve with two files that were recorded there."""

    footage: Footage
    reserve: Footage
    checkpoints: Checkpoints
    folder: Path

    @property
    def store(self) -> Store:
        return self.footage.store

    def look(self, *found: VolumeFound, at_us: int = NOW_US) -> None:
        """What the recorder publishes of its volumes; all well unless a test says otherwise."""
        with self.footage.database.write() as connection:
            write_volume_states(connection, found or (self.home(), self.spare()), at_us)

    def home(
        self, trouble: Trouble | None = None, space: Space | None = ROOM, since_us: int = NOW_US - CALM_US
    ) -> VolumeFound:
        place = Place(self.footage.volume.path, frozenset(), 1 << 20)
        return VolumeFound(Look(place, self.footage.volume, trouble, space=space), trouble, since_us)

    def spare(self, trouble: Trouble | None = None, device: int = 2) -> VolumeFound:
        place = Place(self.reserve.volume.path, frozenset(), is_reserve=True)
        space = replace(ROOM, device=device)
        return VolumeFound(Look(place, self.reserve.volume, trouble, space=space), trouble, NOW_US)

    def next(self, *besides: int, now_us: int = NOW_US) -> Relocation | None:
        with self.footage.database.read() as connection:
            return next_to_bring(connection, set(besides), now_us)

    def one(self) -> Relocation:
        found = self.next()
        assert found is not None
        return found

    def open(self) -> list[Relocation]:
        with self.footage.database.read() as connection:
            return open_relocations(connection)

    def sign(self) -> None:
        self.checkpoints.sign(NOW_US)

    def release(self, relocation_id: int, store: Store | None = None) -> None:
        with closing(SignedLedger(self.footage.database.path, self.folder / "keys", "footage")) as signed:
            release_duplicate(store or self.store, signed, relocation_id)

    def refused(self, relocation_id: int = 1) -> ReleaseRefusal:
        with pytest.raises(ReleaseRefusedError) as caught:
            self.release(relocation_id)
        return caught.value.reason

    def moved(self) -> Relocation:
        """The first file, brought and signed, with its first copy still there."""
        bring(self.store, self.one())
        self.sign()
        (relocation,) = self.open()
        return relocation

    def findings(self) -> list[Finding]:
        self.sign()
        memory = Memory(self.folder, self.folder / "keys")
        return list(check(memory, CheckLook(Depth.DIGEST, Cost())))

    def leaves(self, kind: str) -> list[dict[str, object]]:
        with self.footage.database.read() as connection:
            return [json.loads(leaf.body) for leaf, _ in read_leaves(connection) if leaf.kind == kind]

    def edit(self, question: str) -> None:
        """Somebody with the database file and a tool, who lifts the triggers first."""
        with self.footage.database.write() as connection:
            for (name,) in connection.execute(
                "select name from sqlite_master where type = 'trigger'"
            ).fetchall():
                connection.execute(f"drop trigger {name}")
            connection.execute(question)


@contextmanager
def open_spilled(folder: Path, files: int = 2) -> Iterator[Spilled]:
    with (
        open_footage(folder) as footage,
        closing(Checkpoints(footage.database, folder / "keys", "footage")) as checkpoints,
    ):
        reserve = Footage(footage.store, open_volume(footage.database, folder / "reserve", FIRST_US))
        for number in range(files):
            ingest(footage.store, reserve.grow(number, FIRST_US + number * 4_000_000))
        spilled = Spilled(footage, reserve, checkpoints, folder)
        spilled.look()
        yield spilled


def files(volume: Volume) -> list[str]:
    return sorted(str(path.relative_to(volume.path)) for path in volume.footage.rglob("*.mp4"))
