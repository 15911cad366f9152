import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import pytest

from config.settings import RecorderSettings, Settings
from evidence.footage import Cause
from evidence.volume_look import Look, Looker, Place, Trouble, places
from evidence.volume_rows import volume_states, write_volume_states
from evidence.volumes import Volume
from exam.clock import SECOND_US, SimulatedClock
from recorder.volume_desk import VolumeDesk
from recorder.volume_watch import BACK_OFF_US, FORGIVEN_US, PATIENCE_US, VolumeWatch
from tests.evidence.store import CAMERA, FIRST_US, Footage, open_footage
from tests.recorder.bench_of_fakes import at, open_fakes, source
from tests.recorder.live import wait_until

A, B, RESERVE = (Path("/volumes") / name for name in ("a", "b", "reserve"))


@dataclass
class FakeLooker:
    """Finds at each place what a test says; hangs where it says so."""

    troubles: dict[Path, Trouble | None] = field(default_factory=dict)
    uuids: dict[Path, str] = field(default_factory=dict)
    hanging: dict[Path, threading.Event] = field(default_factory=dict)
    crashes: bool = False
    looks: int = 0

    def look(self, place: Place, _now_us: int) -> Look:
        self.looks += 1
        if place.path in self.hanging:
            self.hanging[place.path].wait(60)
        if self.crashes:
            raise RuntimeError("no such thing")
        trouble = self.troubles.get(place.path)
        if trouble is not None and trouble.cause is Cause.DISK_MISSING:
            return Look(place, None, trouble, "volume x", "volume y")
        uuid = self.uuids.get(place.path, str(place.path))
        return Look(place, Volume(len(uuid), uuid, place.path), trouble)


@dataclass
class Watching:
    looker: FakeLooker
    clock: SimulatedClock
    watch: VolumeWatch

    def volume(self, path: Path) -> Volume:
        uuid = self.looker.uuids.get(path, str(path))
        return Volume(len(uuid), uuid, path)

    def look_again(self) -> None:
        """What the threads do every two seconds, done now."""
        for one in self.watch._watched:
            self.watch.look_once(one)

    def admit_all(self) -> None:
        for volume in self.watch.to_adopt():
            self.watch.admit(volume)


@pytest.fixture
def watching() -> Iterator[Watching]:
    looker, clock = FakeLooker(), SimulatedClock(FIRST_US)
    watch = VolumeWatch(looker, places([A, B], RESERVE, 0), clock)
    opened = Watching(looker, clock, watch)
    opened.look_again()
    yield opened
    watch.close()


def test_the_first_volume_that_takes_footage_is_chosen_and_the_reserve_last(watching: Watching) -> None:
    watching.admit_all()
    chosen = []
    for path in (A, B, RESERVE):
        volume = watching.watch.choose()
        assert isinstance(volume, Volume)
        chosen.append(volume.path)
        watching.looker.troubles[path] = Trouble.FULL
        watching.look_again()
    assert chosen == [A, B, RESERVE]
    assert watching.watch.choose() is Cause.DISK_FULL
    watching.looker.troubles[B] = Trouble.READ_ONLY
    watching.look_again()
    assert watching.watch.choose() is Cause.DISK_FAULT
    watching.looker.troubles[B] = None
    watching.look_again()
    assert watching.watch.choose() == watching.volume(B)


def test_nothing_is_written_to_a_volume_before_what_lies_there_was_adopted(watching: Watching) -> None:
    assert watching.watch.choose() is Cause.DISK_MISSING
    assert [volume.path for volume in watching.watch.to_adopt()] == [A, B, RESERVE]
    watching.watch.adoption_asked(watching.volume(A))
    assert [volume.path for volume in watching.watch.to_adopt()] == [B, RESERVE]
    watching.clock.sleep_us(11 * SECOND_US)
    assert [volume.path for volume in watching.watch.to_adopt()] == [A, B, RESERVE]
    watching.watch.admit(watching.volume(A))
    assert watching.watch.choose() == watching.volume(A)


def test_a_volume_that_went_away_is_adopted_anew_when_it_is_back(watching: Watching) -> None:
    watching.admit_all()
    watching.looker.troubles[A] = Trouble.NOT_MOUNTED
    watching.look_again()
    assert watching.watch.cause_to_leave(watching.volume(A)) is Cause.DISK_MISSING
    assert watching.watch.choose() == watching.volume(B)
    watching.looker.troubles[A] = None
    watching.look_again()
    assert watching.watch.choose() == watching.volume(B)
    watching.admit_all()
    assert watching.watch.choose() == watching.volume(A)


def test_another_volume_at_the_same_place_is_not_the_one_that_was_written_to(watching: Watching) -> None:
    watching.admit_all()
    before = watching.volume(A)
    watching.looker.uuids[A] = "another"
    watching.look_again()
    assert watching.watch.cause_to_leave(before) is Cause.DISK_MISSING
    watching.watch.admit(before)
    assert watching.watch.choose() == watching.volume(B)


