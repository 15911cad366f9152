"""Opens this kiosk's guns and ID readers, listens to them, and opens them again when they were unplugged."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol

from config.settings import KioskSettings
from exam.clock import Clock
from exam.kiosk_health import Part
from kiosk.device_board import DeviceBoard, DeviceLostError
from kiosk.id_readers import IdReader, TextIdReader, TextSource
from kiosk.input_devices import LINUX, GrabbedKeyboard, Identity, InputSystem
from kiosk.intake import Intake
from kiosk.keystrokes import GRABBED_GUN, GRABBED_READER
from kiosk.printed_cards import PrintedIdReader
from kiosk.scanner import Picture
from kiosk.serial_lines import USUAL_SPEED, ByteFraming, SerialLine
from kiosk.vendor_service import ServiceIdReader

RETRY_S: Final = 1.0
LISTEN_S: Final = 0.1


class Ear(Protocol):
    """An open device that is listened to."""

    def listen(self, timeout_s: float) -> bool:
        """Pass on what is read within the time; whether anything was. Raises DeviceLostError."""
        ...

    def close(self) -> None:
        """Give the device back."""
        ...


@dataclass(frozen=True, slots=True)
class GunEar:
    """Listens to a gun that reads tickets."""

    source: TextSource
    intake: Intake

    def listen(self, timeout_s: float) -> bool:
        """Pass on each scan."""
        scans = self.source.next_texts(timeout_s)
        for texts in scans:
            self.intake.scanned(texts)
        return bool(scans)

    def close(self) -> None:
        """Give the gun back."""
        self.source.close()


@dataclass(frozen=True, slots=True)
class CardEar:
    """Listens to a reader of identity documents."""

    reader: IdReader
    intake: Intake

    def listen(self, timeout_s: float) -> bool:
        """Pass on a card."""
        card = self.reader.next_card(timeout_s)
        if card is not None:
            self.intake.card_read(card)
        return card is not None

    def close(self) -> None:
        """Give the reader back."""
        self.reader.close()


class Keeper:
    """Keeps one device open. One thread calls `run`."""

    def __init__(self, name: str, part: Part, opened: Callable[[], Ear], board: DeviceBoard) -> None:
        """`opened` opens the device anew; it raises DeviceLostError."""
        self._name, self._part = name, part
        self._opened, self._board = opened, board
        self.retry_s = RETRY_S
        board.fit(name, part)

    def run(self, stopping: threading.Event) -> None:
        """Listen; a lost device is said on the board and looked for again every second."""
        while not stopping.is_set():
            try:
                self._listen(self._opened(), stopping)
            except DeviceLostError as error:
                self._board.lost(self._name, self._part, str(error))
                stopping.wait(self.retry_s)

    def _listen(self, ear: Ear, stopping: threading.Event) -> None:
        self._board.works(self._name, self._part)
        try:
            while not stopping.is_set():
                if ear.listen(LISTEN_S):
                    self._board.has_read(self._name, self._part)
        finally:
            ear.close()


@dataclass(frozen=True, slots=True)
class Bench:
    """What devices are opened with."""

    clock: Clock
    intake: Intake
    # The camera's last picture, and whether a document's number is wanted now.
    newest: Callable[[], Picture | None]
    wants_number: Callable[[], bool]
    system: InputSystem = LINUX

    def gun(self, name: str) -> Ear:
        """Open a gun. Raises DeviceLostError."""
        return GunEar(self._texts(name, is_grouped=False), self.intake)

    def reader(self, name: str) -> Ear:
        """Open an ID reader. Raises DeviceLostError."""
        return CardEar(self._reader(name), self.intake)

    def _reader(self, name: str) -> IdReader:
        if name == "ocr":
            return PrintedIdReader(self.newest, self.wants_number)
        if name.startswith("http"):
            return ServiceIdReader(name)
        return TextIdReader(self._texts(name, is_grouped=True))

    def _texts(self, name: str, *, is_grouped: bool) -> TextSource:
        kind, _, place = name.partition(":")
        if kind == "serial":
            path, _, speed = place.partition("@")
            return SerialLine(path, int(speed or USUAL_SPEED), ByteFraming(is_grouped=is_grouped), self.clock)
        framing = GRABBED_READER if is_grouped else GRABBED_GUN
        return GrabbedKeyboard(identity_of(place), framing, self.clock, self.system)


def identity_of(place: str) -> Identity:
    """Which device `VENDOR:PRODUCT@PORT` means; the port may be missing."""
    kind, _, port = place.partition("@")
    vendor, _, product = kind.partition(":")
    return Identity(vendor, product, port)


def keepers(settings: KioskSettings, bench: Bench, board: DeviceBoard) -> list[Keeper]:
    """One keeper for each device that the settings name."""

    def keeper(name: str, part: Part, opened: Callable[[str], Ear]) -> Keeper:
        return Keeper(name, part, lambda: opened(name), board)

    guns = [keeper(name, Part.SCANNER, bench.gun) for name in settings.ticket_scanners]
    return guns + [keeper(name, Part.ID_READER, bench.reader) for name in settings.id_readers]
