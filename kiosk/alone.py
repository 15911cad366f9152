"""Judging without the console: the same rule, from the roster package and the day part (13(2)-(4), R9).

Nothing is asked and nothing is kept here. A number opens only its own card, at the price of one
stretching; a name opens by both numbers together.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cache
from typing import Final

from config.outcomes import load_outcome_texts
from evidence.kiosk_act_box import LetIn
from evidence.kiosk_day import KioskDay, OpenedDay
from evidence.roster_opening import ReadNumber, RosterPackage
from evidence.stretched_numbers import Number, NumberKind
from evidence.ticket_signing import ShownTicket
from exam.admission import judge, judge_by_hand, judged_alone
from exam.admission_facts import AdmissionRequest, Policy, Seat, Verdict
from exam.answers import Answer, Sight, compose
from exam.identity import masked_name, normalise
from exam.outcomes import Kind
from exam.roster_cards import Card, CardSeat, PersonName, SheetEntry, as_shown, record_of
from exam.roster_facts import LocalEntry, RosterRecord, facts_of
from exam.tickets import normalise_ticket
from kiosk.scan import Scan

NOBODY: Final = PersonName("", "")
# How many of the last characters of his number a candidate is shown.
SHOWN_TAIL: Final = 4

_texts: Final = cache(load_outcome_texts)


@dataclass(frozen=True, slots=True)
class OwnJudgement:
    """What this kiosk answers, and whom it lets in; None: nobody."""

    answer: Answer
    let_in: LetIn | None


@dataclass(frozen=True, slots=True)
class Opened:
    """What one scan opened in the package."""

    by_ticket: tuple[Card, ...]
    by_number: tuple[Card, ...]
    name: PersonName = NOBODY


class Alone:
    """Judges from what the console sent last. Safe for several threads."""

    def __init__(self, package: RosterPackage, opened: OpenedDay) -> None:
        self.package, self.day = package, opened.day
        # By the console's clock.
        self.day_made_at_us = opened.made_at_us

    @property
    def revision(self) -> int:
        """The revision of the roster."""
        return self.package.revision.number

    @property
    def kiosk_id(self) -> int:
        """What the console calls this kiosk."""
        return self.day.kiosk_id

    @property
    def policy(self) -> Policy:
        """What the site has set."""
        return self.day.rule.policy

    @property
    def ticket_forms(self) -> tuple[str, ...]:
        """What ticket numbers look like."""
        return self.day.rule.ticket_forms

    def judge(
        self, scan: Scan, shown: ShownTicket | None, local: Iterable[LocalEntry], now_us: int
    ) -> OwnJudgement:
        """The answer of the rule at that moment, by the console's clock as far as known."""
        request = request_of(scan, shown, self.kiosk_id, self.day)
        opened = self._opened(request)
        facts = facts_of(
            self.day.rule,
            [self._record(card, opened.name) for card in opened.by_ticket],
            [self._record(card, opened.name) for card in opened.by_number],
            local,
            rooms=frozenset(self.day.rooms),
        )
        verdict = judged_alone(judge(request, facts, self.policy, now_us))
        sight = None if verdict.seat is None else self._sight(verdict.seat, opened)
        return OwnJudgement(compose(verdict, request, _texts(), sight), _let_in(verdict, now_us))

    def judge_by_hand(
        self, entry: SheetEntry, session_id: int, local: Iterable[LocalEntry], now_us: int
    ) -> OwnJudgement | None:
        """The rule's answer to somebody of a list whose documents people compared. None: no such seat."""
        name = PersonName(entry.name, entry.id_tail[-SHOWN_TAIL:])
        record = self._record(entry.card, name)
        facts = facts_of(self.day.rule, [record], [record], local, rooms=frozenset(self.day.rooms))
        seat = next((one for one in facts.seats if one.sitting.session_id == session_id), None)
        if seat is None:
            return None
        verdict = judged_alone(judge_by_hand(seat, self.kiosk_id, facts, self.policy, now_us))
        sight = self._sight(seat, Opened((entry.card,), (entry.card,), name))
        nobody = AdmissionRequest(None, None, self.kiosk_id)
        return OwnJudgement(compose(verdict, nobody, _texts(), sight), _let_in(verdict, now_us))

    def _opened(self, request: AdmissionRequest) -> Opened:
        ticket = self._read(NumberKind.TICKET, request.ticket_no)
        number = self._read(NumberKind.ID_NUMBER, request.id_number)
        name = self.package.name(ticket, number) if ticket and number else None
        by_ticket = self.package.cards(ticket) if ticket else []
        return Opened(
            tuple(as_shown(card, request.ticket_revision) for card in by_ticket),
            tuple(self.package.cards(number) if number else []),
            name or NOBODY,
        )

    def _read(self, kind: NumberKind, text: str | None) -> ReadNumber | None:
        return None if text is None else self.package.read(Number(kind, text))

    def _record(self, card: Card, name: PersonName) -> RosterRecord:
        return record_of(card, name.name, self.day.rule.sittings, self.day.states)

    def _sight(self, seat: Seat, opened: Opened) -> Sight:
        card_seat = _card_seat(opened.by_number, seat)
        room = next((room for room in self.day.all_rooms if room.id == seat.sitting.door_id), None)
        return Sight(
            masked_name=masked_name(opened.name.name) if opened.name.name else "",
            id_tail=opened.name.id_tail,
            room_label=room.label if room else "",
            directions=room.directions if room else "",
            place_label=card_seat.place_label,
            place_kind=card_seat.place_kind,
        )


def request_of(scan: Scan, shown: ShownTicket | None, kiosk_id: int, day: KioskDay) -> AdmissionRequest:
    """The scan as the rule takes it: as the console makes it from the check-in that is sent."""
    ticket = None if shown is None else shown.ticket
    plain = AdmissionRequest(
        ticket_no=normalise_ticket(scan.ticket_no or "") or None,
        id_number=normalise(scan.id_number or "") or None,
        kiosk_id=kiosk_id,
        kiosk_rooms=frozenset(day.rooms),
        read=scan.read,
        ticket_revision=None if ticket is None else ticket.revision,
        declared=scan.declared,
        provided=scan.provided,
        tries=scan.tries,
    )
    return plain if shown is None else replace(plain, ticket_proof=shown.proof)


def _card_seat(cards: Iterable[Card], seat: Seat) -> CardSeat:
    return next(
        one
        for card in cards
        if card.candidate_id == seat.candidate_id
        for one in card.seats
        if one.session_id == seat.sitting.session_id
    )


def _let_in(verdict: Verdict, now_us: int) -> LetIn | None:
    if verdict.kind is not Kind.ADMITTED or verdict.seat is None:
        return None
    seat = verdict.seat
    return LetIn(seat.candidate_id, seat.sitting.session_id, seat.place_id, now_us)
