"""ID readers behind their maker's own service on this machine: a small contract over loopback HTTP.

Certified readers often come with a library for one system and one language. A site wraps it in a service
of a few lines that answers, on loopback only:

    GET {base}/v1/card?after=SEQ&wait=SECONDS

with 200 and one JSON object as soon as a card with a number greater than SEQ was read, or with 204 when
none was within that time. `after` is empty at first: the service then tells only cards read from now on.
503 with {"reason": "..."} says that the reader itself is away.

    {"seq": 17, "number": "11010119900307001X", "name": "...", "valid_until": "2031-05-01",
     "document_type": "id_card"}

`seq` and `number` are obligatory; `seq` only grows, also when the service starts anew. `valid_until` is
null or missing when the card is valid without end or the reader does not tell; `document_type` is one of
exam.identity.DocumentType, id_card when missing. The service keeps no card once it has been told, and
writes none to a log. See docs/guide/scanners.zh.md.
"""

from datetime import date
from typing import Final, Literal
from urllib.parse import urlsplit

import httpx
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from exam.admission_facts import ReadDocument
from exam.identity import DocumentType, normalise, number_fault
from kiosk.device_board import DeviceLostError
from kiosk.id_cards import LONGEST_NAME, IdReading
from kiosk.id_readers import Unreadable

LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "::1"})
PATIENCE_S: Final = 2.0
LARGEST_ANSWER: Final = 16 * 1024
LONGEST_REASON: Final = 120


class _Card(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)

    seq: int = Field(ge=0)
    number: str = Field(min_length=1, max_length=64)
    name: str | None = Field(None, max_length=100)
    valid_until: date | None = None
    document_type: DocumentType = DocumentType.ID_CARD


class ServiceIdReader:
    """A reader behind a service. Raises DeviceLostError when the service does not answer as agreed."""

    def __init__(self, base: str, client: httpx.Client | None = None) -> None:
        """`base` must be a loopback address: numbers travel in the clear."""
        if urlsplit(base).hostname not in LOOPBACK:
            raise DeviceLostError("the ID reader's service must be on this machine (127.0.0.1)")
        self._base = base.rstrip("/")
        self._client = client or httpx.Client(trust_env=False)
        self._after: int | Literal[""] = ""

    def next_card(self, timeout_s: float) -> IdReading | Unreadable | None:
        """The next card. Raises DeviceLostError."""
        answer = self._asked(timeout_s)
        if answer.status_code == httpx.codes.NO_CONTENT:
            return None
        if answer.status_code != httpx.codes.OK:
            raise DeviceLostError(_reason(answer))
        card = _card(answer)
        self._after = card.seq
        number = normalise(card.number)
        is_whole = len(card.name or "") <= LONGEST_NAME
        if not is_whole or number_fault(card.document_type, number) is not None:
            return Unreadable()
        return IdReading(number, ReadDocument(card.document_type, card.name or None, card.valid_until))

    def close(self) -> None:
        """Close the connection."""
        self._client.close()

    def _asked(self, timeout_s: float) -> httpx.Response:
        asked = {"after": str(self._after), "wait": f"{timeout_s:g}"}
        try:
            return self._client.get(f"{self._base}/v1/card", params=asked, timeout=timeout_s + PATIENCE_S)
        except httpx.HTTPError as error:
            raise DeviceLostError(
                f"the ID reader's service does not answer ({type(error).__name__})"
            ) from error


def _card(answer: httpx.Response) -> _Card:
    try:
        return _Card.model_validate_json(answer.content[:LARGEST_ANSWER])
    except ValidationError as error:
        # Pydantic's own words would hold what was read.
        fields = sorted({".".join(map(str, fault["loc"])) or "JSON" for fault in error.errors()})
        raise DeviceLostError(
            f"the ID reader's service answered otherwise than agreed: {', '.join(fields)}"
        ) from None


def _reason(answer: httpx.Response) -> str:
    try:
        told = answer.json()
    except ValueError:
        told = None
    reason = told.get("reason") if isinstance(told, dict) else None
    said = str(reason)[:LONGEST_REASON] if reason else f"status {answer.status_code}"
    return f"the ID reader's service says: {said}"
