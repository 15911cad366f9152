"""The check of the whole memory: a sound site has no findings, and every code has what breaks it."""

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from evidence.anchors import last_head, record_paper
from evidence.check import Memory, check
from evidence.check_codes import Code, Depth, Finding
from evidence.check_files import Cost, Look
from evidence.check_in_pictures import record_view
from evidence.check_schema import check_schema
from evidence.checkpoints import Checkpoints
from evidence.database import WriterDatabase
from evidence.footage import Cause
from evidence.footage_access import FootageRequest, record_access
from evidence.footage_rows import add_clock_step, end_absence, note_absence
from evidence.ingest import Store, enter, quarantine, seal
from evidence.ledger import LeafKind, append
from evidence.naming import DAY_MANIFEST
from evidence.service_start import record_start
from evidence.timeline import Interval
from evidence.volume_look import open_volume
from evidence.volumes import LocalDisk, Volume
from exam.clock import SECOND_US, SimulatedClock
from tests.evidence.recorded import RUN_2, flush_stamped, growing_name, recording
from tests.evidence.store import CAMERA, FIRST_US, Footage
from tests.evidence.test_checkins import ask, scan_of
from tests.web.doubted import face, keep_photo
from tests.world import CLOCK_US, World, build_world


@dataclass
class Site:
    """A site that has been closed: files, databases, checkpoints, an anchor on paper."""

    memory: Memory
    volume: Volume

    def found(self, depth: Depth = Depth.DIGEST) -> list[Finding]:
        return list(check(self.memory, Look(depth, Cost())))

    def codes(self, depth: Depth = Depth.DIGEST) -> set[Code]:
        return {finding.code for finding in self.found(depth)}

    def files(self) -> list[Path]:
        return sorted(self.volume.footage.rglob("*.mp4"))

    def picture(self) -> Path:
        return next((self.memory.folder / "check_in").rglob("*.enc"))

    def tamper(self, name: str, *statements: str) -> None:
        """As somebody would who may write the file: triggers lifted first."""
        with closing(sqlite3.connect(self.memory.path(name), isolation_level=None)) as connection:
            connection.execute("pragma foreign_keys = off")
            triggers = connection.execute("select name from sqlite_master where type = 'trigger'").fetchall()
            for (trigger,) in triggers:
                connection.execute(f"drop trigger {trigger}")
            for statement in statements:
                connection.execute(statement)


def record(world: World, footage: Footage) -> None:
    """Two files of one run, an hour's gap that was noted, a third file, one in quarantine."""
    for sequence, start_us in ((0, FIRST_US), (1, FIRST_US + 4 * SECOND_US)):
        sealed = seal(footage.store, footage.grow(sequence, start_us))
        assert sealed is not None
        enter(footage.store, sealed)
    with world.footage.write() as connection:
        note_absence(connection, CAMERA, FIRST_US + 8 * SECOND_US, Cause.UNREACHABLE, CLOCK_US)
        end_absence(connection, CAMERA, FIRST_US + 3600 * SECOND_US, CLOCK_US)
        add_clock_step(connection, CLOCK_US, 5 * SECOND_US)
    late_us = FIRST_US + 3600 * SECOND_US
    content = recording(*flush_stamped(late_us, [2000, 2000]))
    closed = footage.put(growing_name(run=RUN_2), content, late_us + 4 * SECOND_US + 40_000)
    sealed = seal(footage.store, closed)
    assert sealed is not None
    enter(footage.store, sealed)
    stray = footage.volume.growing / "stranger.mp4"
    stray.write_bytes(b"no video")
    quarantine(footage.store, footage.volume, "growing/stranger.mp4", "unreadable")
    ask(world, scan_of(world, world.on_time))
    digest = keep_photo(world, face(1))
    with world.exam.write() as connection:
        record_start(connection, "web", CLOCK_US)
        record_view(connection, digest, world.site_lead_account_id, CLOCK_US)
        wanted = FootageRequest(
            world.site_lead_account_id, world.room_1, Interval(FIRST_US, FIRST_US + SECOND_US), "核查"
        )
        record_access(connection, wanted, CLOCK_US)


