"""The form of ticket numbers, compared by a person with a printed ticket."""

import sqlite3

import pytest

from evidence.check_facts import EXAM_FACTS, check_facts
from evidence.ticket_forms import Sample, confirm_form, load_forms, look_at_sample
from tests.world import CLOCK_US, World

BATCH = "B2026-1"
FORM = "202611[0-9]{6}"


def learn(world: World, form: str = FORM) -> None:
    with world.exam.write() as connection:
        connection.execute("update batch set ticket_form = ?", (form,))


def confirm(world: World) -> None:
    with world.exam.write() as connection:
        confirm_form(connection, BATCH, world.site_lead_account_id, CLOCK_US)


def test_a_batch_without_a_roster_has_no_form(world: World) -> None:
    with world.exam.read() as connection:
        assert load_forms(connection) == []


def test_a_learned_form_is_shown_with_examples_and_as_unconfirmed(world: World) -> None:
    learn(world)
    with world.exam.read() as connection:
        (form,) = load_forms(connection)
    assert (form.batch_code, form.form, form.count) == (BATCH, FORM, 4)
    assert form.examples == ("202611220001", "202611220003", "202611220004")
    assert (form.confirmed_by, form.confirmed_at_us) == (None, None)


def test_a_batch_that_lost_its_candidates_still_shows_its_form(world: World) -> None:
    learn(world)
    with world.exam.write() as connection:
        connection.execute("delete from seating")
        connection.execute("delete from candidate")
        (form,) = load_forms(connection)
    assert (form.examples, form.count) == ((), 0)


@pytest.mark.parametrize(
    ("shown", "sample"),
    [
        (" 202611220001 ", Sample.ON_ROSTER),
        ("２０２６１１２２０００１", Sample.ON_ROSTER),
        ("202611229999", Sample.UNKNOWN),
        ("20261122000", Sample.OTHER_FORM),
        ("hello", Sample.OTHER_FORM),
        ("", Sample.EMPTY),
        ("KZ1.torn", Sample.EMPTY),
    ],
)
def test_what_a_printed_number_says(world: World, shown: str, sample: Sample) -> None:
    learn(world)
    with world.exam.read() as connection:
        assert look_at_sample(connection, BATCH, shown) is sample


def test_an_unknown_or_closed_batch_fits_nothing(world: World) -> None:
    learn(world)
    with world.exam.write() as connection:
        assert look_at_sample(connection, "other", "202611220001") is Sample.OTHER_FORM
        connection.execute("update batch set closed_at_us = 1")
        assert look_at_sample(connection, BATCH, "202611220001") is Sample.OTHER_FORM


def test_a_confirmation_names_who_and_when_and_holds_for_this_form_only(world: World) -> None:
    learn(world)
    confirm(world)
    with world.exam.read() as connection:
        (form,) = load_forms(connection)
        assert list(check_facts(connection, EXAM_FACTS)) == []
    assert (form.confirmed_by, form.confirmed_at_us) == ("李强", CLOCK_US)
    learn(world, "2026[0-9]{8}")
    with world.exam.read() as connection:
        assert load_forms(connection)[0].confirmed_by is None


def test_a_confirmation_is_never_rewritten(world: World) -> None:
    learn(world)
    confirm(world)
    for statement in (
        "update ticket_form_confirmation set form = 'x'",
        "delete from ticket_form_confirmation",
    ):
        with world.exam.write() as connection, pytest.raises(sqlite3.IntegrityError):
            connection.execute(statement)
