"""The printed number as a second factor: two equal readings, a right check digit, and only when wanted."""

import sys
import types
from collections.abc import Callable, Iterable

import numpy as np
import pytest

from kiosk.device_board import DeviceLostError
from kiosk.flow import step
from kiosk.id_cards import IdReading
from kiosk.printed_cards import PrintedIdReader
from kiosk.scan import Scan
from kiosk.scanner import OcrMissingError, Picture, number_in, recogniser
from kiosk.visit import Asking, Idle, IdNumberGiven, NeedsIdNumber, NeedsTicket
from tests.kiosk.stage import ID_NUMBER, TICKET
from tests.world import invented_number

LINES = ["姓名 陈一诺", "公民身份号码", ID_NUMBER]
OTHER = invented_number(2)


class Camera:
    """Gives another picture each time it is asked."""

    def __init__(self) -> None:
        self.is_still = False
        self.wanted = True
        self._picture = np.zeros((4, 4, 3), np.uint8)

    def newest(self) -> Picture:
        if not self.is_still:
            self._picture = self._picture.copy()
        return self._picture


def reader(camera: Camera, *pages: Iterable[str]) -> PrintedIdReader:
    waiting = list(pages)
    return PrintedIdReader(camera.newest, lambda: camera.wanted, lambda _: waiting.pop(0))


def test_two_pictures_in_a_row_with_the_same_number_are_a_reading() -> None:
    reading = reader(Camera(), LINES, ["blurred"], LINES, LINES)
    assert [reading.next_card(0) for _ in range(3)] == [None, None, None]
    assert reading.next_card(0) == IdReading(ID_NUMBER, is_second_only=True)
    reading.close()


def test_two_different_numbers_are_none() -> None:
    reading = reader(Camera(), LINES, [OTHER])
    assert [reading.next_card(0), reading.next_card(0)] == [None, None]


def test_the_same_picture_is_not_looked_at_twice() -> None:
    camera = Camera()
    reading = reader(camera, LINES)
    reading.next_card(0)
    camera.is_still = True
    assert reading.next_card(0) is None


def test_nothing_is_looked_at_while_no_number_is_wanted_and_what_was_seen_is_forgotten() -> None:
    camera = Camera()
    reading = reader(camera, LINES, LINES)
    reading.next_card(0)
    camera.wanted = False
    assert reading.next_card(0) is None
    camera.wanted = True
    assert reading.next_card(0) is None


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (LINES, ID_NUMBER),
        ([f"公民身份号码{ID_NUMBER[:6]} {ID_NUMBER[6:]}"], ID_NUMBER),
        ([ID_NUMBER[:-2] + ID_NUMBER[-1]], None),
        ([ID_NUMBER[:-1] + ("0" if ID_NUMBER[-1] != "0" else "1")], None),
        ([ID_NUMBER, OTHER], None),
        ([], None),
    ],
)
def test_only_one_number_with_a_right_check_digit_counts(lines: list[str], expected: str | None) -> None:
    assert number_in(lines) == expected


def test_print_completes_a_ticket_and_begins_nothing() -> None:
    printed = IdNumberGiven(ID_NUMBER, is_second_only=True)
    assert step(Idle(), printed, 0) == Idle()
    waiting = NeedsTicket(OTHER, 10)
    assert step(waiting, printed, 0) == waiting
    assert step(NeedsIdNumber(TICKET, 10), printed, 0) == Asking(Scan(TICKET, ID_NUMBER))


def test_without_the_extra_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "rapidocr_onnxruntime", None)
    with pytest.raises(OcrMissingError, match="pip install rapidocr"):
        recogniser()
    with pytest.raises(DeviceLostError, match="pip install rapidocr"):
        PrintedIdReader(Camera().newest, lambda: True)


@pytest.mark.parametrize(("found", "expected"), [([[None, ID_NUMBER, 0.9]], [ID_NUMBER]), (None, [])])
def test_the_extra_is_asked_for_its_lines(
    monkeypatch: pytest.MonkeyPatch, found: object, expected: list[str]
) -> None:
    """The shape of what rapidocr answers, on a machine without it."""

    class Engine:
        def __call__(self, picture: Picture) -> tuple[object, None]:
            del picture
            return found, None

    module = types.ModuleType("rapidocr_onnxruntime")
    make: Callable[[], Engine] = Engine
    module.RapidOCR = make  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "rapidocr_onnxruntime", module)
    assert list(recogniser()(np.zeros((2, 2), np.uint8))) == expected
