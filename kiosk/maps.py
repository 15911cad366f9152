"""Floor plans that this kiosk holds beforehand, so that it can show the way without asking anybody (平面图).

Fetched one in a turn while nobody waits for it, believed only by the digest that the signed day part names.
"""

from dataclasses import dataclass
from hashlib import sha256
from typing import Final

import structlog

from evidence.kiosk_day import KioskDay
from evidence.kiosk_maps import LARGEST_BYTES, MOST_MAPS, DayMap, media_type_of
from evidence.kiosk_store import KioskStore
from kiosk.console import Console

_log: Final = structlog.get_logger("kiosk")


@dataclass(frozen=True, slots=True)
class HeldMap:
    """A picture that is here, and where the room is on it."""

    content: bytes
    media_type: str
    place: DayMap


class Maps:
    """The pictures, in memory and in kiosk.db. One thread renews, others look."""

    def __init__(self, store: KioskStore) -> None:
        self._store = store
        self._held = store.maps()
        self._turns = 0

    def renew(self, day: KioskDay, console: Console) -> None:
        """Fetch one that is missing, or forget those that no room names. Raises what the console does."""
        wanted = list(dict.fromkeys(one.sha256 for one in day.maps))[:MOST_MAPS]
        missing = [one for one in wanted if one not in self._held]
        if not missing:
            self._forget_all_but(wanted)
            return
        self._turns += 1  # one that cannot be had must not stand before the others
        name = missing[self._turns % len(missing)]
        content = console.floor_map(name)
        is_named = sha256(content).hexdigest() == name
        if not is_named or len(content) > LARGEST_BYTES or not media_type_of(content):
            _log.warning("floor plan not believed", bytes=len(content))
            return
        self._store.keep_map(name, content)
        self._held = {**self._held, name: content}  # others may be reading the old one

    def of_room(self, day: KioskDay, label: str) -> HeldMap | None:
        """The picture on which the room of this name is; None: it has none, or it is not here yet."""
        named = {room.id for room in day.all_rooms if room.label == label}
        place = next((one for one in day.maps if one.room_id in named), None)
        content = None if place is None else self._held.get(place.sha256)
        return None if place is None or content is None else HeldMap(content, media_type_of(content), place)

    def picture(self, sha256_hex: str) -> bytes | None:
        """The picture of this name; None: it is not here."""
        return self._held.get(sha256_hex)

    def wipe(self) -> None:
        """This kiosk was revoked; its database forgets them by itself."""
        self._held = {}

    def _forget_all_but(self, wanted: list[str]) -> None:
        if set(self._held) - set(wanted):
            self._held = {one: self._held[one] for one in wanted}
            self._store.drop_maps_but(wanted)