def lay_site(folder: Path) -> None:
    """A sound site, closed. Its files are not immutable: that is tried elsewhere."""
    world = build_world(folder / "site")
    keys, disk = world.folder / "keys", LocalDisk(immutable=False)
    volume = open_volume(world.footage, folder / "disk", FIRST_US)
    footage = Footage(Store(world.footage, disk, SimulatedClock(FIRST_US + 7200 * SECOND_US)), volume)
    with (
        closing(Checkpoints(world.exam, keys, "exam")) as exam_checkpoints,
        closing(Checkpoints(world.footage, keys, "footage")) as footage_checkpoints,
    ):
        exam_checkpoints.watch_standing(world.clock)
        record(world, footage)
        exam_checkpoints.sign(CLOCK_US)
        footage_checkpoints.sign(CLOCK_US)
        heads = {name: last_head(world.folder, keys, name) for name in ("exam", "footage")}
        kept = {name: head for name, head in heads.items() if head is not None}
        with world.exam.write() as connection:
            record_paper(connection, kept, world.site_lead_account_id, CLOCK_US)
        exam_checkpoints.sign(CLOCK_US)
    world.close()


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sound site's folder, to be copied."""
    folder = tmp_path_factory.mktemp("sound")
    lay_site(folder)
    return folder


@pytest.fixture
def site(sound: Path, tmp_path: Path) -> Site:
    folder = tmp_path / "copy"
    shutil.copytree(sound, folder)
    with closing(sqlite3.connect(folder / "site" / "footage.db")) as connection:
        connection.execute("update volume set path = ?", (str(folder / "disk"),))
        connection.commit()
        volume_uuid = connection.execute("select uuid from volume").fetchone()[0]
    return Site(Memory(folder / "site", folder / "site" / "keys"), Volume(1, volume_uuid, folder / "disk"))


@pytest.mark.parametrize("depth", list(Depth))
def test_a_sound_site_has_no_findings(site: Site, depth: Depth) -> None:
    assert site.found(depth) == []


def test_the_price_of_a_check_is_counted_as_it_goes(site: Site) -> None:
    told: list[tuple[int, int]] = []
    cost = Cost()
    look = Look(Depth.DIGEST, cost, lambda cost: told.append((cost.files, cost.read_bytes)))
    assert list(check(site.memory, look)) == []
    assert [files for files, _ in told] == [1, 2, 3, 4]
    assert cost.read_bytes == sum(path.stat().st_size for path in [*site.files(), site.picture()])


def test_a_site_that_was_never_started_has_nothing_to_be_broken(tmp_path: Path) -> None:
    assert list(check(Memory(tmp_path, tmp_path / "keys"), Look(Depth.DIGEST, Cost()))) == []


def overwrite(path: Path, content: bytes) -> None:
    path.chmod(0o644)
    path.write_bytes(content)


def remove(path: Path) -> None:
    path.unlink()


def flip(site: Site) -> None:
    flip_bit(site.files()[0])


