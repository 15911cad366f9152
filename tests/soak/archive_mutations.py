"""One bit of a closed site changed, thousands of times: the check or the next start notices.

`run.py soak archive_mutations [--bits 5000] [--rows 2000]`: footage, day lists, set-aside files, both
databases, both checkpoint databases, both ledger keys; then single values of the databases
(`tests.soak.row_mutations`). After each change `evidence.check` looks at depth `digest`; if it says
nothing, the services' databases, keys, checkpoints and volumes are opened as at a start. What neither
notices is compared row by row and byte by byte with what was there before: either nothing was
changed, or it is a place that the check holds against no leaf (docs/design/evidence.md, chapter "The check").
Anything else is accepted tampering, and a failure.
"""

import argparse
import json
import random
import sqlite3
import tempfile
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from pathlib import Path
from traceback import extract_tb
from typing import Final
from uuid import UUID

from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from evidence.check import Memory, check
from evidence.check_codes import Depth
from evidence.check_facts import EXAM_FACTS, FOOTAGE_FACTS
from evidence.check_files import Cost, Look
from evidence.checkpoints import Checkpoints, Signer
from evidence.database import DatabaseError, WriterDatabase
from evidence.naming import QUARANTINE_FOLDER, VOLUME_MARK
from evidence.standing_tables import STANDING
from evidence.volume_look import VolumeError, open_volume
from tests.bench.bench_report import progress
from tests.evidence.store import FIRST_US
from tests.evidence.test_check import lay_site
from tests.soak.mutations import mutate
from tests.soak.row_mutations import NothingToChangeError, edit_value

LEDGERS: Final = ("exam", "footage")
SCHEMA: Final = "select type, name, tbl_name, sql from sqlite_schema"
# What SQLite and the opening of files raise when they refuse to go on.
REFUSALS: Final = (sqlite3.Error, DatabaseError, VolumeError)
# Compared with their leaves by other laws than that of facts.
COMPARED: Final = frozenset(
    {
        *("ledger_leaf", "ledger_node", "fragment_map", "checkpoint", "admission", *STANDING),
        *("hold_step", "joint_decision", "disposal_remnant", "checkin_circumstance"),
    }
)
# In tables whose rows are compared with their leaves, what no leaf says.
LOOSE_COLUMNS: Final = frozenset(
    {
        *(
            "kiosk.last_seen_at_us",
            "admission.id",
            "admission.admitted_at_us",
            "admission.voided_at_us",
            "footage_access.accessed_at_us",
            "anchor.token",
            "anchor.anchored_at_us",
        ),
        *("segment.run_id", "segment.volume_id", "segment.ingested_at_us"),
        *("quarantined_file.quarantined_at_us", "checkpoint.signed_at_us"),
        *("fragment_map.init_bytes", "fragment_map.codec", "fragment_map.width_px", "fragment_map.height_px"),
        *("fragment_map.sound", "fragment_map.sound_codec"),
    }
)
QUARANTINED: Final = "content of a file in quarantine"
# Nothing contradicts a ledger that was signed a minute earlier, as long as no such note has left the machine.
LAST_CHECKPOINT: Final = "the last checkpoint, when none such is anchored"

# Of a database: every row of every table, by table and place in it.
Content = dict[tuple[str, object], tuple[object, ...]]


@dataclass
class Site:
    """The closed site and what its files were before anything was changed."""

    folder: Path
    kept: dict[Path, bytes] = field(default_factory=dict)
    there: frozenset[Path] = frozenset()
    # Places of the bytes that are not zero.
    used: dict[Path, list[int]] = field(default_factory=dict)

    @classmethod
    def lay(cls, folder: Path) -> "Site":
        """A new site; everything that may change is remembered."""
        lay_site(folder)
        site = cls(folder)
        for path in [*site.databases, *site.keys, *site.files]:
            path.chmod(0o600)
            site.kept[path] = path.read_bytes()
            site.used[path] = [place for place, byte in enumerate(site.kept[path]) if byte]
        site.there = frozenset(path for path in folder.rglob("*") if path.is_file())
        return site

    @property
    def home(self) -> Path:
        return self.folder / "site"

    @property
    def databases(self) -> list[Path]:
        return [self.home / f"{name}{kind}.db" for name in LEDGERS for kind in ("", "_checkpoints")]

    @property
    def keys(self) -> list[Path]:
        return [self.home / "keys" / f"ledger_{name}.key" for name in LEDGERS]

    @property
    def files(self) -> list[Path]:
        return sorted(path for path in (self.folder / "disk").rglob("*") if path.is_file())

    def restore(self) -> None:
        """As it was: a look at a damaged database may leave files beside it, a start may write some."""
        for path in self.folder.rglob("*"):
            if path.is_file() and path not in self.there:
                path.unlink()
        for path, content in self.kept.items():
            if path.stat().st_size != len(content) or path.read_bytes() != content:
                path.write_bytes(content)

    def content(self) -> dict[Path, Content]:
        """All that the databases say."""
        return {path: _content(path) for path in self.databases}