def test_a_volume_that_fails_under_a_camera_is_left_alone_each_time_longer(watching: Watching) -> None:
    watching.admit_all()
    waits = []
    for _ in range(6):
        watching.watch.blame(watching.volume(A))
        watching.watch.blame(watching.volume(A))
        waited_us = 0
        while watching.watch.choose() != watching.volume(A):
            assert watching.watch.found()[0].trouble is Trouble.FAULT
            watching.clock.sleep_us(SECOND_US)
            waited_us += SECOND_US
        waits.append(waited_us // SECOND_US)
    assert waits == [10, 20, 40, 80, 160, 160]
    watching.clock.sleep_us(FORGIVEN_US + SECOND_US)
    watching.watch.blame(watching.volume(A))
    watching.clock.sleep_us(BACK_OFF_US)
    assert watching.watch.choose() == watching.volume(A)


def test_a_disk_that_hangs_is_told_first_and_left_only_after_patience(watching: Watching) -> None:
    watching.admit_all()
    watching.looker.hanging[A] = threading.Event()
    thread = threading.Thread(target=watching.watch.look_once, args=(watching.watch._watched[0],))
    before = watching.looker.looks
    thread.start()
    wait_until(lambda: watching.looker.looks > before)
    a = watching.volume(A)
    assert (watching.watch.is_slow(a), watching.watch.choose()) == (False, a)
    watching.clock.sleep_us(SECOND_US)
    assert watching.watch.is_slow(a)
    watching.clock.sleep_us(2 * SECOND_US)
    assert watching.watch.choose() == watching.volume(B)
    assert watching.watch.found()[0].trouble is Trouble.NO_ANSWER
    assert watching.watch.cause_to_leave(a) is None
    watching.clock.sleep_us(PATIENCE_US)
    assert watching.watch.cause_to_leave(a) is Cause.DISK_FAULT
    watching.looker.hanging[A].set()
    thread.join()
    assert watching.watch.cause_to_leave(a) is None
    assert watching.watch.choose() == a


def test_a_look_that_crashes_takes_no_disk_from_the_cameras(watching: Watching) -> None:
    watching.admit_all()
    watching.looker.crashes = True
    watching.look_again()
    assert watching.watch.choose() == watching.volume(A)
    unseen = VolumeWatch(watching.looker, places([A], None, 0), watching.clock)
    unseen.look_once(unseen._watched[0])
    assert [found.trouble for found in unseen.found()] == [Trouble.FAULT]


def test_a_volume_of_no_place_is_left_and_blamed_in_vain(watching: Watching) -> None:
    stranger = Volume(9, "stranger", Path("/elsewhere"))
    watching.watch.blame(stranger)
    watching.watch.admit(stranger)
    watching.watch.adoption_asked(stranger)
    assert watching.watch.cause_to_leave(stranger) is Cause.DISK_MISSING
    assert not watching.watch.is_slow(stranger)


def test_a_start_waits_for_disks_that_answer_and_not_for_others() -> None:
    looker = FakeLooker(hanging={A: threading.Event()})
    watch = VolumeWatch(looker, places([A, B], None, 0), SimulatedClock(FIRST_US))
    threading.Timer(0.3, looker.hanging[A].set).start()
    watch.start(60)
    assert watch.found()[0].trouble is None
    watch.close()
    unanswered = VolumeWatch(looker, places([A], None, 0), SimulatedClock(FIRST_US))
    assert unanswered.found()[0].trouble is Trouble.NO_ANSWER


def desk_of(footage: Footage, folder: Path) -> VolumeDesk:
    settings = Settings(
        data_folder=folder,
        recorder=RecorderSettings(volumes=[folder / "disk", folder / "other"], keep_free_mb=0),
    )
    return VolumeDesk(settings, footage.store)


def test_the_desk_adopts_at_the_start_and_publishes_what_it_found(tmp_path: Path) -> None:
    with open_footage(tmp_path) as footage:
        footage.grow()
        desk = desk_of(footage, tmp_path)
        desk.start()
        assert len(footage.segments(CAMERA)) == 1
        assert desk.watch.choose() == footage.volume
        assert [trouble for _, trouble in desk.shown()] == [None, None]
        found = desk.found([(footage.volume, 3_000_000), (footage.volume, 1_000_000), (None, 5)])
        with footage.database.write() as connection:
            write_volume_states(connection, found, FIRST_US)
        with footage.database.read() as connection:
            states = volume_states(connection)
        assert [state.write_bps for state in states] == [4_000_000, 0]
        desk.watch.close()


def test_a_volume_that_comes_back_is_adopted_once_no_camera_writes_there(
    tmp_path: Path,
) -> None:
    with open_fakes(tmp_path) as fakes:
        desk = desk_of(fakes.footage, tmp_path)
        aside = tmp_path / "unplugged"
        fakes.footage.grow()
        fakes.footage.volume.path.rename(aside)
        desk.start()
        assert desk.watch.choose() != fakes.footage.volume
        aside.rename(fakes.footage.volume.path)
        wait_until(lambda: fakes.footage.volume in desk.watch.to_adopt())
        fakes.recorder.set_cameras([source()], at(0))
        fakes.recorder.tick(at(0))
        desk.take_back(fakes.keeper, fakes.recorder.everybody())
        fakes.child.ends(at(1))
        desk.take_back(fakes.keeper, fakes.recorder.everybody())
        fakes.settled()
        assert len(fakes.footage.segments(CAMERA)) == 1
        assert desk.watch.choose() == fakes.footage.volume
        desk.watch.close()


def test_a_volume_that_is_asked_for_twice_is_adopted_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with open_fakes(tmp_path) as fakes:
        desk = desk_of(fakes.footage, tmp_path)
        desk.watch.start(60)
        for _ in range(3):  # the first of them takes longer than the patience for it
            for volume in desk.watch.to_be_admitted():
                fakes.keeper.take_back(partial(desk._adopt_one, volume))
        fakes.settled()
        assert capsys.readouterr().out.count("volume_admitted") == 2
        desk.watch.close()


def test_a_real_looker_and_a_real_folder_go_together(tmp_path: Path) -> None:
    with open_footage(tmp_path) as footage:
        (place,) = places([tmp_path / "disk"], None, 0)
        watch = VolumeWatch(Looker(footage.database), [place], SimulatedClock(FIRST_US))
        watch.start(60)
        assert watch.to_adopt() == [footage.volume]
        watch.close()
