"""Losing footage.db in every way, and what its ledger says about it afterwards."""

import hashlib
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from evidence.checkpoints import CheckpointError, Checkpoints, Refusal
from evidence.database import WriterBusyError, WriterDatabase
from evidence.ingest import ingest
from evidence.ledger import read_leaves, recompute, tree_head
from evidence.lost_index import (
    IndexPlace,
    Rebuilding,
    build_new,
    exchange,
    exclusive,
    lost_index,
    trouble_with,
)
from evidence.rebuild import find_volume
from tests.evidence.store import FIRST_US, open_footage

PAGE = 4096


@dataclass
class Site:
    """A stopped site with three segments and a signed ledger."""

    place: IndexPlace
    disk: Path

    def damage_a_page(self) -> None:
        raw = bytearray(self.place.index.read_bytes())
        # A page of the segment table in the middle of the file, not one that every start reads.
        with closing(sqlite3.connect(self.place.index)) as connection:
            page = connection.execute(
                "select rootpage from sqlite_schema where name = 'fragment_map'"
            ).fetchone()[0]
        raw[(page - 1) * PAGE : page * PAGE] = b"\x5a" * PAGE
        self.place.index.write_bytes(raw)

    def rebuild(self) -> Path:
        reason = trouble_with(self.place) or "asked for"
        aside = self.place.folder / f"lost-{reason[:4].strip()}"
        new = IndexPlace(aside / "new", aside / "new" / "keys")
        new.keys.mkdir(parents=True)
        lost = lost_index(self.place, reason)
        for _ in build_new(
            new, lost, [find_volume(self.disk)], Rebuilding(FIRST_US, aside, is_thorough=False)
        ):
            pass
        exchange(self.place, new, aside)
        return aside


@pytest.fixture
def site(tmp_path: Path) -> Site:
    place = IndexPlace(tmp_path, tmp_path / "keys")
    with (
        open_footage(tmp_path) as footage,
        closing(Checkpoints(footage.database, place.keys, "footage")) as checkpoints,
    ):
        for number in range(3):
            ingest(footage.store, footage.grow(number, FIRST_US + number * 4_000_000))
        checkpoints.sign(FIRST_US)
    return Site(place, tmp_path / "disk")


def lose(site: Site) -> None:
    site.place.index.unlink()


def garble(site: Site) -> None:
    site.place.index.write_bytes(b"not a database" * 1000)