def _content(path: Path) -> Content:
    found: Content = {}
    with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro&immutable=1", uri=True)) as connection:
        schema = connection.execute(SCHEMA).fetchall()
        found.update({("sqlite_schema", row[1]): tuple(row) for row in schema})
        found[("pragma", "encoding")] = tuple(connection.execute("pragma encoding").fetchone())
        for table in [row[1] for row in schema if row[0] == "table"]:
            cursor = connection.execute(f"select * from {table}")
            columns = [each[0] for each in cursor.description]
            for place, row in enumerate(cursor):
                found[(table, place)] = tuple(zip(columns, row, strict=True))
    return found


def judge(site: Site, sound: dict[Path, Content], target: Path) -> tuple[str, str]:
    """How the change was met, and where it shows when nobody noticed."""
    try:
        memory = Memory(site.home, site.home / "keys")
        if next(check(memory, Look(Depth.DIGEST, Cost())), None) is not None:
            return "noticed_by_check", ""
        return _unnoticed(site, sound, target)
    except REFUSALS:
        return "database_refuses", ""
    except Exception as error:  # noqa: BLE001 - a check that breaks off in any other way is what is looked for
        return "broke_off", f"{type(error).__name__} in {extract_tb(error.__traceback__)[-1].name}"


def _unnoticed(site: Site, sound: dict[Path, Content], target: Path) -> tuple[str, str]:
    before = target.read_bytes()
    try:
        _start(site)
    except REFUSALS:
        return "noticed_at_start", ""
    target.write_bytes(before)
    places = _changed(site, sound, target)
    if not places:
        return "no_content_changed", ""
    loose = loose_tables(site) | LOOSE_COLUMNS | {QUARANTINED, LAST_CHECKPOINT}
    is_known = all({place, place.partition(".")[0]} & loose for place in places)
    return ("not_committed" if is_known else "accepted"), " ".join(sorted(places))


def loose_tables(site: Site) -> set[str]:
    """Tables whose rows the check holds against no leaf."""
    found: set[str] = set()
    for path in site.databases:
        with closing(sqlite3.connect(path)) as connection:
            found |= {row[1] for row in connection.execute(SCHEMA) if row[0] == "table"}
    return found - COMPARED - {fact.table for fact in (*EXAM_FACTS, *FOOTAGE_FACTS)}


def _start(site: Site) -> None:
    """What the services open before they do anything else."""
    with ExitStack() as opened:
        for name in LEDGERS:
            database = WriterDatabase(site.home / f"{name}.db", name)
            opened.callback(database.close)
            opened.enter_context(closing(Checkpoints(database, site.home / "keys", name)))
            if name == "footage":
                open_volume(database, site.folder / "disk", FIRST_US)


def _changed(site: Site, sound: dict[Path, Content], target: Path) -> set[str]:
    if target in site.keys:
        return {"ledger key"} if _raw_key(target.read_bytes()) != _raw_key(site.kept[target]) else set()
    if target.name == VOLUME_MARK:
        same = UUID(target.read_text().strip()) == UUID(site.kept[target].decode().strip())
        return set() if same else {VOLUME_MARK}
    if target not in sound:
        return {QUARANTINED if target.parent.name == QUARANTINE_FOLDER else target.name}
    before, after = sound[target], _content(target)
    last = ("checkpoint", max((place for table, place in before if table == "checkpoint"), default=-1))  # type: ignore[type-var]
    if last in before and after == {place: row for place, row in before.items() if place != last}:
        return {LAST_CHECKPOINT}
    found = set()
    for table, place in before.keys() | after.keys():
        old, new = before.get((table, place), ()), after.get((table, place), ())
        found |= {_column(table, part) for part in {*old} ^ {*new}}
    return found


