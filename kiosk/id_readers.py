"""ID card readers of every kind behind one interface (规程 13(二): 身份证).

The plastic card has no barcode. Its number comes from a certified reader that types or sends it, from the
maker's own service on this machine, or, as a second factor only, from the print itself seen by a camera.
Whatever the way: nothing of what was read is kept here.
"""

from collections import deque
from typing import Protocol

from kiosk.id_cards import IdReading, card_in


class TextSource(Protocol):
    """A device that gives what it read as text: a grabbed keyboard, a serial line."""

    def next_texts(self, timeout_s: float) -> list[tuple[str, ...]]:
        """The lines of each reading that was completed within the time. Raises DeviceLostError."""
        ...

    def close(self) -> None:
        """Give the device back."""
        ...


class IdReader(Protocol):
    """A device that reads identity documents."""

    def next_card(self, timeout_s: float) -> "IdReading | Unreadable | None":
        """A card that was read within the time; None when there was none. Raises DeviceLostError."""
        ...

    def close(self) -> None:
        """Give the device back."""
        ...


class Unreadable:
    """Something was read and holds no number of a document. `text` may be a ticket, and is kept nowhere."""

    __slots__ = ("texts",)

    def __init__(self, texts: tuple[str, ...] = ()) -> None:
        self.texts = texts


class TextIdReader:
    """A reader that types (grabbed) or sends (serial) what stands on the card."""

    def __init__(self, source: TextSource) -> None:
        self._source = source
        self._waiting: deque[tuple[str, ...]] = deque()

    def next_card(self, timeout_s: float) -> IdReading | Unreadable | None:
        """The next card. Raises DeviceLostError."""
        if not self._waiting:
            self._waiting.extend(self._source.next_texts(timeout_s))
        if not self._waiting:
            return None
        texts = self._waiting.popleft()
        return card_in(texts) or Unreadable(texts)

    def close(self) -> None:
        """Give the device back."""
        self._source.close()
