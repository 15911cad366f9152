"""The kiosk agent: holds the state of the candidate screen and runs everything beside it.

Four threads: one watches the camera, one asks about the candidate, one lets time pass, one keeps in touch
with the console. They share only the state behind one lock; the page waits for its changes.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, Final

import structlog

from config.kiosk_screen import KioskWords
from exam.clock import Clock
from exam.identity import DocumentType, looks_resident, normalise, number_fault
from exam.kiosk_health import Part
from exam.outcomes import Outcome
from exam.self_test import Standing
from exam.tickets import normalise_ticket
from kiosk.acceptance import Acceptance
from kiosk.asking import Asker, not_judged
from kiosk.contact import Contact, Told
from kiosk.device_board import DeviceBoard
from kiosk.flow import step
from kiosk.scan import Scan
from kiosk.screen import SENT_ELSEWHERE, Camera, describe, map_told
from kiosk.visit import (
    Answered,
    Asking,
    Collecting,
    Fitness,
    Flow,
    Happened,
    Hint,
    Idle,
    IdNumberGiven,
    Input,
    NeedsIdNumber,
    NotUsable,
    OutOfUse,
    TicketRead,
)

TICK_SECONDS: Final = 0.2
PROBE_SECONDS: Final = 5.0
LOST_PROBE_SECONDS: Final = 1.0

# Its address may hold a password, so the board does not name it by that.
CAMERA: Final = "camera"
FACE_CAMERA: Final = "face camera"

_log: Final = structlog.get_logger("kiosk")


class Usable(StrEnum):
    """What a typed or keyed-in number turned out to be."""

    ID_NUMBER = "id_number"
    TICKET = "ticket"
    NEITHER = "neither"


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The screen at one moment; `version` grows with every change."""

    version: int
    screen: dict[str, Any]


