"""The printed ID number as an ID reader: looks at the camera's pictures while a number is wanted."""

import threading
from collections.abc import Callable
from typing import Final

from kiosk.device_board import DeviceLostError
from kiosk.id_cards import IdReading
from kiosk.scanner import OcrMissingError, Picture, Recognise, number_in, recogniser

PAUSE_S: Final = 0.3


class PrintedIdReader:
    """Reads the print of a card under the camera. Raises DeviceLostError without the extra `ocr`."""

    def __init__(
        self,
        newest: Callable[[], Picture | None],
        is_wanted: Callable[[], bool],
        recognise: Recognise | None = None,
    ) -> None:
        """`newest` gives the camera's last picture; nothing is looked at unless `is_wanted`."""
        self._newest, self._is_wanted = newest, is_wanted
        self._looked_at: Picture | None = None
        self._before: str | None = None
        self._pause = threading.Event()
        try:
            self._recognise = recognise or recogniser()
        except OcrMissingError as error:
            raise DeviceLostError(str(error)) from error

    def next_card(self, timeout_s: float) -> IdReading | None:
        """The number that two pictures in a row gave."""
        picture = self._newest() if self._is_wanted() else None
        if picture is None or picture is self._looked_at:
            self._before = self._before if picture is not None else None
            self._pause.wait(min(timeout_s, PAUSE_S))
            return None
        self._looked_at = picture
        number = number_in(self._recognise(picture))
        before, self._before = self._before, number
        return IdReading(number, is_second_only=True) if number is not None and number == before else None

    def close(self) -> None:
        """Nothing to give back."""
