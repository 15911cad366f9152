"""Slow stretching, and the numbers that were stretched once."""

from evidence.stretched_numbers import Number, NumberKind, Stretcher, keep, load, missing
from evidence.stretching import NUMBER_COST, PIN_COST, Cost, stretch
from evidence.vault import Vault
from tests.world import World

CHEAP = Cost(2)
TICKET = Number(NumberKind.TICKET, "202611220001")
SAME_AS_ID = Number(NumberKind.ID_NUMBER, "202611220001")


def test_it_is_scrypt_with_the_cost_that_is_written_down() -> None:
    # RFC 7914, section 12, second vector.
    expected = "fdbabe1c9d3472007856e7190d01e9fe7c6ad7cbc8237830e77376634b373162"
    assert stretch("password", b"NaCl", Cost(1024, 8, 16)).hex() == expected
    assert stretch("password", b"NaCl", Cost(1024, 8, 16), 64).hex().startswith(expected)
    assert CHEAP.to_dict() == {"n": 2, "r": 8, "p": 1}


def test_the_costs_in_force_are_those_of_the_documents() -> None:
    assert (Cost(16384, 8, 1), Cost(131072, 8, 1)) == (NUMBER_COST, PIN_COST)
    assert len(stretch("202611220001", b"salt", NUMBER_COST)) == 32


def test_one_number_means_different_things_as_ticket_and_as_id() -> None:
    stretcher = Stretcher(b"salt", CHEAP)
    assert stretcher.stretch(TICKET) != stretcher.stretch(SAME_AS_ID)
    assert stretcher.stretch(TICKET) == stretch("ticket\x00202611220001", b"salt", CHEAP)


def test_a_site_has_its_own_salt() -> None:
    ours, theirs = Stretcher.of(Vault(b"a" * 32)), Stretcher.of(Vault(b"b" * 32))
    assert ours.salt != theirs.salt
    assert ours == Stretcher.of(Vault(b"a" * 32))


def test_a_stretched_number_is_kept_under_the_site_key_and_found_again(world: World) -> None:
    with world.exam.write() as connection:
        assert missing(connection, world.vault, [TICKET, SAME_AS_ID]) == [TICKET, SAME_AS_ID]
        keep(connection, world.vault, {TICKET: b"v" * 32})
        keep(connection, world.vault, {TICKET: b"w" * 32})
        assert missing(connection, world.vault, [TICKET, SAME_AS_ID]) == [SAME_AS_ID]
        assert dict(load(connection, world.vault, [TICKET, SAME_AS_ID])) == {TICKET: b"v" * 32}
        kept = connection.execute("select * from stretched_number").fetchone()
    assert b"v" * 8 not in kept["value_cipher"]
