"""Guns and readers from plug to screen: the board, the keepers, what a reading becomes."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest

from config.settings import KioskSettings
from exam.admission_facts import ReadDocument
from exam.clock import SimulatedClock, SystemClock
from exam.kiosk_health import Part, PartState
from kiosk.acceptance import GONE_US, Acceptance
from kiosk.device_board import Device, DeviceBoard, DeviceLostError
from kiosk.device_keeping import Bench, Keeper, identity_of, keepers
from kiosk.id_cards import IdReading
from kiosk.id_readers import TextIdReader, Unreadable
from kiosk.input_devices import Identity
from kiosk.intake import Intake
from kiosk.scan_text import SetupSheet
from kiosk.visit import Hint, IdNumberGiven, Input, NotUsable, TicketRead
from tests.kiosk.device_stage import GUN, FakeKernel, SerialDevice
from tests.kiosk.stage import FORM, ID_NUMBER, TICKET
from tests.kiosk.typing_devices import Keyboard

WALL_US = 1_800_000_000_000_000
OTHER = "202611220002"


@dataclass
class Notebook:
    """Remembers what it is told, and lets others wait for it."""

    notes: list[Input] = field(default_factory=list)
    _told: threading.Condition = field(default_factory=threading.Condition)

    def happened(self, what: Input) -> None:
        with self._told:
            self.notes.append(what)
            self._told.notify_all()

    def until(self, count: int) -> list[Input]:
        with self._told:
            assert self._told.wait_for(lambda: len(self.notes) >= count, 60), self.notes
            return self.notes


def intake_with(notebook: Notebook, clock: SimulatedClock | None = None) -> Intake:
    return Intake(Acceptance([FORM]), notebook, clock or SimulatedClock(0), SetupSheet("~K", "$"))


def test_a_gun_scan_is_a_ticket_whatever_the_gun_adds() -> None:
    notebook, clock = Notebook(), SimulatedClock(0)
    intake = intake_with(notebook, clock)
    intake.scanned((f"~K]C1{TICKET}$\r",))
    intake.scanned((TICKET, OTHER, "\r\n"))
    clock.sleep_us(2 * GONE_US)
    intake.scanned((TICKET,))
    assert notebook.notes == [TicketRead(TICKET), TicketRead(OTHER), TicketRead(TICKET)]


def test_a_card_gives_its_number_and_what_else_the_reader_told() -> None:
    notebook = Notebook()
    document = ReadDocument(name="陈一诺")
    intake_with(notebook).card_read(IdReading(ID_NUMBER, document))
    assert notebook.notes == [IdNumberGiven(ID_NUMBER, document)]


def test_a_reader_that_also_reads_tickets_may_and_rubbish_is_said() -> None:
    notebook = Notebook()
    intake = intake_with(notebook)
    intake.card_read(Unreadable((f"]C1{TICKET}",)))
    intake.card_read(Unreadable(("读卡失败",)))
    assert notebook.notes == [TicketRead(TICKET), NotUsable(Hint.ID_CHECKSUM)]


def test_what_an_unknown_device_typed_is_a_card_or_tickets() -> None:
    notebook = Notebook()
    intake = intake_with(notebook)
    intake.typed_fast(("陈一诺", ID_NUMBER))
    intake.typed_fast((TICKET, OTHER))
    intake.typed_fast(("weixin://pay",))
    assert notebook.notes == [
        IdNumberGiven(ID_NUMBER, ReadDocument(notebook.notes[0].document.document_type, "陈一诺")),  # type: ignore[union-attr]
        TicketRead(TICKET),
        TicketRead(OTHER),
        NotUsable(Hint.FOREIGN),
    ]


def test_the_board_tells_changes_once_and_since_when() -> None:
    clock, changes = SimulatedClock(WALL_US), []
    board = DeviceBoard(clock, lambda: changes.append(board.devices()[0].works))
    board.fit("usb:05e0:1200", Part.SCANNER)
    assert board.devices() == (Device("usb:05e0:1200", Part.SCANNER, since_us=WALL_US),)
    board.works("usb:05e0:1200", Part.SCANNER)
    clock.sleep_us(5)
    board.works("usb:05e0:1200", Part.SCANNER)
    board.has_read("usb:05e0:1200", Part.SCANNER)
    assert board.has_working(Part.SCANNER)
    assert not board.has_working(Part.ID_READER)
    (told,) = board.told()
    assert (told["state"], told["since_us"], told["read_at_us"]) == ("ok", WALL_US, WALL_US + 5)
    board.lost("usb:05e0:1200", Part.SCANNER, "unplugged")
    assert changes == [True, False]


def test_of_several_devices_of_a_kind_the_best_one_counts() -> None:
    board = DeviceBoard(SimulatedClock(WALL_US))
    board.fit("camera", Part.CAMERA)
    for name in ("usb:05e0:1200", "serial:/dev/ttyACM0"):
        board.fit(name, Part.SCANNER)
    board.lost("camera", Part.CAMERA, "covered or dark", is_covered=True)
    board.works("serial:/dev/ttyACM0", Part.SCANNER)
    assert board.parts() == {
        Part.CAMERA: PartState.COVERED,
        Part.SCANNER: PartState.OK,
        Part.ID_READER: PartState.ABSENT,
        Part.FACE_CAMERA: PartState.ABSENT,
    }
    board.lost("serial:/dev/ttyACM0", Part.SCANNER, "unplugged")
    assert board.parts()[Part.SCANNER] is PartState.LOST


class Script:
    """A text source that gives readings and failures in order, then nothing."""

    def __init__(self, *acts: tuple[str, ...] | str) -> None:
        self._acts = list(acts)
        self.is_closed = False

    def next_texts(self, timeout_s: float) -> list[tuple[str, ...]]:
        del timeout_s
        if not self._acts:
            return []
        act = self._acts.pop(0)
        if isinstance(act, str):
            raise DeviceLostError(act)
        return [act]

    def close(self) -> None:
        self.is_closed = True


class TwoAtOnce:
    """Both cards are there when somebody asks."""

    def next_texts(self, timeout_s: float) -> list[tuple[str, ...]]:
        del timeout_s
        return [(ID_NUMBER,), ("rubbish",)]

    def close(self) -> None:
        pass


def test_of_two_cards_that_come_at_once_none_is_lost() -> None:
    reader = TextIdReader(TwoAtOnce())
    assert isinstance(reader.next_card(0), IdReading)
    assert isinstance(reader.next_card(0), Unreadable)


def test_a_text_reader_gives_one_card_after_the_other() -> None:
    source = Script((ID_NUMBER,), ("rubbish",))
    reader = TextIdReader(source)
    first, second, third = (reader.next_card(0) for _ in range(3))
    assert isinstance(first, IdReading)
    assert isinstance(second, Unreadable)
    assert third is None
    reader.close()
    assert source.is_closed


@dataclass
class Running:
    """Keepers at work."""

    board: DeviceBoard
    notebook: Notebook
    stopping: threading.Event
    changed: threading.Condition

    def until(self, is_so: Callable[[Device], bool]) -> Device:
        with self.changed:
            assert self.changed.wait_for(lambda: is_so(self.board.devices()[0]), 60), self.board.devices()
            return self.board.devices()[0]


@pytest.fixture
def running(kernel: FakeKernel) -> Iterator[Callable[[KioskSettings], Running]]:
    started: list[tuple[threading.Event, list[threading.Thread]]] = []

    def start(settings: KioskSettings) -> Running:
        changed, notebook, stopping = threading.Condition(), Notebook(), threading.Event()

        def tell() -> None:
            with changed:
                changed.notify_all()

        clock = SystemClock()
        board = DeviceBoard(clock, tell)
        intake = Intake(Acceptance([FORM]), notebook, clock)
        bench = Bench(clock, intake, lambda: None, lambda: False, kernel.system)
        threads = []
        for keeper in keepers(settings, bench, board):
            keeper.retry_s = 0.02
            threads.append(threading.Thread(target=keeper.run, args=(stopping,)))
            threads[-1].start()
        started.append((stopping, threads))
        return Running(board, notebook, stopping, changed)

    yield start
    for stopping, threads in started:
        stopping.set()
        for thread in threads:
            thread.join(60)
            assert not thread.is_alive()


def test_a_gun_is_plugged_in_reads_is_pulled_out_and_comes_back(
    kernel: FakeKernel,
    running: Callable[[KioskSettings], Running],
) -> None:
    kiosk = running(KioskSettings(ticket_scanners=("usb:05e0:1200",)))
    assert "no device 05e0:1200" in kiosk.until(lambda told: "no device" in told.reason).reason
    kernel.plug("event3", GUN)
    kiosk.until(lambda told: told.works)
    kernel.type("event3", Keyboard().text(TICKET + "\r").strokes)
    assert kiosk.notebook.until(1) == [TicketRead(TICKET)]
    kernel.unplug("event3")
    assert "plugged" in kiosk.until(lambda told: not told.works).reason
    kernel.plug_back("event3")
    kiosk.until(lambda told: told.works)
    kernel.type("event3", Keyboard().text(OTHER + "\r").strokes)
    assert kiosk.notebook.until(2)[1] == TicketRead(OTHER)
    assert kiosk.board.devices()[0].read_at_us is not None


def test_gun_and_reader_are_told_apart_by_their_role(
    kernel: FakeKernel,
    running: Callable[[KioskSettings], Running],
) -> None:
    reader = Identity("1a86", "5723", "1.4")
    kernel.plug("event3", GUN)
    kernel.plug("event4", reader)
    kiosk = running(KioskSettings(ticket_scanners=("usb:05e0:1200",), id_readers=("usb:1A86:5723@1.4",)))
    kiosk.until(lambda _: all(told.works for told in kiosk.board.devices()))
    kernel.type("event4", Keyboard().text(f"19900307\r{ID_NUMBER}\r").strokes)
    kernel.type("event3", Keyboard().text(TICKET + "\r").strokes)
    first, second = sorted(kiosk.notebook.until(2), key=repr)
    assert isinstance(first, IdNumberGiven)
    assert (first.id_number, second) == (ID_NUMBER, TicketRead(TICKET))


def test_a_serial_reader_works_beside(
    serial_device: SerialDevice,
    running: Callable[[KioskSettings], Running],
) -> None:
    kiosk = running(KioskSettings(id_readers=(f"serial:{serial_device.path}@115200",)))
    kiosk.until(lambda told: told.works)
    serial_device.sends(f"陈一诺\r\n{ID_NUMBER}\r\n".encode("gb18030"))
    (given,) = kiosk.notebook.until(1)
    assert isinstance(given, IdNumberGiven)
    assert (given.id_number, given.document.name) == (ID_NUMBER, "陈一诺")


def test_text_recognition_that_is_not_installed_is_said(
    running: Callable[[KioskSettings], Running], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "rapidocr_onnxruntime", None)
    kiosk = running(KioskSettings(id_readers=("ocr",)))
    assert "pip install rapidocr" in kiosk.until(lambda told: "installed" in told.reason).reason


def test_a_service_elsewhere_is_refused_by_the_settings_and_named_when_away(
    running: Callable[[KioskSettings], Running],
) -> None:
    kiosk = running(KioskSettings(id_readers=("http://127.0.0.1:9",)))
    assert "does not answer" in kiosk.until(lambda told: "service" in told.reason).reason
    with pytest.raises(ValueError, match="id_readers"):
        KioskSettings(id_readers=("http://10.0.0.7:9100",))


@pytest.mark.parametrize(
    "name",
    ["usb:05e0", "usb:05e0:12000", "usb:zzzz:1200", "/dev/ttyS0", "serial:ttyS0", "serial:/dev/tty S0"],
)
def test_a_device_that_is_named_wrongly_is_a_fault(name: str) -> None:
    with pytest.raises(ValueError, match="ticket_scanners"):
        KioskSettings(ticket_scanners=(name,))


def test_one_device_has_one_role() -> None:
    with pytest.raises(ValueError, match="named once only: usb:05e0:1200"):
        KioskSettings(ticket_scanners=("usb:05E0:1200",), id_readers=("usb:05e0:1200",))


def test_names_lead_to_devices() -> None:
    assert identity_of("05e0:1200") == Identity("05e0", "1200", "")
    assert identity_of("05e0:1200@1-1.2") == Identity("05e0", "1200", "1-1.2")


def test_a_keeper_that_is_told_to_stop_closes_its_device() -> None:
    source, stopping, notebook = Script((TICKET,)), threading.Event(), Notebook()

    class Ear:
        def listen(self, timeout_s: float) -> bool:
            stopping.set()
            return bool(source.next_texts(timeout_s))

        def close(self) -> None:
            source.close()

    keeper = Keeper("gun", Part.SCANNER, Ear, DeviceBoard(SimulatedClock(0)))
    keeper.run(stopping)
    assert source.is_closed
    assert notebook.notes == []