def _column(table: str, part: object) -> str:
    return f"{table}.{part[0]}" if isinstance(part, tuple) else table


def _raw_key(pem: bytes) -> bytes:
    with tempfile.NamedTemporaryFile() as kept:
        kept.write(pem)
        kept.flush()
        key = Signer.open(Path(kept.name), "exam").key
    return key.private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption())


def _aimed(site: Site, target: Path, turn: int) -> Sequence[int] | None:
    """Most bytes of a small database are unused: every other bit is aimed at those that are not zero."""
    return site.used[target] if turn % 2 else None


@dataclass
class Tally:
    """How the changes were met, in all and by kind of file, and where nobody noticed."""

    met: Counter[str] = field(default_factory=Counter)
    by_file: dict[str, Counter[str]] = field(default_factory=dict)
    unnoticed: Counter[str] = field(default_factory=Counter)
    accepted: list[str] = field(default_factory=list)

    def add(self, kind: str, how: str, where: str, places: str) -> None:
        self.met[how] += 1
        self.by_file.setdefault(kind, Counter())[how] += 1
        if places:
            self.unnoticed[places] += 1
        if how in ("accepted", "broke_off"):
            self.accepted.append(f"{where}: {places}")


def run(bits: int, seed: int) -> Tally:
    """So many bits, one after another, each on the sound site."""
    chance, tally = random.Random(seed), Tally()
    with tempfile.TemporaryDirectory() as folder:
        site = Site.lay(Path(folder))
        # Three times as often a database: that is where a change hides best.
        sound, targets = site.content(), [*site.kept, *site.databases, *site.databases]
        for turn in range(bits):
            target = chance.choice(targets)
            with mutate(target, chance, _aimed(site, target, turn)) as where:
                how, places = judge(site, sound, target)
            site.restore()
            kind = target.name if target.parent == site.home else target.suffix or target.name
            tally.add(kind, how, where, places)
            if turn % 250 == 249 or turn == bits - 1:
                after = judge(site, sound, targets[0])
                assert after == ("no_content_changed", ""), "what was changed before is still there"
                site.restore()
                progress(f"{turn + 1} of {bits} bits, {len(tally.accepted)} accepted")
    return tally


def run_rows(rows: int, seed: int) -> Tally:
    """So many values of the databases, one after another, each on the sound site."""
    chance, tally = random.Random(seed), Tally()
    with tempfile.TemporaryDirectory() as folder:
        site = Site.lay(Path(folder))
        sound, done = site.content(), 0
        while done < rows:
            target = chance.choice(site.databases)
            try:
                with edit_value(target, chance) as where:
                    how, places = judge(site, sound, target)
            except NothingToChangeError:
                continue
            finally:
                site.restore()
            done += 1
            tally.add(target.name, how, where, places)
            if done % 500 == 0:
                progress(f"{done} of {rows} values, {len(tally.accepted)} accepted")
    return tally


def main(words: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="soak archive_mutations")
    parser.add_argument("--bits", type=int, default=5000)
    parser.add_argument("--rows", type=int, default=2000, help="values changed by SQL, besides the bits")
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args(words)
    tally = run(asked.bits, asked.seed)
    by_hand = run_rows(asked.rows, asked.seed)
    found = {name: _told(each) for name, each in (("bits", tally), ("rows", by_hand))}
    print(json.dumps(found, ensure_ascii=False, indent=1))
    return 1 if tally.accepted or by_hand.accepted else 0


def _told(tally: Tally) -> dict[str, object]:
    return {
        "changes": sum(tally.met.values()),
        "met": dict(tally.met),
        "by_file": {kind: dict(met) for kind, met in sorted(tally.by_file.items())},
        "unnoticed": dict(tally.unnoticed.most_common()),
        "accepted": tally.accepted,
    }