def flip_bit(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    overwrite(path, bytes(content))


def damage_pages(site: Site) -> None:
    path = site.memory.path("footage")
    with path.open("r+b") as opened:
        opened.seek(4096 * 6)
        opened.write(b"\xff" * 4096)


def forge_leaf(site: Site) -> None:
    site.tamper("exam", "update ledger_leaf set body = '{}' where id = 0")


def older_copy(site: Site) -> None:
    """The ledger cut by its last leaf: consistent in itself, contradicted by what was signed."""
    site.tamper("exam", "delete from ledger_leaf where id = (select max(id) from ledger_leaf)")


def forge_anchor(site: Site) -> None:
    site.tamper(
        "exam",
        "update anchor set note = replace(note, char(10) || size || char(10), char(10) || '900' || char(10))",
    )


BREAKERS: dict[Code, Callable[[Site], None]] = {
    Code.DATABASE_DAMAGED: damage_pages,
    Code.UNREADABLE: lambda site: site.tamper("exam", "update ledger_leaf set body = '[]' where id > 2"),
    Code.SCHEMA_CHANGED: lambda site: site.tamper("exam_checkpoints"),
    Code.LEDGER_BROKEN: forge_leaf,
    Code.CHECKPOINT_BROKEN: older_copy,
    Code.ANCHOR_CONTRADICTED: forge_anchor,
    Code.FACT_WITHOUT_LEAF: lambda site: site.tamper(
        "footage",
        f"insert into gap (camera_uuid, started_at_us, ended_at_us, cause) "
        f"values ('{CAMERA}', 5, 6, 'stalled')",
    ),
    Code.LEAF_WITHOUT_FACT: lambda site: site.tamper("exam", "delete from footage_access"),
    Code.FACT_CHANGED: lambda site: site.tamper("exam", "update footage_access set reason = '随便看看'"),
    Code.VOLUME_UNREADABLE: lambda site: site.volume.path.rename(site.volume.path.with_name("away")) and None,
    Code.FILE_MISSING: lambda site: remove(site.files()[0]),
    Code.FILE_STRAY: lambda site: shutil.copy(site.files()[0], site.volume.footage / "copy.mp4") and None,
    Code.FILE_UNREADABLE: lambda site: (remove(site.files()[0]), _loop(site))[1],
    Code.FILE_SIZE: lambda site: overwrite(site.files()[0], b"short"),
    Code.FILE_DIGEST: flip,
    Code.FILE_DISPOSED_BUT_THERE: lambda site: site.tamper(
        "footage",
        "insert into disposal values (1, 1, 1, 'D-1', zeroblob(32), 5, 5, 5)",
    ),
    Code.QUARANTINED_MISSING: lambda site: remove(next(site.volume.quarantine.iterdir())),
    Code.DIGEST_LIST: lambda site: flip_bit(next(site.volume.footage.rglob(DAY_MANIFEST))),
    Code.PICTURE_MISSING: lambda site: remove(site.picture()),
    Code.PICTURE_CHANGED: lambda site: flip_bit(site.picture()),
    Code.FOOTAGE_OVERLAPS: lambda site: site.tamper(
        "footage", f"update segment set started_at_us = {FIRST_US + SECOND_US} where sequence = 1"
    ),
    Code.TIME_UNACCOUNTED: lambda site: site.tamper("footage", "delete from gap"),
}


def _loop(site: Site) -> None:
    """In the place of a file a link that leads to itself."""
    with closing(sqlite3.connect(site.memory.path("footage"))) as connection:
        (path,) = connection.execute("select path from segment order by path limit 1").fetchone()
    (site.volume.path / path).symlink_to(site.volume.path / path)


@pytest.mark.parametrize("code", list(Code))
def test_every_broken_law_is_found(site: Site, code: Code) -> None:
    BREAKERS[code](site)
    assert code in site.codes()


@pytest.mark.parametrize("depth", [Depth.PRESENCE, Depth.SIZE])
def test_only_reading_finds_a_flipped_bit(site: Site, depth: Depth) -> None:
    flip(site)
    assert site.codes(depth) == set()


@pytest.mark.parametrize(
    "statement",
    [
        "update segment set size_bytes = 7 where sequence = 0",
        "update segment set sha256 = zeroblob(32) where sequence = 0",
        "update segment set camera_uuid = '00000000-0000-0000-0000-0000000000c9' where sequence = 0",
        "update fragment_map set fragments = x'00' where segment_id = 1",
        "update gap set ended_at_us = ended_at_us + 1",
        "update gap set ended_at_us = null where id = 1",
        "update clock_step set step_us = 1",
        "update quarantined_file set reason = 'other'",
    ],
)
def test_an_edited_row_is_named(site: Site, statement: str) -> None:
    site.tamper("footage", statement)
    assert Code.FACT_CHANGED in site.codes(Depth.PRESENCE)


@pytest.mark.parametrize("done", ["5", "null"])
def test_a_disposed_file_that_is_gone_is_as_it_should_be(site: Site, done: str) -> None:
    with closing(sqlite3.connect(site.memory.path("footage"))) as connection:
        segment_id, path = connection.execute("select id, path from segment order by id limit 1").fetchone()
    remove(site.volume.path / path)
    row = f"({segment_id}, 1, 1, 'D-1', zeroblob(32), 5, 5, {done})"
    site.tamper("footage", f"insert into disposal values {row}")
    assert Code.FILE_MISSING not in site.codes()


def test_a_hole_that_the_schedule_explains_is_none(site: Site) -> None:
    site.tamper(
        "footage",
        "update gap set ended_at_us = started_at_us + 1000000",
        f"update run set ended_at_us = {FIRST_US + 9 * SECOND_US}, end_cause = 'schedule_over'",
    )
    assert Code.TIME_UNACCOUNTED not in site.codes()


def test_a_gap_that_begins_late_does_not_explain_the_hole(site: Site) -> None:
    site.tamper("footage", "update gap set started_at_us = started_at_us + 60000000")
    assert Code.TIME_UNACCOUNTED in site.codes()


def test_a_gap_without_an_end_explains_what_follows(site: Site) -> None:
    site.tamper("footage", "update gap set ended_at_us = null where id = 1")
    assert Code.TIME_UNACCOUNTED not in site.codes()


@pytest.mark.parametrize(
    "statement",
    [
        "update seating set place_id = (select max(id) from place) where id = 1",
        "insert into staff (name, badge_no) values ('冒名', 'B-99')",
        "delete from duty where id = 1",
        "update session set planned_start_us = planned_start_us + 1",
        "update account set password_hash = '$argon2id$other' where id = 1",
        "insert into account_role values (1, 'archivist')",
        "update camera set password_cipher = x'00'",
    ],
)
def test_a_standing_table_that_somebody_edited_is_named(site: Site, statement: str) -> None:
    site.tamper("exam", statement)
    table = statement.split()[1] if statement.startswith("update") else statement.split()[2]
    where = f"{table}: its rows do not add up to what the ledger knows"
    found = [each for each in site.found(Depth.PRESENCE) if each.code is not Code.SCHEMA_CHANGED]
    assert [(each.code, each.where) for each in found] == [(Code.FACT_CHANGED, where)]


def test_a_site_that_this_program_has_not_started_on_has_no_sums_to_hold_rows_against(site: Site) -> None:
    site.tamper("exam", "delete from table_digest", "update seating set place_id = 20 where id = 1")
    assert site.codes(Depth.PRESENCE) == {Code.LEAF_WITHOUT_FACT, Code.SCHEMA_CHANGED}


@pytest.mark.parametrize(
    "statement",
    [
        "update admission set place_id = 5",
        "update admission set candidate_id = 4",
        "delete from admission",
        "update checkin_attempt set kiosk_id = 2",
    ],
)
def test_an_admission_that_does_not_fit_its_attempt_is_named(site: Site, statement: str) -> None:
    site.tamper(
        "exam",
        "insert into kiosk (id, uuid, label, token_sha256, enrolled_at_us) select 2, 'x' || substr(uuid, 2),"
        " 'B', randomblob(32), 1 from kiosk where id = 1",
        statement,
    )
    assert any(each.where.startswith("checkin_attempt 1") for each in site.found(Depth.PRESENCE))


def test_a_part_that_cannot_be_read_does_not_keep_the_others_from_being_checked(site: Site) -> None:
    """A leaf that is no JSON, text that is no UTF-8, a key that is open to others, a missing file."""
    (site.memory.keys_folder / "ledger_exam.key").chmod(0o644)
    no_checks = "pragma ignore_check_constraints = on"
    site.tamper("footage", no_checks, "update ledger_leaf set body = '[]' where id = 1")
    site.tamper("exam", no_checks, "update footage_access set reason = cast(x'80ff' as text)")
    remove(site.files()[0])
    found = site.found(Depth.PRESENCE)
    assert {each.code for each in found} == {
        Code.SCHEMA_CHANGED,
        Code.UNREADABLE,
        Code.LEDGER_BROKEN,
        Code.FACT_CHANGED,
        Code.FACT_WITHOUT_LEAF,
        Code.FILE_MISSING,
    }
    unreadable = [each.where for each in found if each.code is Code.UNREADABLE]
    assert any("ledger_exam.key" in where for where in unreadable)
    assert any(where.startswith("leaf 1:") for where in unreadable)


def test_footage_alone_is_checked_without_the_console(site: Site) -> None:
    site.memory.path("exam").unlink()
    assert site.found() == []
    remove(site.files()[0])
    assert site.codes() == {Code.FILE_MISSING}


def test_before_a_first_start_there_is_nothing_signed_to_check(tmp_path: Path) -> None:
    WriterDatabase(tmp_path / "exam.db", "exam").close()
    assert list(check(Memory(tmp_path, tmp_path / "keys"), Look(Depth.DIGEST, Cost()))) == []


def test_an_index_that_disagrees_with_its_table_is_damage(site: Site) -> None:
    root = "(select rootpage from sqlite_master where name = 'segment_by_camera')"
    site.tamper(
        "footage",
        "pragma writable_schema = on",
        f"update sqlite_master set rootpage = {root} where name = 'gap_by_camera'",
    )
    assert any("missing from index" in finding.where for finding in site.found())


@pytest.mark.parametrize("name", ["exam", "footage", "exam_checkpoints"])
def test_a_trigger_that_was_lifted_is_named(site: Site, name: str) -> None:
    site.tamper(name)
    assert site.codes(Depth.PRESENCE) == {Code.SCHEMA_CHANGED}


def test_a_database_whose_steps_nobody_can_read_is_named(site: Site) -> None:
    site.tamper("exam", "drop table _sqlite_migrations")
    assert "exam.db: no such table: _sqlite_migrations" in {finding.where for finding in site.found()}


def test_an_unknown_step_of_the_schema_is_named(site: Site) -> None:
    change = (
        "insert into _sqlite_migrations (migration_set, name, applied_at) values ('kaochang.exam', 'x', '')"
    )
    with closing(sqlite3.connect(site.memory.path("exam"))) as connection:
        connection.execute(change)
        connection.commit()
    assert [finding.where for finding in site.found()] == ["exam.db: x is not as the program made it"]


def test_a_schema_whose_last_step_is_still_to_come_is_none(site: Site) -> None:
    with closing(sqlite3.connect(site.memory.path("exam_checkpoints"))) as connection:
        connection.execute("delete from _sqlite_migrations")
        connection.execute("drop table checkpoint")
        connection.commit()
        assert list(check_schema(connection, "checkpoint", "exam_checkpoints.db")) == []


def test_a_checkpoint_that_is_no_longer_in_its_place_is_named(site: Site) -> None:
    site.tamper("exam_checkpoints", "update checkpoint set id = 9 where id = 1")
    assert Code.CHECKPOINT_BROKEN in site.codes(Depth.PRESENCE)


def test_an_anchor_whose_copy_is_no_longer_signed_is_named(site: Site) -> None:
    site.tamper("exam", "update anchor set note = replace(note, char(8212), '-')")
    assert Code.ANCHOR_CONTRADICTED in site.codes(Depth.PRESENCE)


def test_rows_that_refer_to_nothing_are_damage(site: Site) -> None:
    site.tamper("footage", "delete from run")
    assert Code.DATABASE_DAMAGED in site.codes()


def test_a_file_of_no_database_is_damage(site: Site) -> None:
    for tail in ("", "-wal", "-shm"):
        site.memory.path("footage").with_name(f"footage.db{tail}").unlink(missing_ok=True)
    site.memory.path("footage").write_bytes(b"no database at all, but long enough to be read" * 200)
    assert site.codes() == {Code.DATABASE_DAMAGED}


def test_a_checkpoint_of_another_root_or_key_is_named(site: Site) -> None:
    with closing(sqlite3.connect(site.memory.folder / "exam_checkpoints.db")) as connection:
        connection.execute("drop trigger checkpoint_never_changes")
        connection.execute("update checkpoint set note = 'nothing' where id = 1")
        connection.commit()
    assert Code.CHECKPOINT_BROKEN in site.codes()


def test_checkpoints_that_changed_places_are_named(site: Site) -> None:
    other = "select note from checkpoint as other where other.id = 3 - checkpoint.id"
    site.tamper("exam_checkpoints", f"update checkpoint set note = ({other})")
    assert "it does not follow the one before" in " ".join(
        found.where for found in site.found() if found.code is Code.CHECKPOINT_BROKEN
    )


def test_a_ledger_that_lost_its_subtrees_contradicts_its_checkpoints(site: Site) -> None:
    site.tamper("footage", "delete from ledger_node")
    assert Code.CHECKPOINT_BROKEN in site.codes(Depth.PRESENCE)


def test_leaves_without_checkpoints_or_key_are_named(site: Site) -> None:
    (site.memory.keys_folder / "ledger_exam.key").unlink()
    (site.memory.folder / "footage_checkpoints.db").unlink()
    assert {f.where.split(":")[0] for f in site.found() if f.code is Code.CHECKPOINT_BROKEN} == {
        "exam",
        "footage",
    }


def test_a_ledger_written_anew_is_found_by_its_checkpoints(site: Site) -> None:
    site.tamper("footage", "delete from ledger_node", "delete from ledger_leaf")
    database = WriterDatabase(site.memory.path("footage"), "footage")
    with database.write() as connection:
        for number in range(30):
            append(connection, LeafKind.CLOCK_STEP, {"clock_step_id": 1, "step_us": number}, CLOCK_US)
    database.close()
    assert {Code.CHECKPOINT_BROKEN, Code.ANCHOR_CONTRADICTED} <= site.codes()


def test_a_file_ingested_while_the_check_looks_is_no_stray(site: Site) -> None:
    late = site.volume.footage / "late.mp4"
    shutil.copy(site.files()[0], late)

    def enter_late(cost: Cost) -> None:
        if cost.files == 1:
            with closing(sqlite3.connect(site.memory.path("footage"))) as connection:
                connection.execute(
                    "insert into segment (run_id, sequence, camera_uuid, volume_id, path, started_at_us,"
                    " ended_at_us, media_us, clock_source, size_bytes, sha256, origin, ingested_at_us)"
                    " select run_id, 77, camera_uuid, volume_id, 'footage/late.mp4', started_at_us,"
                    " ended_at_us,"
                    " media_us, clock_source, size_bytes, sha256, origin, ingested_at_us from segment limit 1"
                )
                connection.commit()

    found = list(check(site.memory, Look(Depth.PRESENCE, Cost(), enter_late)))
    assert Code.FILE_STRAY not in {finding.code for finding in found}
