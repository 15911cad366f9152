"""Ticket numbers: opaque, learned from the roster, never repaired."""

from hypothesis import given
from hypothesis import strategies as st

from exam.tickets import TICKET, learn_form, matches, matches_any, normalise_ticket

tickets = st.from_regex(TICKET, fullmatch=True)


@given(st.lists(tickets, min_size=1, max_size=30))
def test_every_number_matches_the_form_learned_from_it(numbers: list[str]) -> None:
    form = learn_form(numbers)
    assert form is not None
    assert all(matches(form, number) for number in numbers)


@given(st.lists(tickets, min_size=1, max_size=10), tickets)
def test_a_number_of_a_length_never_seen_does_not_match(numbers: list[str], other: str) -> None:
    form = learn_form(numbers)
    assert form is not None
    if len(other) not in {len(number) for number in numbers}:
        assert not matches(form, other)


def test_a_short_read_of_a_ticket_is_not_a_ticket() -> None:
    form = learn_form(["992600000001", "992600000317"])
    assert form is not None
    assert not matches(form, "92600000317")
    assert not matches(form, "9926000003170")


def test_a_late_addition_does_not_look_like_a_misread() -> None:
    form = learn_form(["992600000001", "992600000002"])
    assert form is not None
    assert matches(form, "992600000871")


def test_another_site_shows_in_the_first_characters() -> None:
    form = learn_form(["992600000001", "992600000002"])
    assert form is not None
    assert not matches(form, "882600000001")


def test_letters_are_allowed_only_where_they_were_seen() -> None:
    form = learn_form(["A-000001", "B-000002", "77000003"])
    assert form is not None
    assert matches(form, "C-000009")
    assert not matches(form, "A-00000X")


def test_without_numbers_nothing_is_learned() -> None:
    assert learn_form([]) is None


def test_one_of_several_forms_is_enough() -> None:
    assert matches_any(["[0-9]{3}", "[A-Z]{2}"], "AB")
    assert not matches_any(["[0-9]{3}", "[A-Z]{2}"], "A1")


def test_tickets_are_compared_without_spaces_and_width() -> None:
    assert normalise_ticket(" ９９26 0001a\t") == "99260001A"
