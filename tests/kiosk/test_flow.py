"""The candidate screen's states: every input in every state, with simulated time."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exam.admission_facts import ReadDocument
from exam.clock import SECOND_US
from exam.outcomes import Outcome
from kiosk.flow import step
from kiosk.scan import Scan
from kiosk.visit import (
    DOCUMENT_US,
    EXTENSIONS,
    HINT_US,
    READABLE_US,
    RESULT_US,
    Answered,
    Asking,
    Fitness,
    Flow,
    Happened,
    Hint,
    Idle,
    IdNumberGiven,
    Input,
    NeedsIdNumber,
    NeedsTicket,
    NotUsable,
    OutOfUse,
    Referred,
    Showing,
    ShownHint,
    TicketRead,
)
from tests.kiosk.stage import ADMITTED, ID_NUMBER, TICKET

NOW = 1_000 * SECOND_US
OTHER_TICKET = "202611220002"
HAS_TICKET = NeedsIdNumber(TICKET, NOW + DOCUMENT_US)
HAS_NUMBER = NeedsTicket(ID_NUMBER, NOW + DOCUMENT_US)
ASKING = Asking(Scan(TICKET, ID_NUMBER))
SHOWING = Showing(ADMITTED, NOW + RESULT_US)
OUT_OF_USE = OutOfUse(Outcome.SYS_CLOCK, NOW)
UNFIT, FIT = Fitness((Outcome.SYS_CLOCK, Outcome.SYS_DISK)), Fitness(())
REFERRED = Referred(NOW + RESULT_US)


def after(flow: Flow, *inputs: Input, now_us: int = NOW) -> Flow:
    for happened in inputs:
        flow = step(flow, happened, now_us)
    return flow


def test_ticket_then_number_then_answer_is_the_usual_way() -> None:
    assert after(Idle(), TicketRead(TICKET)) == HAS_TICKET
    assert after(HAS_TICKET, IdNumberGiven(ID_NUMBER)) == ASKING
    assert after(ASKING, Answered(ADMITTED)) == SHOWING
    assert after(SHOWING, Happened.TICK, now_us=NOW + RESULT_US) == Idle()


def test_the_number_may_come_first() -> None:
    assert after(Idle(), IdNumberGiven(ID_NUMBER)) == HAS_NUMBER
    assert after(HAS_NUMBER, TicketRead(TICKET)) == ASKING


def test_an_answer_stays_no_longer_than_eight_seconds() -> None:
    assert RESULT_US <= 8 * SECOND_US
    assert after(SHOWING, Happened.TICK, now_us=NOW + RESULT_US - 1) == SHOWING


@pytest.mark.parametrize("flow", [SHOWING, REFERRED])
def test_the_next_candidate_ends_the_answer_at_once(flow: Flow) -> None:
    assert after(flow, TicketRead(OTHER_TICKET)) == NeedsIdNumber(OTHER_TICKET, NOW + DOCUMENT_US)
    assert after(flow, IdNumberGiven(ID_NUMBER)) == HAS_NUMBER


def test_the_same_document_again_does_not_start_the_time_anew() -> None:
    later = NOW + 5 * SECOND_US
    assert after(HAS_TICKET, TicketRead(TICKET), now_us=later) == HAS_TICKET
    assert after(HAS_NUMBER, IdNumberGiven(ID_NUMBER), now_us=later) == HAS_NUMBER


def test_another_document_of_the_same_kind_replaces_the_first() -> None:
    assert after(HAS_TICKET, TicketRead(OTHER_TICKET)) == replace(HAS_TICKET, ticket_no=OTHER_TICKET)
    assert after(HAS_NUMBER, IdNumberGiven("X")) == replace(HAS_NUMBER, id_number="X")


@pytest.mark.parametrize("flow", [ASKING, OUT_OF_USE])
@pytest.mark.parametrize(
    "happened",
    [
        TicketRead(OTHER_TICKET),
        IdNumberGiven("X"),
        NotUsable(Hint.MANY),
        Happened.RESTART,
        Happened.MORE_TIME,
        Happened.NO_DOCUMENT,
        Happened.TICK,
    ],
)
def test_while_asking_or_out_of_use_nothing_a_candidate_does_matters(flow: Flow, happened: Input) -> None:
    assert after(flow, happened) == flow


@pytest.mark.parametrize("flow", [HAS_TICKET, HAS_NUMBER])
def test_a_missing_document_is_waited_for_and_no_longer(flow: Flow) -> None:
    assert after(flow, Happened.TICK, now_us=NOW + DOCUMENT_US - 1) == flow
    assert after(flow, Happened.TICK, now_us=NOW + DOCUMENT_US) == Idle()


@pytest.mark.parametrize("flow", [HAS_TICKET, HAS_NUMBER])
def test_more_time_is_given_ten_times(flow: Flow) -> None:
    for count in range(1, EXTENSIONS + 1):
        now_us = NOW + count * 50 * SECOND_US
        flow = step(flow, Happened.MORE_TIME, now_us)
        assert isinstance(flow, NeedsIdNumber | NeedsTicket)
        assert flow.until_us == now_us + DOCUMENT_US
    assert step(flow, Happened.MORE_TIME, NOW * 2) == flow


def test_more_time_means_nothing_when_nobody_is_waited_for() -> None:
    assert after(Idle(), Happened.MORE_TIME) == Idle()


@pytest.mark.parametrize("flow", [Idle(), HAS_TICKET, HAS_NUMBER])
def test_a_hint_is_shown_for_a_moment_beside_the_screen(flow: Flow) -> None:
    hinted = after(flow, NotUsable(Hint.FOREIGN))
    assert hinted == replace(flow, shown=ShownHint(Hint.FOREIGN, NOW + HINT_US))  # type: ignore[type-var]
    assert after(hinted, Happened.TICK, now_us=NOW + HINT_US - 1) == hinted
    assert after(hinted, Happened.TICK, now_us=NOW + HINT_US) == flow


def test_a_card_lying_there_while_its_number_is_typed_is_nothing_to_complain_of() -> None:
    assert after(HAS_TICKET, NotUsable(Hint.NOTHING_READ)) == HAS_TICKET
    assert after(Idle(), NotUsable(Hint.NOTHING_READ)) != Idle()


def test_a_hint_never_covers_an_answer() -> None:
    assert after(SHOWING, NotUsable(Hint.MANY)) == SHOWING


@pytest.mark.parametrize("flow", [HAS_TICKET, HAS_NUMBER, SHOWING, REFERRED])
def test_start_over_clears_everything(flow: Flow) -> None:
    assert after(flow, Happened.RESTART) == Idle()


@pytest.mark.parametrize("flow", [Idle(), HAS_TICKET, HAS_NUMBER])
def test_who_has_no_document_is_sent_to_a_person(flow: Flow) -> None:
    assert after(flow, Happened.NO_DOCUMENT) == REFERRED
    assert after(REFERRED, Happened.TICK, now_us=NOW + RESULT_US) == Idle()


@pytest.mark.parametrize("flow", [Idle(), HAS_TICKET, HAS_NUMBER, REFERRED])
def test_a_machine_that_must_not_be_used_says_so_at_once_with_its_gravest_reason(flow: Flow) -> None:
    assert after(flow, UNFIT) == OUT_OF_USE
    assert after(flow, FIT) == flow


def test_another_reason_takes_the_place_of_the_first_and_not_of_its_beginning() -> None:
    later = Fitness((Outcome.SYS_DISK,))
    assert after(OUT_OF_USE, later, now_us=NOW + 9) == OutOfUse(Outcome.SYS_DISK, NOW)


def test_whoever_is_sent_to_another_kiosk_has_the_time_to_read_it() -> None:
    assert after(OUT_OF_USE, FIT, now_us=NOW + READABLE_US - 1) == OUT_OF_USE
    assert after(OUT_OF_USE, FIT, now_us=NOW + READABLE_US) == Idle()


@pytest.mark.parametrize("flow", [SHOWING, ASKING])
def test_an_answer_on_the_screen_or_on_its_way_outlives_the_fitness_of_the_machine(flow: Flow) -> None:
    assert after(flow, UNFIT) == flow


def test_an_answer_that_the_kiosk_gave_alone_is_marked() -> None:
    assert after(ASKING, Answered(ADMITTED, is_offline=True)) == replace(SHOWING, is_offline=True)


def test_a_signed_ticket_and_what_a_reader_told_reach_whoever_judges() -> None:
    signed, read = TicketRead(TICKET, "KZ1.A.B"), ReadDocument(name="陈一诺")
    number = IdNumberGiven(ID_NUMBER, read)
    whole = Asking(Scan(TICKET, ID_NUMBER, "KZ1.A.B", read))
    assert after(Idle(), signed, number) == whole
    assert after(Idle(), number, signed) == whole


@pytest.mark.parametrize("flow", [Idle(), HAS_TICKET, SHOWING])
def test_an_answer_nobody_asked_for_changes_nothing(flow: Flow) -> None:
    assert after(flow, Answered(ADMITTED)) == flow


INPUTS = st.one_of(
    st.sampled_from(Happened),
    st.sampled_from([TicketRead(TICKET), TicketRead(OTHER_TICKET), IdNumberGiven(ID_NUMBER)]),
    st.sampled_from([NotUsable(Hint.MANY), NotUsable(Hint.ID_CHECKSUM), Answered(ADMITTED), UNFIT, FIT]),
)


@given(st.lists(INPUTS, max_size=30))
def test_whatever_happens_the_screen_returns_to_the_start_by_itself(inputs: list[Input]) -> None:
    flow = after(Idle(), *inputs)
    if isinstance(flow, Asking):
        flow = after(flow, Answered(ADMITTED))
    flow = after(flow, FIT, now_us=NOW + READABLE_US)
    assert after(flow, Happened.TICK, now_us=NOW * 2) == Idle()
