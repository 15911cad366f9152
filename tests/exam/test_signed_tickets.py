"""The text of a signed ticket: base45, payload, and every way in which it is none."""

from dataclasses import replace
from datetime import date, time
from hashlib import shake_128

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exam.day import PlaceKind
from exam.signed_tickets import (
    ALPHABET,
    LONGEST,
    MARK,
    SIGNATURE_LETTERS,
    SignedTicket,
    SignedTicketError,
    TicketSitting,
    base45,
    claimed_number,
    from_base45,
    looks_signed,
    message,
    read_payload,
    split,
    to_text,
)

TICKET = SignedTicket(
    site_code="SITE-01",
    batch_code="B2026-1",
    ticket_no="202611220001",
    revision=2,
    day=date(2026, 11, 22),
    id_proof=b"12345678",
    sittings=(
        TicketSitting("T1", time(9, 0), "R01", "第1考场", "12", PlaceKind.SEAT),
        TicketSitting("P1", time(14, 30), "W01", "实操车间", "3A", PlaceKind.STATION),
    ),
)
SIGNATURE = bytes(range(64))


@pytest.mark.parametrize(
    ("content", "text"), [(b"AB", "BB8"), (b"Hello!!", "%69 VD92EX0"), (b"base-45", "UJCLQE7W581"), (b"", "")]
)
def test_base45_is_that_of_the_standard(content: bytes, text: str) -> None:
    assert base45(content) == text
    assert from_base45(text) == content


@given(st.binary(max_size=90))
def test_whatever_was_written_is_read_back(content: bytes) -> None:
    assert from_base45(base45(content)) == content


@pytest.mark.parametrize("text", ["A", "ABCD", "ab", "::", ":::", "GGW", "_AB"])
def test_what_is_no_base45_is_damaged(text: str) -> None:
    with pytest.raises(SignedTicketError, match="damaged"):
        from_base45(text)


def test_a_ticket_is_read_back_as_it_was_written() -> None:
    assert read_payload(TICKET.payload()) == TICKET
    assert read_payload(TICKET.payload(65_535)) == TICKET
    assert TICKET.payload(1) != TICKET.payload(2)
    assert message(b"x") == b"KZ1.x"


def test_the_text_is_split_where_the_signature_begins_though_dots_are_letters_too() -> None:
    dots = from_base45("..0" * 32)
    text = to_text(TICKET.payload(), dots)
    assert split(f"  {text}\n") == (TICKET.payload(), dots)
    assert set(text) <= set(ALPHABET)


def test_only_what_begins_like_one_looks_like_one() -> None:
    assert looks_signed(f" {MARK}ABC")
    assert not looks_signed("202611220001")
    assert not looks_signed("KZ12026")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "KZ1.",
        "202611220001",
        to_text(b"", SIGNATURE),
        to_text(TICKET.payload(), SIGNATURE)[:-1],
        to_text(TICKET.payload(), SIGNATURE).lower(),
        to_text(b"x" * LONGEST, SIGNATURE),
        MARK + "BB8." + "_" * SIGNATURE_LETTERS,
    ],
)
def test_what_was_not_read_whole_is_damaged(text: str) -> None:
    with pytest.raises(SignedTicketError, match="damaged"):
        split(text)


def varied(body: bytes) -> bytes:
    return b"\0\0" + bytes(a ^ b for a, b in zip(body, shake_128(b"\0\0").digest(len(body)), strict=True))


BODY = varied(TICKET.payload()[2:])[2:]


def changed(old: str, new: str) -> bytes:
    return varied(BODY.replace(old.encode(), new.encode(), 1))


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        TICKET.payload()[:20],
        changed("20261122\x1f", "20261322\x1f"),
        changed("\x1f2\x1f2026", "\x1ftwo\x1f2026"),
        changed("0900", "2460"),
        changed("S12", "X12"),
        varied(BODY + b"\x1fmore"),
        replace(TICKET, sittings=()).payload(),
        varied(BODY[:-2] + b"\xff\xff"),
    ],
)
def test_a_payload_that_says_nothing_is_damaged(payload: bytes) -> None:
    with pytest.raises(SignedTicketError, match="damaged"):
        read_payload(payload)


def test_the_number_a_text_claims_is_told_without_believing_it() -> None:
    assert claimed_number("202611220001") == "202611220001"
    assert claimed_number(to_text(TICKET.payload(), SIGNATURE)) == TICKET.ticket_no
    assert claimed_number("KZ1.torn") == ""