def truncate(site: Site) -> None:
    raw = site.place.index.read_bytes()
    site.place.index.write_bytes(raw[: len(raw) // 2])


def put_back_an_older_copy(site: Site) -> None:
    site.place.index.unlink()
    WriterDatabase(site.place.index, "footage").close()


def lose_the_checkpoints(site: Site) -> None:
    (site.place.folder / "footage_checkpoints.db").unlink()


def lose_everything(site: Site) -> None:
    for path in (site.place.index, site.place.folder / "footage_checkpoints.db", site.place.key):
        path.unlink()


LOSSES = [
    lose,
    lose_everything,
    garble,
    truncate,
    Site.damage_a_page,
    put_back_an_older_copy,
    lose_the_checkpoints,
]


def test_a_sound_index_has_no_trouble(site: Site) -> None:
    assert trouble_with(site.place) == ""


@pytest.mark.parametrize("harm", LOSSES)
def test_each_loss_is_noticed_and_made_good(site: Site, harm: Callable[[Site], None]) -> None:
    harm(site)
    assert trouble_with(site.place) != ""
    site.rebuild()
    assert trouble_with(site.place) == ""
    with closing(WriterDatabase(site.place.index, "footage")) as database, database.read() as connection:
        assert connection.execute("select count(*) from segment").fetchone()[0] == 3
        assert recompute(connection) == tree_head(connection)


def test_the_first_leaf_of_the_new_ledger_names_the_last_checkpoint_of_the_lost_one(site: Site) -> None:
    with closing(sqlite3.connect(site.place.folder / "footage_checkpoints.db")) as connection:
        (note,) = connection.execute("select note from checkpoint order by id desc limit 1").fetchone()
    key = site.place.key.read_bytes()
    site.damage_a_page()
    damaged = site.place.index.read_bytes()
    aside = site.rebuild()
    with closing(WriterDatabase(site.place.index, "footage")) as database, database.read() as connection:
        leaf, _ = next(read_leaves(connection))
        row = connection.execute("select * from rebuilt_index").fetchone()
    origin, size, root, *_ = note.split("\n")
    assert leaf.kind == "index_rebuilt"
    for part in (origin, size, root, hashlib.sha256(note.encode()).hexdigest()):
        assert f'"{part}"' in leaf.body
    assert row["lost_checkpoint"] == note
    assert row["lost_sha256"] == hashlib.sha256(damaged).digest()
    assert (aside / "footage.db").read_bytes() == damaged
    assert (aside / site.place.key.name).read_bytes() == key
    assert site.place.key.read_bytes() != key, "another history is signed by another key"


def test_without_any_checkpoint_the_leaf_says_that_none_is_known(site: Site) -> None:
    lose(site)
    (site.place.folder / "footage_checkpoints.db").write_bytes(b"noise" * 1000)
    site.rebuild()
    with closing(WriterDatabase(site.place.index, "footage")) as database, database.read() as connection:
        leaf, _ = next(read_leaves(connection))
    assert leaf.body.count(":null") == 5


@pytest.mark.parametrize("step", range(4))
def test_a_rebuild_cut_short_is_refused_by_a_start_and_can_be_repeated(
    site: Site, step: int, tmp_path: Path
) -> None:
    """The files that move, in their order; after any of them the halves do not fit together."""
    whole = tmp_path / "whole"
    shutil.copytree(tmp_path, whole, ignore=shutil.ignore_patterns("whole"))
    later = Site(IndexPlace(whole, whole / "keys"), whole / "disk")
    later.rebuild()
    names = ["footage.db", "footage_checkpoints.db"]
    aside = tmp_path / "moved"
    aside.mkdir()
    site.place.key.rename(aside / "key")
    for number, name in enumerate(names):
        if step > 2 * number:
            (tmp_path / name).rename(aside / name)
        if step > 2 * number + 1:
            shutil.copy(whole / name, tmp_path / name)
    with (
        closing(WriterDatabase(site.place.index, "footage")) as database,
        pytest.raises(CheckpointError) as no,
    ):
        Checkpoints(database, site.place.keys, "footage")
    assert no.value.refusal in (Refusal.FOREIGN_KEY, Refusal.CHECKPOINTS_LOST)
    site.rebuild()
    assert trouble_with(site.place) == ""


def test_nothing_that_was_set_aside_is_ever_overwritten(site: Site) -> None:
    damaged = site.place.folder / "aside"
    lose(site)
    damaged.mkdir()
    (damaged / site.place.key.name).write_text("an earlier one")
    with pytest.raises(FileExistsError):
        exchange(site.place, IndexPlace(damaged / "new", damaged / "new"), damaged)
    assert (damaged / site.place.key.name).read_text() == "an earlier one"


def test_an_index_in_use_is_left_alone(site: Site) -> None:
    with closing(WriterDatabase(site.place.index, "footage")):
        with pytest.raises(WriterBusyError):
            trouble_with(site.place)
        with pytest.raises(WriterBusyError), exclusive(site.place):
            pass
    with exclusive(site.place), pytest.raises(WriterBusyError):
        WriterDatabase(site.place.index, "footage")


def test_a_log_that_was_deleted_takes_what_was_signed_with_it_and_is_noticed(
    site: Site, tmp_path: Path
) -> None:
    """As does a copy of the file alone, made while it was open."""
    with open_footage(tmp_path) as footage:
        with closing(Checkpoints(footage.database, site.place.keys, "footage")) as checkpoints:
            ingest(footage.store, footage.grow(3, FIRST_US + 12_000_000))
            checkpoints.sign(FIRST_US)
        copied = site.place.index.read_bytes()
    site.place.index.write_bytes(copied)
    assert trouble_with(site.place).startswith("rollback")
    site.rebuild()
    with closing(WriterDatabase(site.place.index, "footage")) as database, database.read() as connection:
        assert connection.execute("select count(*) from segment").fetchone()[0] == 4