@dataclass
class Agent:
    """State and threads of one kiosk."""

    contact: Contact
    asker: Asker
    acceptance: Acceptance
    words: KioskWords
    clock: Clock
    # False: which console it belongs to cannot be read any more, and a person must enrol it again.
    has_place: bool = True
    board: DeviceBoard = field(init=False)
    _flow: Flow = field(default_factory=Idle, init=False)
    _camera: Camera = field(default=Camera(works=True), init=False)
    _version: int = field(default=1, init=False)
    _told: Told = field(init=False)
    _changed: threading.Condition = field(default_factory=threading.Condition, init=False, repr=False)
    _stopping: threading.Event = field(default_factory=threading.Event, init=False, repr=False)
    # Set when the console was lost: look for it more often, beginning now.
    _hurry: threading.Event = field(default_factory=threading.Event, init=False, repr=False)
    _threads: list[threading.Thread] = field(default_factory=list, init=False, repr=False)

    def __post_init__(self) -> None:
        self.board = DeviceBoard(self.clock, self.device_changed)
        self._told = self.contact.told
        self.board.fit(CAMERA, Part.CAMERA)

    def happened(self, what: Input) -> None:
        """Take the next step and tell the page when that changed something."""
        with self._changed:
            before = self._flow
            self._flow = step(before, what, self.clock.monotonic_us())
            if what is Happened.RESTART or (isinstance(before, OutOfUse) and isinstance(self._flow, Idle)):
                self.acceptance.forget()
            if self._flow != before:
                self._version += 1
                self._changed.notify_all()
            if isinstance(self._flow, OutOfUse):
                self._hurry.set()

    def camera_is(self, camera: Camera) -> None:
        """The camera was found or lost."""
        with self._changed:
            self._camera = camera
        if camera.works:
            self.board.works(CAMERA, Part.CAMERA)
        else:
            self.board.lost(CAMERA, Part.CAMERA, camera.reason, is_covered=camera.is_covered)

    def device_changed(self) -> None:
        """A device was plugged in or lost: the page has to hear of it."""
        with self._changed:
            self._version += 1
            self._changed.notify_all()

    def photo_is_due(self) -> bool:
        """Whether a photo of the candidate must be taken now."""
        flow = self._flow
        if not isinstance(flow, Collecting) or flow.need is not Outcome.NEED_PHOTO:
            return False
        return self.clock.monotonic_us() >= flow.shoot_at_us

    def face_camera_is(self, reason: str) -> None:
        """The second camera was lost for a reason, or (without one) found."""
        if reason:
            self.board.lost(FACE_CAMERA, Part.FACE_CAMERA, reason)
        else:
            self.board.works(FACE_CAMERA, Part.FACE_CAMERA)

    def wants_number(self) -> bool:
        """Whether a ticket was read and the number of its holder's document is missing."""
        return isinstance(self._flow, NeedsIdNumber)

    def number_given(self, text: str) -> Usable:
        """Take a number that was typed or came from a reader; a gun may also send a ticket's."""
        number = normalise(text)
        if number_fault(DocumentType.ID_CARD, number) is None:
            self.happened(IdNumberGiven(number))
            return Usable.ID_NUMBER
        if self.acceptance.knows_forms and self.acceptance.has_form(text):
            self.happened(TicketRead(normalise_ticket(text)))
            return Usable.TICKET
        if number and not looks_resident(number):
            # A passport or another document: the console refers its holder to a person, on record.
            self.happened(IdNumberGiven(number))
            return Usable.ID_NUMBER
        self.happened(NotUsable(Hint.ID_CHECKSUM))
        return Usable.NEITHER

    def snapshot(self, after: int = 0, timeout_s: float = 0.0) -> Snapshot:
        """The screen; waits up to `timeout_s` for a version later than `after`."""
        with self._changed:
            self._changed.wait_for(lambda: self._version > after or self._stopping.is_set(), timeout_s)
            camera = replace(self._camera, has_gun=self.board.has_working(Part.SCANNER))
            screen = describe(self._flow, camera, self.words, self.clock.monotonic_us())
            if screen.get("outcome") in SENT_ELSEWHERE:
                screen["map"] = map_told(self.contact.packages.map_of(screen["room_label"]))
            standing = _standing(self._told, self.words, has_place=self.has_place)
            return Snapshot(self._version, {**screen, **standing, "devices": self.board.told()})

    def start(self, *others: Callable[[threading.Event], None]) -> None:
        """Start the threads; `others` (the watcher) run beside them until `stop`."""
        for work in (self._ask, self._tick, self._keep_in_touch, *others):
            thread = threading.Thread(target=work, args=(self._stopping,), name="kiosk", daemon=True)
            thread.start()
            self._threads.append(thread)

    def let_go(self) -> None:
        """Begin to stop: waiting pages and threads are let go, nobody is waited for."""
        self._stopping.set()
        self._hurry.set()
        with self._changed:
            self._changed.notify_all()

    def stop(self, patience_s: float = 5.0) -> None:
        """Stop, and wait until the threads have ended."""
        self.let_go()
        for thread in self._threads:
            thread.join(patience_s)

    def _ask(self, stopping: threading.Event) -> None:
        while not stopping.is_set():
            with self._changed:
                self._changed.wait_for(lambda: stopping.is_set() or isinstance(self._flow, Asking))
                asking = self._flow
            if isinstance(asking, Asking):
                self.happened(self._answered(asking.scan))
                self._stands(self.contact.told)

    def _answered(self, scan: Scan) -> Answered:
        try:
            return self.asker.ask(scan)
        except Exception as error:  # noqa: BLE001 - the next candidate is asked about all the same
            return Answered(not_judged(error))

    def _tick(self, stopping: threading.Event) -> None:
        while not stopping.wait(TICK_SECONDS):
            self.happened(Happened.TICK)

    def _keep_in_touch(self, stopping: threading.Event) -> None:
        while not stopping.is_set():
            self._try_to_hear()
            if isinstance(self._flow, OutOfUse) or not self._told.is_heard:
                stopping.wait(LOST_PROBE_SECONDS)
            else:
                self._hurry.clear()
                if not stopping.is_set():
                    self._hurry.wait(PROBE_SECONDS)

    def _try_to_hear(self) -> None:
        try:
            self._hear()
        except Exception as error:  # noqa: BLE001 - who stops listening brings no scan any more
            _log.error("turn broken off", error=type(error).__name__)

    def _hear(self) -> None:
        self._stands(self.contact.turn(self.board.parts()))
        if self._told.ticket_forms is not None:
            self.acceptance.expect(self._told.ticket_forms)
        self.happened(Fitness(self._told.reasons))

    def _stands(self, told: Told) -> None:
        """Keep how the kiosk stands, and tell the page when that changed."""
        with self._changed:
            if _standing(told, self.words) != _standing(self._told, self.words):
                self._version += 1
                self._changed.notify_all()
            if told.is_alone:
                self._hurry.set()
            self._told = told


def _standing(told: Told, words: KioskWords, *, has_place: bool = True) -> dict[str, Any]:
    """How the kiosk stands: as values, and as the small line that staff read."""
    standing = {
        "alone": told.is_alone,
        "queue": told.counts.waiting,
        "needs_human": told.counts.needs_human,
        "self_test": told.self_test or "",
    }
    said = [
        "" if has_place else words.standing.no_place,
        words.standing.alone if told.is_alone else "",
        words.standing.queue.format(told.counts.waiting) if told.counts.waiting else "",
        words.standing.needs_human.format(told.counts.needs_human) if told.counts.needs_human else "",
        words.standing.failed if told.self_test is Standing.FAILED else "",
    ]
    return {**standing, "standing": " · ".join(filter(None, said))}
