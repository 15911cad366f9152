"""Serial scanners and readers, on real pseudo-terminals and byte by byte."""

import threading

import pytest

from exam.clock import SimulatedClock, SystemClock
from kiosk.device_board import DeviceLostError
from kiosk.serial_lines import PAUSE_US, ByteFraming, SerialLine
from tests.kiosk.device_stage import SerialDevice
from tests.kiosk.stage import ID_NUMBER, TICKET

OTHER = "202611220002"
CARD = f"张三丰\r\n男\r\n{ID_NUMBER}\r\n"


def framed(*parts: bytes, is_grouped: bool = False, pause_us: int = 1000) -> list[list[str]]:
    """What comes of bytes that arrive in these parts, a moment apart, and of the silence after them."""
    framing, now_us, readings = ByteFraming(is_grouped=is_grouped), 10**9, []
    for part in parts:
        readings += framing.taken(part, now_us)
        now_us += pause_us
    readings += framing.taken(b"", now_us + PAUSE_US)
    return [list(texts) for texts in readings]


@pytest.mark.parametrize("end", ["\r", "\n", "\r\n", "\n\r", "\t", "\x03", "\r\n\r\n", ""])
def test_any_line_end_and_none_at_all_end_a_scan(end: str) -> None:
    assert framed((TICKET + end).encode()) == [[TICKET]]


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030"])
def test_chinese_arrives_in_utf_8_and_in_gbk_even_cut_in_two(encoding: str) -> None:
    raw = f"张三丰 {ID_NUMBER}\r".encode(encoding)
    for cut in range(len(raw)):
        assert framed(raw[:cut], raw[cut:]) == [[f"张三丰 {ID_NUMBER}"]]


def test_several_scans_in_one_breath_are_several() -> None:
    assert framed(f"{TICKET}\r\n{OTHER}\r\n".encode()) == [[TICKET], [OTHER]]


def test_scans_without_line_end_are_told_apart_by_the_pause_between_them() -> None:
    assert framed(TICKET.encode(), OTHER.encode(), pause_us=2 * PAUSE_US) == [[TICKET], [OTHER]]


def test_the_lines_of_a_card_belong_together() -> None:
    raw = CARD.encode("gb18030")
    assert framed(raw[:20], raw[20:], is_grouped=True) == [["张三丰", "男", ID_NUMBER]]


@pytest.mark.parametrize("is_grouped", [False, True])
def test_a_flood_is_dropped_and_the_next_scan_is_read(is_grouped: bool) -> None:
    flood = [b"7" * 500] * 20
    silence = b""
    framing, now_us = ByteFraming(is_grouped=is_grouped), 10**9
    readings = [reading for part in flood for reading in framing.taken(part, now_us)]
    readings += framing.taken(b"7\r", now_us)
    readings += framing.taken(silence, now_us + 2 * PAUSE_US)
    readings += framing.taken(TICKET.encode() + b"\r", now_us + 2 * PAUSE_US)
    readings += framing.taken(silence, now_us + 4 * PAUSE_US)
    assert readings == [(TICKET,)]


def test_what_follows_a_flood_at_once_is_read_too() -> None:
    framing = ByteFraming(is_grouped=False)
    assert framing.taken(b"7" * 5000, 0) == []
    assert framing.taken(b"77\r" + TICKET.encode() + b"\r", 1) == [(TICKET,)]


@pytest.mark.parametrize("speed", [9600, 115_200])
def test_a_port_is_read_at_the_set_speed(serial_device: SerialDevice, speed: int) -> None:
    clock = SimulatedClock(0)
    line = SerialLine(serial_device.path, speed, ByteFraming(is_grouped=False), clock)
    serial_device.sends(f"{TICKET}\r\n".encode())
    assert line.next_texts(2.0) == [(TICKET,)]
    serial_device.sends(OTHER.encode())
    assert line.next_texts(2.0) == []
    clock.sleep_us(2 * PAUSE_US)
    assert line.next_texts(0) == [(OTHER,)]
    line.close()


def test_a_thousand_scans_are_all_read_whole(serial_device: SerialDevice) -> None:
    sent = [f"20261122{number:04}" for number in range(1000)]
    line = SerialLine(serial_device.path, 9600, ByteFraming(is_grouped=False), SystemClock())

    def send() -> None:
        for number in sent:
            serial_device.sends(number.encode() + b"\r\n")

    sending = threading.Thread(target=send)
    sending.start()
    read: list[str] = []
    while len(read) < len(sent):
        texts = line.next_texts(20.0)
        assert texts, "a scan is missing"
        read += [text for one in texts for text in one]
    sending.join()
    assert read == sent
    line.close()


def test_one_port_belongs_to_one_kiosk(serial_device: SerialDevice) -> None:
    line = SerialLine(serial_device.path, 9600, ByteFraming(is_grouped=False), SystemClock())
    with pytest.raises(DeviceLostError, match="cannot be opened"):
        SerialLine(serial_device.path, 9600, ByteFraming(is_grouped=False), SystemClock())
    line.close()


def test_a_port_that_is_not_there_is_named() -> None:
    with pytest.raises(DeviceLostError, match="/dev/ttyNOWHERE"):
        SerialLine("/dev/ttyNOWHERE", 9600, ByteFraming(is_grouped=False), SystemClock())


def test_a_device_pulled_out_is_lost(serial_device: SerialDevice) -> None:
    line = SerialLine(serial_device.path, 9600, ByteFraming(is_grouped=False), SystemClock())
    serial_device.is_unplugged()
    with pytest.raises(DeviceLostError, match="unplugged"):
        line.next_texts(1.0)
    line.close()
