"""Printed tickets under a simulated camera: cut out, seen at angles, written whole, and readable."""

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from config.settings import Settings
from exam.signed_tickets import claimed_number
from kiosk.scanner import Scanner
from rehearsal.ticket_show import (
    FRAME_SIZE,
    KEPT_FRAMES,
    FolderCamera,
    Picture,
    PrintedSheet,
    SheetError,
    View,
    _grey,
    hand_movement,
    rasterised,
    seen,
)
from tests.web.console import PageClient, client_for
from tests.world import World
from web.app import create_app
from web.services import FootageReader, Services


@pytest.fixture
def sheet(world: World, tmp_path: Path) -> PrintedSheet:
    """The tickets of the small world as the console really prints them."""
    settings = Settings(data_folder=world.folder)
    app = create_app(Services(settings, world.clock, world.exam, FootageReader(Path("no")), world.vault))
    app.test_client_class = PageClient
    client = client_for(app, world, world.site_lead_account_id)
    pdf = tmp_path / "tickets.pdf"
    pdf.write_bytes(client.get("/sessions/1/tickets.pdf").data)
    return PrintedSheet(rasterised(pdf, tmp_path), client.get("/sessions/1/tickets.json").json)


@pytest.fixture
def scanner() -> Iterator[Scanner]:
    opened = Scanner(["CODE128", "QRCODE"])
    yield opened
    opened.close()


def test_every_printed_ticket_is_read_while_a_hand_puts_it_down(
    sheet: PrintedSheet, scanner: Scanner, world: World
) -> None:
    assert sheet.ticket_numbers[0] == world.on_time.ticket_no
    for seed, ticket_no in enumerate(sheet.ticket_numbers):
        paper = sheet.ticket(ticket_no)
        read = {
            claimed_number(reading.text)
            for index, view in enumerate(hand_movement(seed, 8))
            for reading in scanner.scan(seen(paper, view, seed * 100 + index))
        }
        assert read == {ticket_no}


def test_a_ticket_turned_far_is_read_too(sheet: PrintedSheet, scanner: Scanner, world: World) -> None:
    paper = sheet.ticket(world.late.ticket_no)
    views = list(hand_movement(5, 8, turn_degrees=155))
    shown = [r.text for index, view in enumerate(views) for r in scanner.scan(seen(paper, view, index))]
    read = {claimed_number(text) for text in shown}
    assert read == {world.late.ticket_no}


def test_a_ticket_that_is_not_on_the_sheets_is_named(sheet: PrintedSheet) -> None:
    with pytest.raises(SheetError, match="000"):
        sheet.ticket("000")


def test_a_page_that_was_not_rasterised_is_named() -> None:
    positions = {
        "page_mm": [210, 297],
        "tickets": [{"ticket_no": "1", "page": 2, "box_mm": [0, 0, 210, 99]}],
    }
    with pytest.raises(SheetError, match="ticket 1"):
        PrintedSheet([np.zeros((30, 21), np.uint8)], positions).ticket("1")


def test_a_damaged_pdf_is_named(tmp_path: Path) -> None:
    pdf = tmp_path / "half.pdf"
    pdf.write_bytes(b"%PDF-1.7 and no more")
    with pytest.raises(SheetError, match=r"half\.pdf"):
        rasterised(pdf, tmp_path)


def test_a_damaged_page_is_named(tmp_path: Path) -> None:
    (tmp_path / "page-1.pgm").write_bytes(b"P5 no")
    with pytest.raises(SheetError, match=r"page-1\.pgm"):
        _grey(tmp_path / "page-1.pgm")


def paper() -> Picture:
    return np.full((99, 210), 255, np.uint8)


def test_the_same_seed_shows_the_same_pictures() -> None:
    views = list(hand_movement(3, 5))
    assert views == list(hand_movement(3, 5))
    assert views != list(hand_movement(4, 5))
    assert np.array_equal(seen(paper(), views[0], 9), seen(paper(), views[0], 9))
    assert not np.array_equal(seen(paper(), views[0], 9), seen(paper(), views[0], 10))


def test_the_hand_comes_to_rest_within_fifteen_degrees_unless_told_otherwise() -> None:
    for seed in range(20):
        assert abs(list(hand_movement(seed))[-1].turn_degrees) < 18
    assert abs(list(hand_movement(1, turn_degrees=90))[-1].turn_degrees - 90) < 3


def test_a_sharp_upright_view_shows_the_paper_in_the_middle() -> None:
    frame = seen(paper(), View(turn_degrees=0.0), 1)
    assert frame.shape == (FRAME_SIZE[1], FRAME_SIZE[0], 3)
    assert frame[360, 640, 0] > 200
    assert frame[5, 5, 0] < 100


def test_frames_appear_whole_in_order_and_old_ones_go(tmp_path: Path) -> None:
    camera = FolderCamera(tmp_path / "tray")
    for shade in range(KEPT_FRAMES + 2):
        camera.show(np.full((8, 8, 3), shade * 20, np.uint8))
    names = sorted(path.name for path in (tmp_path / "tray").iterdir())
    assert names == [f"frame-{number:08d}.jpg" for number in range(3, KEPT_FRAMES + 3)]
    newest = cv2.imread(str(tmp_path / "tray" / names[-1]))
    assert newest is not None
    assert abs(int(newest[0, 0, 0]) - 100) < 4
