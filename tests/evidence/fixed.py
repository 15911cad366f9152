"""Footage of many small files with a mirror beside it, and the ways in which files suffer."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from evidence.fixity import unpaced
from evidence.fixity_rows import IndexedFile, find_file
from evidence.ingest import ingest
from evidence.ledger import read_leaves
from evidence.mirror import Wanted, copy_files, unmirrored
from evidence.mirror_look import Mirror, MirrorLook, MirrorLooker
from tests.evidence.store import FIRST_US, Footage, open_footage

DAY_US = 86_400_000_000
FILE_US = 4_000_000


@dataclass
class Archive:
    """A volume with files, and where their copies may go."""

    footage: Footage
    folder: Path
    ids: list[int]

    @property
    def mirror_folder(self) -> Path:
        return self.folder / "mirror"

    def looker(self, **changes: object) -> MirrorLooker:
        """As if every folder were a disk of its own."""
        facts: dict[str, object] = {"disk": str, "keep_free_bytes": 0, **changes}
        return MirrorLooker(
            self.footage.database,
            self.mirror_folder,
            [self.footage.volume.path],
            **facts,  # type: ignore[arg-type]
        )

    def look(self, **changes: object) -> MirrorLook:
        return self.looker(**changes).look(FIRST_US)

    def mirror(self) -> Mirror:
        self.mirror_folder.mkdir(exist_ok=True)
        mirror = self.look().mirror
        assert mirror is not None
        return mirror

    def wanted(self, mirror: Mirror, since_us: int = 1) -> list[IndexedFile]:
        with self.footage.database.read() as connection:
            return unmirrored(connection, mirror.id, Wanted([self.footage.volume.id], since_us))

    def copy_all(self) -> Mirror:
        mirror = self.mirror()
        copy_files(self.footage.store, mirror, self.wanted(mirror), unpaced)
        return mirror

    def file(self, segment_id: int) -> IndexedFile:
        with self.footage.database.read() as connection:
            found = find_file(connection, segment_id)
        assert found is not None
        return found

    def files(self) -> list[IndexedFile]:
        return [self.file(each) for each in self.ids]

    def copy(self, segment_id: int) -> Path:
        return self.mirror_folder / self.file(segment_id).path

    def leaves(self, *kinds: str) -> list[str]:
        with self.footage.database.read() as connection:
            found = [leaf.kind for leaf, _ in read_leaves(connection)]
        return [kind for kind in found if kind in kinds]

    def damages(self) -> list[dict[str, object]]:
        with self.footage.database.read() as connection:
            return [dict(row) for row in connection.execute("select * from damage order by id")]


def flip(path: Path, bit: int = 4321) -> None:
    """One bit, as a rotten sector does it: size and times stay."""
    content = bytearray(path.read_bytes())
    content[bit // 8 % len(content)] ^= 1 << bit % 8
    path.chmod(0o644)
    path.write_bytes(content)


@contextmanager
def open_fixed(folder: Path, files: int = 4, *, apart_us: int = FILE_US) -> Iterator[Archive]:
    with open_footage(folder) as footage:
        ids = []
        for number in range(files):
            # Numbers that do not follow one another: nothing ties a file's time to the one before it.
            sequence = number if apart_us == FILE_US else number * 2
            made = ingest(footage.store, footage.grow(sequence, FIRST_US + number * apart_us))
            assert made is not None
            ids.append(made)
        yield Archive(footage, folder, ids)
