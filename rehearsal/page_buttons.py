"""Reading a console page as a person would: which buttons there are, and what each would send."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from html.parser import HTMLParser
from typing import Any


@dataclass(frozen=True, slots=True)
class PageButton:
    """A button that sends something. `is_held` asks for a long press."""

    address: str
    body: dict[str, Any]
    is_held: bool


@dataclass(frozen=True, slots=True)
class PageForm:
    """A form that is sent as it stands: where to, and what the page has filled in."""

    address: str
    fields: dict[str, str]


@dataclass(frozen=True, slots=True)
class SeatButton:
    """A candidate's place on the seat map."""

    candidate_id: int
    words: str


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.buttons: list[PageButton] = []
        self.seats: list[SeatButton] = []
        self.links: list[str] = []
        self.forms: list[PageForm] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        if tag == "button" and "data-post" in found:
            body = json.loads(found.get("data-body") or "{}")
            self.buttons.append(PageButton(found["data-post"], body, "data-hold" in found))
        if tag == "button" and "data-candidate" in found:
            self.seats.append(SeatButton(int(found["data-candidate"]), found.get("data-seat", "")))
        if tag == "a" and "href" in found:
            self.links.append(found["href"])
        if tag == "form":
            self.forms.append(PageForm(found.get("action", ""), {}))
        if tag == "input" and "value" in found and self.forms:
            self.forms[-1].fields[found.get("name", "")] = found["value"]


def buttons(page: str) -> list[PageButton]:
    """Every sending button of the page, in reading order."""
    return _read(page).buttons


def seats(page: str) -> Iterator[SeatButton]:
    """Every occupied place of the seat map."""
    yield from _read(page).seats


def links(page: str) -> list[str]:
    """Where the page's links lead, in reading order."""
    return _read(page).links


def forms(page: str) -> list[PageForm]:
    """The page's forms, in reading order."""
    return _read(page).forms


def _read(page: str) -> _Reader:
    reader = _Reader()
    reader.feed(page)
    return reader
