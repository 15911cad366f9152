"""The eye: reads what it sees, says a lost camera once, opens it again."""

import threading
from collections.abc import Callable

import numpy as np

from exam.clock import SECOND_US, SimulatedClock, SystemClock
from kiosk.acceptance import Acceptance
from kiosk.camera import CameraLostError
from kiosk.scanner import Picture, Reading
from kiosk.screen import Camera
from kiosk.visit import Hint, Input, NotUsable, TicketRead
from kiosk.watching import COVERED, Watcher
from tests.kiosk.paper import bars, tray
from tests.kiosk.stage import FORM, TICKET

PICTURE = np.zeros((4, 4, 3), np.uint8)


class Notebook:
    """Remembers everything it is told; stops the watcher after so many notes."""

    def __init__(self, stop_after: int) -> None:
        self.notes: list[Input | Camera] = []
        self.stopping = threading.Event()
        self._stop_after = stop_after

    def happened(self, what: Input) -> None:
        self._note(what)

    def camera_is(self, camera: Camera) -> None:
        self._note(camera)

    def _note(self, what: Input | Camera) -> None:
        self.notes.append(what)
        if len(self.notes) >= self._stop_after:
            self.stopping.set()


class Script:
    """A source that gives pictures, pauses (None) and failures in order."""

    def __init__(self, *acts: Picture | str | None) -> None:
        self._acts = list(acts)
        self.is_closed = False

    def next_picture(self) -> Picture | None:
        act = self._acts.pop(0) if self._acts else "over"
        if isinstance(act, str):
            raise CameraLostError(act)
        return act

    def close(self) -> None:
        self.is_closed = True


class Eye:
    def scan(self, frame: Picture) -> list[Reading]:
        del frame
        return [Reading("QRCODE", TICKET)]


def watched(notebook: Notebook, opened: Callable[[], Script]) -> Watcher:
    watcher = Watcher(opened, Eye(), Acceptance([FORM]), notebook, SystemClock())
    watcher.retry_seconds = 0.01
    thread = threading.Thread(target=watcher.run, args=(notebook.stopping,))
    thread.start()
    thread.join(60)
    assert not thread.is_alive()
    return watcher


def test_a_ticket_in_view_is_told_once() -> None:
    notebook, script = Notebook(3), Script(PICTURE, None, PICTURE, "unplugged")
    watcher = watched(notebook, lambda: script)
    assert notebook.notes == [
        Camera(works=True),
        TicketRead(TICKET),
        Camera(works=False, reason="unplugged"),
    ]
    assert script.is_closed
    assert watcher.newest is None


def test_a_lost_camera_is_said_once_and_found_again() -> None:
    tries = iter([CameraLostError("away"), CameraLostError("away"), CameraLostError("away"), None])

    def opened() -> Script:
        failure = next(tries)
        if failure is not None:
            raise failure
        return Script(PICTURE)

    notebook = Notebook(3)
    watcher = watched(notebook, opened)
    assert notebook.notes == [
        Camera(works=False, reason="away"),
        Camera(works=True),
        TicketRead(TICKET),
    ]
    assert watcher.newest is PICTURE


class Blind:
    def scan(self, frame: Picture) -> list[Reading]:
        del frame
        return []


class Slow:
    """A source whose pictures come two seconds apart."""

    def __init__(self, clock: SimulatedClock, *pictures: Picture) -> None:
        self._clock, self._pictures = clock, list(pictures)

    def next_picture(self) -> Picture:
        if not self._pictures:
            raise CameraLostError("over")
        self._clock.sleep_us(2 * SECOND_US)
        return self._pictures.pop(0)

    def close(self) -> None:
        pass


def looked_at(notebook: Notebook, *pictures: Picture) -> None:
    clock = SimulatedClock(0)
    source = Slow(clock, *pictures)
    watcher = Watcher(lambda: source, Blind(), Acceptance([FORM]), notebook, clock)
    watcher.retry_seconds = 0.01
    watcher.run(notebook.stopping)


def test_a_covered_camera_is_said_and_so_is_its_end() -> None:
    dark, tray_picture = np.zeros((90, 160, 3), np.uint8), tray(bars(TICKET))
    notebook = Notebook(4)
    looked_at(notebook, tray_picture, dark, dark, dark, tray_picture)
    assert notebook.notes[:3] == [Camera(works=True), COVERED, Camera(works=True)]


def test_a_card_that_nobody_can_read_is_told_after_ten_seconds() -> None:
    card = tray(bars(TICKET))
    notebook = Notebook(3)
    looked_at(notebook, tray(), *[card] * 12)
    assert notebook.notes[1] == NotUsable(Hint.NOTHING_READ)
