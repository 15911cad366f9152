"""A reader behind its maker's service: a hand-written one on a real socket, in all its moods."""

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from exam.identity import DocumentType
from kiosk.device_board import DeviceLostError
from kiosk.id_cards import IdReading
from kiosk.id_readers import Unreadable
from kiosk.vendor_service import ServiceIdReader
from tests.kiosk.stage import ID_NUMBER


@dataclass
class FakeService:
    """Answers what it was told to, and remembers what it was asked."""

    answers: list[tuple[int, Any]] = field(default_factory=list)
    asked: list[dict[str, list[str]]] = field(default_factory=list)
    address: str = ""

    def next_answer(self, path: str) -> tuple[int, bytes]:
        parts = urlsplit(path)
        assert parts.path == "/reader/v1/card"
        self.asked.append(parse_qs(parts.query, keep_blank_values=True))
        status, body = self.answers.pop(0) if self.answers else (204, b"")
        return status, body if isinstance(body, bytes) else json.dumps(body).encode()


@pytest.fixture
def service() -> Iterator[FakeService]:
    fake = FakeService()

    class Answering(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, body = fake.next_answer(self.path)
            self.send_response(status)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answering)
    fake.address = f"http://127.0.0.1:{server.server_port}/reader/"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield fake
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def reader(service: FakeService) -> Iterator[ServiceIdReader]:
    opened = ServiceIdReader(service.address)
    yield opened
    opened.close()


def test_a_card_is_read_once_and_the_next_one_is_asked_for(
    service: FakeService, reader: ServiceIdReader
) -> None:
    service.answers = [
        (204, b""),
        (200, {"seq": 17, "number": ID_NUMBER.lower(), "name": "陈一诺", "valid_until": "2036-05-01"}),
        (204, b""),
    ]
    assert reader.next_card(0.1) is None
    card = reader.next_card(0.1)
    assert isinstance(card, IdReading)
    assert (card.number, card.document.name, card.document.valid_until) == (
        ID_NUMBER,
        "陈一诺",
        date(2036, 5, 1),
    )
    assert card.document.document_type is DocumentType.ID_CARD
    assert reader.next_card(0.1) is None
    assert [asked["after"] for asked in service.asked] == [[""], [""], ["17"]]
    assert service.asked[0]["wait"] == ["0.1"]


def test_other_documents_keep_their_kind(service: FakeService, reader: ServiceIdReader) -> None:
    service.answers = [(200, {"seq": 1, "number": "E12345678", "document_type": "passport"})]
    card = reader.next_card(0.1)
    assert isinstance(card, IdReading)
    assert card.document.document_type is DocumentType.PASSPORT


def test_a_number_that_cannot_be_is_not_believed_even_from_a_chip(
    service: FakeService, reader: ServiceIdReader
) -> None:
    wrong = ID_NUMBER[:-1] + ("0" if ID_NUMBER[-1] != "0" else "1")
    service.answers = [(200, {"seq": 1, "number": wrong})]
    assert isinstance(reader.next_card(0.1), Unreadable)
    service.answers = [(200, {"seq": 2, "number": ID_NUMBER, "name": "王" * 81})]
    assert isinstance(reader.next_card(0.1), Unreadable)


@pytest.mark.parametrize(
    ("status", "body", "words"),
    [
        (503, {"reason": "reader unplugged"}, "says: reader unplugged"),
        (503, b"", "says: status 503"),
        (404, b"<html>", "says: status 404"),
        (200, b"no JSON", "otherwise than agreed: JSON"),
        (200, {"number": ID_NUMBER}, "otherwise than agreed: seq"),
        (200, {"seq": 1, "number": ID_NUMBER, "valid_until": "soon"}, "otherwise than agreed: valid_until"),
        (200, {"seq": 1, "number": ID_NUMBER, "document_type": "fish"}, "agreed: document_type"),
    ],
)
def test_what_goes_wrong_is_said_without_what_was_read(
    service: FakeService, reader: ServiceIdReader, status: int, body: Any, words: str
) -> None:
    service.answers = [(status, body)]
    with pytest.raises(DeviceLostError, match=words) as lost:
        reader.next_card(0.1)
    assert ID_NUMBER not in str(lost.value)


def test_a_service_on_another_machine_is_refused() -> None:
    with pytest.raises(DeviceLostError, match="on this machine"):
        ServiceIdReader("http://10.0.0.7:9100")
