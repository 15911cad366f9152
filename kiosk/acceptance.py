"""Which readings are a ticket. A misread must never become a candidate, nor one ticket two scans.

Pure but for a lock: camera and guns ask from threads of their own. A reading counts when it has the form
of a ticket number; whether the ticket exists, the roster decides later. A ticket that lies in view is one
scan however often it is seen, until it has been gone for a while. Of a code that is no ticket only its
kind is remembered, never what it says.
"""

import threading
from collections.abc import Iterable
from typing import Final

from config.foreign_codes import load_foreign_codes
from exam.clock import SECOND_US
from exam.signed_tickets import claimed_number, looks_signed
from exam.tickets import TICKET, matches_any, normalise_ticket
from kiosk.scanner import Reading
from kiosk.visit import Hint, Input, NotUsable, TicketRead

GONE_US: Final = 5 * SECOND_US // 2
# Seen twice before it is believed: something unusable, a number while no form is known, and a code that
# carries no check of its own, where a misread may well have the form of a ticket.
CONFIRMATIONS: Final = 2
UNCHECKED: Final = frozenset({"CODE39", "ITF"})


class Acceptance:
    """Remembers what lies in view. For one kiosk."""

    def __init__(self, ticket_forms: Iterable[str] = ()) -> None:
        """`ticket_forms` are the patterns of today's ticket numbers; empty when the console has not told."""
        self._forms = tuple(ticket_forms)
        self._in_view: dict[str, int] = {}
        self._doubtful = (0, 0)
        self._mutex = threading.Lock()

    def expect(self, ticket_forms: Iterable[str]) -> None:
        """Use these patterns from now on."""
        self._forms = tuple(ticket_forms)

    def forget(self) -> None:
        """Believe again what already lies in view: somebody starts anew."""
        with self._mutex:
            self._in_view = {}

    @property
    def knows_forms(self) -> bool:
        """Whether today's patterns are known."""
        return bool(self._forms)

    def has_form(self, text: str) -> bool:
        """Whether the text can be the number of a ticket, or a ticket that says more than its number."""
        number = normalise_ticket(text)
        if looks_signed(number):
            return claimed_number(number) != ""
        if self._forms:
            return matches_any(self._forms, number)
        return TICKET.fullmatch(number) is not None

    def judge(self, readings: Iterable[Reading], now_us: int) -> Input | None:
        """What one frame's readings mean; None when nothing new. `now_us` is monotonic."""
        seen = dict.fromkeys(readings)
        if not seen:
            return None
        with self._mutex:
            return self._judged(list(seen), now_us)

    def scanned(self, text: str, now_us: int) -> Input | None:
        """What a gun's scan means: it has aimed at one code, so that one is believed at once."""
        with self._mutex:
            if self.has_form(text):
                return self._ticket([normalise_ticket(text)], now_us, is_sure=True)
            hint = _hint_of(text)
            return NotUsable(hint) if self._is_new(hint, now_us) else None

    def _judged(self, seen: list[Reading], now_us: int) -> Input | None:
        fitting = [reading for reading in seen if self.has_form(reading.text)]
        # Beside a code that checks itself, one that does not is a misread of something.
        checked = [reading for reading in fitting if reading.symbology not in UNCHECKED]
        tickets = sorted({normalise_ticket(reading.text) for reading in checked or fitting})
        if len({claimed_number(ticket) for ticket in tickets}) > 1:
            return NotUsable(Hint.MANY) if self._is_new(Hint.MANY, now_us) else None
        if tickets:
            is_sure = bool(checked) and self.knows_forms
            return self._ticket(tickets, now_us, is_sure=is_sure)
        return self._unusable(seen[0].text, now_us)

    def _ticket(self, tickets: list[str], now_us: int, *, is_sure: bool) -> Input | None:
        """One ticket, by its bars, its signed code or both: the same number, whichever was seen first."""
        signed = next(filter(looks_signed, tickets), "")
        number = claimed_number(signed or tickets[0])
        if not is_sure and not self._is_confirmed(number):
            return None
        return TicketRead(number, signed) if self._is_new(number, now_us) else None

    def _unusable(self, text: str, now_us: int) -> Input | None:
        if not self._is_confirmed(text):
            return None
        hint = _hint_of(text)
        return NotUsable(hint) if self._is_new(hint, now_us) else None

    def _is_confirmed(self, text: str) -> bool:
        before, times = self._doubtful
        self._doubtful = (hash(text), times + 1 if hash(text) == before else 1)
        return self._doubtful[1] >= CONFIRMATIONS

    def _is_new(self, value: str, now_us: int) -> bool:
        self._in_view = {text: at for text, at in self._in_view.items() if now_us - at < GONE_US}
        known = value in self._in_view
        self._in_view[value] = now_us
        return not known


def _hint_of(text: str) -> Hint:
    shown = load_foreign_codes().hint_for(text)
    if shown is not None:
        return Hint(shown)
    could_be_part = TICKET.fullmatch(normalise_ticket(text)) is not None
    return Hint.BAD_FORM if could_be_part else Hint.FOREIGN
