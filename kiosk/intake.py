"""What guns and ID readers read, on its way to the candidate screen. Nothing of it is kept or logged."""

from typing import Protocol

from exam.clock import Clock
from kiosk.acceptance import Acceptance
from kiosk.id_cards import IdReading, card_in
from kiosk.id_readers import Unreadable
from kiosk.scan_text import PLAIN_SHEET, SetupSheet, cleaned
from kiosk.visit import Hint, IdNumberGiven, Input, NotUsable


class Listener(Protocol):
    """Whoever wants to know what was read."""

    def happened(self, what: Input) -> None: ...


class Intake:
    """Turns readings into what the screen understands. Safe for several threads."""

    def __init__(
        self, acceptance: Acceptance, listener: Listener, clock: Clock, sheet: SetupSheet = PLAIN_SHEET
    ) -> None:
        self._acceptance, self._listener = acceptance, listener
        self._clock, self.sheet = clock, sheet

    def scanned(self, texts: tuple[str, ...]) -> None:
        """A gun read these codes, one after the other."""
        for text in texts:
            content = cleaned(text, self.sheet)
            what = self._acceptance.scanned(content, self._clock.monotonic_us()) if content else None
            if what is not None:
                self._listener.happened(what)

    def card_read(self, card: IdReading | Unreadable) -> None:
        """An ID reader read a card, or something that is none: many of them read tickets too."""
        if isinstance(card, IdReading):
            self._listener.happened(IdNumberGiven(card.number, card.document, card.is_second_only))
        elif any(self._is_ticket(text) for text in card.texts):
            self.scanned(tuple(text for text in card.texts if self._is_ticket(text)))
        else:
            self._listener.happened(NotUsable(Hint.ID_CHECKSUM))

    def typed_fast(self, texts: tuple[str, ...]) -> None:
        """A device that nobody has told us about typed this into the page: a card, or one or more codes."""
        card = card_in(texts)
        if card is None or any(self._is_ticket(text) for text in texts):
            self.scanned(texts)
        else:
            self.card_read(card)

    def _is_ticket(self, text: str) -> bool:
        return self._acceptance.knows_forms and self._acceptance.has_form(cleaned(text, self.sheet))
