"""Signed tickets: made once, verified anywhere, never good for another person, site or day."""

from dataclasses import replace
from datetime import date, time

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from evidence.check_facts import EXAM_FACTS, check_facts
from evidence.kiosk_secrets import TICKET_PROOF, signing_key, verify_key
from evidence.recording_orders import Who
from evidence.stretched_numbers import Stretcher, keep
from evidence.ticket_reissues import reissue, ticket_revisions
from evidence.ticket_signing import (
    id_proof,
    is_holder,
    read_shown,
    read_signed,
    session_numbers,
    session_tickets,
    sign_ticket,
)
from exam.admission_facts import TicketProof
from exam.day import PlaceKind
from exam.signed_tickets import SignedTicket, SignedTicketError, TicketSitting, split, to_text
from tests.evidence.rostered import CHEAP, id_of
from tests.world import CLOCK_US, World

KEY = Ed25519PrivateKey.from_private_bytes(b"k" * 32)
PUBLIC = KEY.public_key().public_bytes_raw()
TICKET = SignedTicket(
    site_code="SITE-01",
    batch_code="B2026-1",
    ticket_no="202611220001",
    revision=1,
    day=date(2026, 11, 22),
    id_proof=b"12345678",
    sittings=(TicketSitting("T1", time(9, 0), "R01", "第1考场", "1", PlaceKind.SEAT),),
)


def stretched(world: World) -> dict[str, bytes]:
    """The world's numbers, stretched cheaply and kept as if dearly."""
    cheap = Stretcher(b"salt", CHEAP)
    with world.exam.write() as connection:
        numbers = session_numbers(connection, world.vault, world.session_id)
        values = {number: cheap.stretch(number) for number in numbers}
        keep(connection, world.vault, values)
    return {number.text: value for number, value in values.items()}


def texts(world: World) -> dict[int, str]:
    with world.exam.read() as connection:
        return session_tickets(connection, world.vault, world.session_id)


def test_a_signed_ticket_is_read_by_whoever_has_the_public_key_and_holds_no_space() -> None:
    for number in range(20):
        ticket = replace(TICKET, ticket_no=f"2026112200{number:02d}")
        text = sign_ticket(ticket, KEY)
        assert " " not in text
        assert read_signed(text, PUBLIC) == ticket


def test_a_forged_ticket_is_refused_under_the_number_it_claims() -> None:
    text = sign_ticket(TICKET, Ed25519PrivateKey.generate())
    with pytest.raises(SignedTicketError, match="forged"):
        read_signed(text, PUBLIC)
    shown = read_shown(text, PUBLIC)
    assert (shown.ticket_no, shown.proof, shown.ticket) == ("202611220001", TicketProof.FAILED, None)


def test_a_ticket_whose_seat_was_changed_is_forged() -> None:
    payload, signature = split(sign_ticket(TICKET, KEY))
    with pytest.raises(SignedTicketError, match="forged"):
        read_signed(to_text(payload[:-1] + bytes([payload[-1] ^ 1]), signature), PUBLIC)


def test_what_was_shown_is_a_plain_number_a_good_ticket_or_neither() -> None:
    assert read_shown("202611220001", PUBLIC).proof is TicketProof.PLAIN
    good = read_shown(sign_ticket(TICKET, KEY), PUBLIC)
    assert (good.ticket_no, good.proof, good.ticket) == (TICKET.ticket_no, TicketProof.SIGNED, TICKET)
    torn = read_shown("KZ1.ABC", PUBLIC)
    assert (torn.ticket_no, torn.proof) == ("", TicketProof.FAILED)


def test_the_proof_fits_one_number_and_one_ticket() -> None:
    secret, own, other = b"s" * 32, b"o" * 32, b"p" * 32
    ticket = replace(TICKET, id_proof=id_proof(secret, TICKET.ticket_no, own))
    assert is_holder(ticket, secret, own)
    assert not is_holder(ticket, secret, other)
    assert not is_holder(ticket, b"t" * 32, own)
    assert not is_holder(replace(ticket, ticket_no="1"), secret, own)


def test_a_sessions_tickets_say_where_each_candidate_sits_that_day(world: World) -> None:
    values = stretched(world)
    found = texts(world)
    assert set(found) == {1, 2, 3, 4}
    ticket = read_signed(found[world.on_time.id], verify_key(world.vault))
    assert (ticket.site_code, ticket.batch_code, ticket.ticket_no) == ("SITE-01", "B2026-1", "202611220001")
    assert (ticket.revision, ticket.day) == (1, date(2026, 11, 22))
    assert ticket.sittings == (
        TicketSitting("T1", time(9, 0), "R01", "第1考场", world.on_time.place_label, PlaceKind.SEAT),
    )
    secret = world.vault.secret(TICKET_PROOF)
    assert is_holder(ticket, secret, values[world.on_time.id_number])
    assert not is_holder(ticket, secret, values[world.late.id_number])
    assert world.on_time.id_number not in found[world.on_time.id]


def test_other_sittings_of_the_day_stand_on_it_and_those_of_other_days_do_not(world: World) -> None:
    stretched(world)
    with world.exam.write() as connection:
        for code, later_us in (("P1", 4 * 3_600_000_000), ("P2", 30 * 3_600_000_000)):
            connection.execute(
                "insert into session (batch_id, code, kind, subject, procedure_code, planned_start_us,"
                " duration_us) select batch_id, ?, 'practical', subject, 'practical', planned_start_us + ?,"
                " duration_us from session where id = 1",
                (code, later_us),
            )
            connection.execute(
                "insert into seating (session_id, candidate_id, place_id) values (last_insert_rowid(), ?, 5)",
                (world.on_time.id,),
            )
    ticket = read_signed(texts(world)[world.on_time.id], verify_key(world.vault))
    assert [(one.session_code, one.starts) for one in ticket.sittings] == [("T1", time(9)), ("P1", time(13))]


def test_whoever_was_not_stretched_or_cannot_be_read_has_none_yet(world: World) -> None:
    assert texts(world) == {}
    stretched(world)
    with world.exam.write() as connection:
        connection.execute("update candidate set id_number_cipher = zeroblob(40) where id = 1")
    assert set(texts(world)) == {2, 3, 4}


def test_a_reissue_counts_on_with_its_leaf_and_stands_on_the_next_ticket(world: World) -> None:
    stretched(world)
    who = Who(world.site_lead_account_id, "准考证遗失")
    with world.exam.write() as connection:
        assert [reissue(connection, world.on_time.id, who, CLOCK_US) for _ in range(2)] == [2, 3]
        assert ticket_revisions(connection) == {world.on_time.id: 3}
        assert list(check_facts(connection, EXAM_FACTS)) == []
    assert read_signed(texts(world)[world.on_time.id], verify_key(world.vault)).revision == 3
    assert read_signed(texts(world)[world.late.id], verify_key(world.vault)).revision == 1


def test_the_sites_key_is_the_one_kiosks_verify_with(world: World) -> None:
    assert read_signed(sign_ticket(TICKET, signing_key(world.vault)), verify_key(world.vault)) == TICKET
    assert id_of(world.on_time).text == world.on_time.id_number
