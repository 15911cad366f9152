"""Which readings are a ticket. A misread must never become a candidate, nor one ticket two scans.

Pure. A reading counts when it has the form of a ticket number; a ticket that lies in view is one scan
however often it is seen, until it has been gone for a while.
"""

from collections.abc import Iterable
from typing import Final

from exam.clock import SECOND_US
from exam.tickets import TICKET, matches_any, normalise_ticket
from kiosk.flow import Hint, Input, NotUsable, TicketRead

GONE_US: Final = 5 * SECOND_US // 2
# Seen twice before it is believed: something unusable, or a number while no form is known.
CONFIRMATIONS: Final = 2


class Acceptance:
    """Remembers what lies in view. For one camera."""

    def __init__(self, ticket_forms: Iterable[str] = ()) -> None:
        """`ticket_forms` are the patterns of today's ticket numbers; empty when the console has not told."""
        self._forms = tuple(ticket_forms)
        self._in_view: dict[str, int] = {}
        self._doubtful = ("", 0)

    def expect(self, ticket_forms: Iterable[str]) -> None:
        """Use these patterns from now on."""
        self._forms = tuple(ticket_forms)

    def forget(self) -> None:
        """Believe again what already lies in view: somebody starts anew."""
        self._in_view = {}

    @property
    def knows_forms(self) -> bool:
        """Whether today's patterns are known."""
        return bool(self._forms)

    def has_form(self, text: str) -> bool:
        """Whether the text can be the number of a ticket."""
        number = normalise_ticket(text)
        if self._forms:
            return matches_any(self._forms, number)
        return TICKET.fullmatch(number) is not None

    def judge(self, texts: Iterable[str], now_us: int) -> Input | None:
        """What one frame's readings mean; None when nothing new. `now_us` is monotonic."""
        seen = dict.fromkeys(texts)
        if not seen:
            return None
        tickets = sorted({normalise_ticket(text) for text in seen if self.has_form(text)})
        if len(tickets) > 1:
            return NotUsable(Hint.MANY) if self._is_new("\n".join(tickets), now_us) else None
        if tickets:
            return self._ticket(tickets[0], now_us)
        return self._unusable(next(iter(seen)), now_us)

    def _ticket(self, number: str, now_us: int) -> Input | None:
        if not self._forms and not self._is_confirmed(number):
            return None
        return TicketRead(number) if self._is_new(number, now_us) else None

    def _unusable(self, text: str, now_us: int) -> Input | None:
        if not self._is_confirmed(text) or not self._is_new(text, now_us):
            return None
        could_be_part = TICKET.fullmatch(normalise_ticket(text)) is not None
        return NotUsable(Hint.BAD_FORM if could_be_part else Hint.FOREIGN)

    def _is_confirmed(self, text: str) -> bool:
        before, times = self._doubtful
        self._doubtful = (text, times + 1 if text == before else 1)
        return self._doubtful[1] >= CONFIRMATIONS

    def _is_new(self, value: str, now_us: int) -> bool:
        self._in_view = {text: at for text, at in self._in_view.items() if now_us - at < GONE_US}
        known = value in self._in_view
        self._in_view[value] = now_us
        return not known
