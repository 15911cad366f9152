"""The photo at check-in: checked, taken again, given up, and never lost once a check-in names it."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path

import pytest

from evidence.kiosk_outbox import Outbox
from exam.admission_facts import Policy, Provided, Step
from exam.clock import SECOND_US, SimulatedClock
from exam.kiosk_health import Part, PartState
from exam.outcomes import Outcome
from kiosk.bringing import NOT_TAKEN, UNOPENED, bring_pictures
from kiosk.camera import CameraLostError
from kiosk.local import Local
from kiosk.photos import PATIENCE_US, FaceCamera, Photographer, fault_of, photo_of
from kiosk.scan import Scan
from kiosk.scanner import Picture
from kiosk.visit import Collecting, Happened, Hint, Input, PhotoTaken, PhotoUnusable
from tests.evidence.check_ins import RULES
from tests.kiosk.paper import face
from tests.kiosk.rostered_kiosk import rostered
from tests.kiosk.stage import ID_NUMBER, TICKET, FakeConsole, agent_of, local_of
from tests.world import World

NOW_US = 1_800_000_000_000_000
PARTS = {Part.CAMERA: PartState.OK}
PHOTO = photo_of(face())
SCAN = Scan(TICKET, ID_NUMBER, provided=Provided(photo_sha256=PHOTO.sha256_hex), pictures=(PHOTO,))


@pytest.mark.parametrize(
    ("frame", "fault"),
    [
        (face(), None),
        (face(0.5), None),
        (face(1.3), None),
        (face(0.2), Hint.TOO_DARK),
        (face(2.5), Hint.TOO_BRIGHT),
        (face(blur=5), Hint.BLURRED),
        (face(1.3, blur=6), Hint.BLURRED),
        (face(0.4, blur=4), Hint.BLURRED),
    ],
)
def test_a_photo_that_nobody_could_compare_is_not_taken(frame: Picture, fault: Hint | None) -> None:
    assert fault_of(frame) == fault


def test_a_photo_is_a_jpeg_of_moderate_size_known_by_its_digest() -> None:
    assert PHOTO.content[:3] == b"\xff\xd8\xff"
    assert len(PHOTO.content) < 400_000
    assert PHOTO.sha256_hex == sha256(PHOTO.content).hexdigest()


@dataclass
class Person:
    """Stands there and waits for the photo."""

    is_due: bool = True
    heard: list[Input] = field(default_factory=list)

    def photo_is_due(self) -> bool:
        return self.is_due

    def happened(self, what: Input) -> None:
        self.heard.append(what)


def test_the_photographer_takes_what_is_due_and_says_what_is_wrong() -> None:
    person, frames = Person(is_due=False), [face(0.2), face()]
    photographer = Photographer(lambda: frames.pop(0), person, SimulatedClock(NOW_US))
    photographer.turn()
    assert person.heard == []
    person.is_due = True
    photographer.turn()
    photographer.turn()
    unusable, taken = person.heard
    assert unusable == PhotoUnusable(Hint.TOO_DARK)
    assert isinstance(taken, PhotoTaken)


def test_without_camera_somebody_helps_after_three_seconds() -> None:
    person, clock = Person(), SimulatedClock(NOW_US)
    photographer = Photographer(lambda: None, person, clock)
    for _ in range(2):
        photographer.turn()
    assert person.heard == []
    clock.sleep_us(PATIENCE_US)
    photographer.turn()
    assert person.heard == [Happened.NO_CAMERA]


class Shop:
    """Where face cameras come from: gone at first, then one that gives two pictures and is pulled out."""

    def __init__(self, stopping: threading.Event) -> None:
        self.stopping, self.opened, self.closed = stopping, 0, 0
        self.pictures: list[Picture | None] = [None, face()]

    def open(self) -> "Shop":
        self.opened += 1
        if self.opened == 1:
            raise CameraLostError("USB camera 1 cannot be opened")
        return self

    def next_picture(self) -> Picture | None:
        if self.pictures:
            return self.pictures.pop(0)
        self.stopping.set()
        raise CameraLostError("USB camera 1 gives no pictures any more")

    def close(self) -> None:
        self.closed += 1


def test_a_face_camera_is_opened_again_and_a_stale_picture_never_given() -> None:
    stopping, told = threading.Event(), list[str]()
    shop = Shop(stopping)
    camera = FaceCamera(shop.open, told.append)
    camera.retry_seconds = 0
    camera.run(stopping)
    assert told == ["USB camera 1 cannot be opened", "", "USB camera 1 gives no pictures any more"]
    assert (camera.newest, shop.closed) == (None, 1)


def test_the_agent_asks_for_a_photo_when_the_countdown_is_over(tmp_path: Path) -> None:
    console, clock = FakeConsole(), SimulatedClock(NOW_US)
    with agent_of(console, tmp_path, clock) as agent:
        assert not agent.photo_is_due()
        agent._flow = Collecting(
            Scan(TICKET, ID_NUMBER), (Outcome.NEED_PHOTO,), 60 * SECOND_US, shoot_at_us=SECOND_US
        )
        assert not agent.photo_is_due()
        clock.sleep_us(SECOND_US)
        assert agent.photo_is_due()
        agent.board.fit("face camera", Part.FACE_CAMERA)
        agent.face_camera_is("USB camera 1 cannot be opened")
        assert agent.board.parts()[Part.FACE_CAMERA] is PartState.LOST
        agent.face_camera_is("")
        assert agent.board.parts()[Part.FACE_CAMERA] is PartState.OK


@pytest.fixture
def console() -> FakeConsole:
    return FakeConsole()


@pytest.fixture
def local(console: FakeConsole, tmp_path: Path) -> Iterator[Local]:
    opened = local_of(console, tmp_path, SimulatedClock(NOW_US))
    opened.contact.turn(PARTS)
    yield opened
    opened.close()


def kept(local: Local) -> list[tuple[str, bool, str]]:
    """Digest, whether its bytes are still here, and what is wrong, of every picture."""
    with local.store.database.read() as connection:
        rows = connection.execute(
            "select sha256, sealed_content is not null, problem from picture"
        ).fetchall()
    return [(row[0], bool(row[1]), row[2]) for row in rows]


def test_the_console_has_the_photo_before_the_check_in_that_names_it(
    local: Local, console: FakeConsole
) -> None:
    seen = list[int]()
    ask = console.check_in
    console.check_in = lambda body: (seen.append(len(console.pictures)), ask(body))[1]  # type: ignore[method-assign, func-returns-value]
    local.asker.ask(SCAN)
    assert seen == [1]
    assert console.pictures == {PHOTO.sha256_hex: ("photo", "image/jpeg", PHOTO.content)}
    assert console.asked[0]["provided"]["photo_sha256"] == PHOTO.sha256_hex
    assert "pictures" not in console.asked[0]
    assert kept(local) == [(PHOTO.sha256_hex, False, "")]


def test_a_photo_taken_alone_survives_the_restart_and_is_brought_first(
    console: FakeConsole, tmp_path: Path
) -> None:
    local = local_of(console, tmp_path, SimulatedClock(NOW_US))
    local.contact.turn(PARTS)
    console.is_away = True
    local.asker.ask(SCAN)
    assert kept(local) == [(PHOTO.sha256_hex, True, "")]
    local.close()
    stored = b"".join(path.read_bytes() for path in tmp_path.glob("kiosk.db*"))
    assert PHOTO.content[100:200] not in stored
    console.is_away = False
    local = local_of(console, tmp_path, SimulatedClock(NOW_US))
    local.contact.turn(PARTS)
    assert list(console.pictures) == [PHOTO.sha256_hex]
    assert console.asked[0]["provided"]["photo_sha256"] == PHOTO.sha256_hex
    assert kept(local) == [(PHOTO.sha256_hex, False, "")]
    local.close()


def test_a_console_lost_while_it_gets_the_photo_costs_the_candidate_nothing(
    local: Local, console: FakeConsole
) -> None:
    console.is_away = True
    assert local.asker.ask(SCAN).is_offline
    assert console.asked == []
    console.is_away = False
    local.contact.turn(PARTS)
    assert (len(console.pictures), len(console.asked)) == (1, 1)


def test_a_photo_that_the_console_refuses_waits_for_a_person_and_holds_up_nobody(
    local: Local, console: FakeConsole
) -> None:
    console.refuses_pictures = True
    assert local.asker.ask(SCAN).answer == console.answer
    assert kept(local) == [(PHOTO.sha256_hex, True, NOT_TAKEN)]
    assert local.contact.told.counts.needs_human == 1
    (aside,) = local.contact._outbox.aside()
    assert (aside.outcome, aside.problem) == ("OK_ADMITTED", NOT_TAKEN)


def test_a_photo_that_cannot_be_opened_any_more_is_kept_for_a_person(
    local: Local, console: FakeConsole, tmp_path: Path
) -> None:
    console.is_away = True
    local.asker.ask(SCAN)
    with local.store.database.read() as connection:
        nonce = connection.execute("select nonce from scan").fetchone()[0]
    bring_pictures(console, Outbox(local.store.database, tmp_path / "other.key"), nonce)
    assert console.pictures == {}
    assert kept(local) == [(PHOTO.sha256_hex, True, UNOPENED)]


def test_a_scan_and_its_photo_are_kept_together_or_not_at_all(local: Local, console: FakeConsole) -> None:
    with local.store.database.write() as connection:
        connection.execute(
            "create trigger full before insert on picture begin select raise(abort, 'full'); end"
        )
    assert local.asker.ask(SCAN).answer.outcome == "SYS_DISK"
    assert (console.asked, console.pictures) == ([], {})
    with local.store.database.read() as connection:
        assert connection.execute("select count(*) from scan").fetchone()[0] == 0


def test_a_kiosk_alone_asks_for_the_same_steps_and_lets_in_whoever_gave_them(
    world: World, tmp_path: Path
) -> None:
    steps = frozenset({Step.PHOTO, Step.BAG})
    kiosk = rostered(world, tmp_path / "kiosk", replace(RULES, policy=Policy(steps=steps)))
    kiosk.local.contact.turn(PARTS)
    kiosk.local.contact.lost()
    scan = Scan(world.on_time.ticket_no, world.on_time.id_number)
    first = kiosk.local.asker.ask(scan)
    assert (first.answer.outcome, first.answer.needs) == ("NEED_PHOTO", ("NEED_PHOTO", "NEED_BAG"))
    given = Provided(photo_sha256=PHOTO.sha256_hex, bag_no="7")
    second = kiosk.local.asker.ask(replace(scan, provided=given, pictures=(PHOTO,)))
    assert (second.answer.outcome, second.is_offline) == ("OK_OFFLINE", True)
    refused = kiosk.local.asker.ask(replace(scan, declared=frozenset({Outcome.PHOTO_REFUSED})))
    assert refused.answer.outcome in {"OK_ALREADY_HERE", "PHOTO_REFUSED"}
    kiosk.local.close()
