"""Simulated staff at their consoles: they look at their pages every second and press what the pages offer.

They know what people know: the day's plan, and what they mean to write into the log.
"""

import threading
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import httpx

from exam.clock import SECOND_US, Clock
from rehearsal.console_client import ConsoleClient, ConsoleRefusedError
from rehearsal.page_buttons import PageButton, buttons, forms, links, seats

LOOK_EVERY_S: Final = 1.0
# Nobody presses a button in the very second it appears.
REACTION_US: Final = 2 * SECOND_US
# The page on which a session is armed, and where its form goes.
ARMING: Final = "/arm"
SEEN: Final = "已到现场处理"
DECISION: Final = {"step": "decided", "finding": "not_confirmed", "reason": "持他人证件，已劝离，没有入场"}


@dataclass(frozen=True, slots=True)
class LogNote:
    """What somebody will write into the proctor log, and when."""

    at_us: int
    page: str
    kind: str
    candidate_name: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True)
class Press:
    """A signal that waits for this person, and the moment to give it."""

    at_us: int
    cue_code: str
    page: str


@dataclass(slots=True)
class StaffMember:
    """One person, one console. `confirms` names the steps this person ticks; None: all that are offered."""

    name: str
    console: ConsoleClient
    clock: Clock
    pages: Sequence[str]
    confirms: frozenset[str] | None = None
    arms: bool = False
    # Sees to alarms and doubts about check-in, as the site lead does (13(2)).
    decides: bool = False
    presses: list[Press] = field(default_factory=list)
    notes: list[LogNote] = field(default_factory=list)
    # What went wrong, for the summary; an empty list is a good day.
    troubles: list[str] = field(default_factory=list)
    _seen_at_us: dict[str, int] = field(default_factory=dict)

    def run(self, stopping: threading.Event) -> None:
        """Work until `stopping`. A console that is away is looked for again."""
        while not stopping.wait(LOOK_EVERY_S):
            for page in self.pages:
                try:
                    self._look(page)
                except httpx.TransportError:
                    break  # the console restarts; people wait and look again
                except ConsoleRefusedError as error:
                    self.troubles.append(str(error))
            if self.decides:
                self._see_to_doubts()

    def _see_to_doubts(self) -> None:
        """Whoever never came in is no case any more; alarms are seen."""
        try:
            for alarm in self.console.get_json("/check-in/alarms")["alarms"]:
                self.console.post_json(f"/check-in/alarms/{alarm['id']}/seen", {"note": SEEN})
            for case in self.console.get_json("/check-in/cases", open="1")["cases"]:
                self.console.post_json(f"/check-in/cases/{case['id']}/steps", DECISION)
        except httpx.TransportError:
            return
        except ConsoleRefusedError as error:
            self.troubles.append(f"{self.name}: {error}")

    def _look(self, page: str) -> None:
        text = self.console.get(page).text
        if self.arms:
            for address in dict.fromkeys(link for link in links(text) if link.endswith(ARMING)):
                self._arm(address)
        for button in buttons(text):
            if self._is_mine(button, page) and self._has_sunk_in(button):
                self._press(button)
        now_us = self.clock.wall_us()
        for note in [note for note in self.notes if note.page == page and note.at_us <= now_us]:
            self._write(note, text)
            self.notes.remove(note)

    def _arm(self, address: str) -> None:
        """Look at what would be armed, and confirm what the page shows."""
        for form in forms(self.console.get(address).text):
            if form.address.endswith(ARMING):
                try:
                    self.console.post_form(form.address, form.fields)
                except ConsoleRefusedError as error:
                    self.troubles.append(f"{self.name}: {error}")

    def _press(self, button: PageButton) -> None:
        try:
            self.console.post_json(button.address, button.body)
        except ConsoleRefusedError as error:
            self.troubles.append(f"{self.name}, {button.body}: {error}")

    def _is_mine(self, button: PageButton, page: str) -> bool:
        if button.address.endswith("/confirmations"):
            return self.confirms is None or button.body["cue"] in self.confirms
        due = [press for press in self.presses if press.page == page and press.at_us <= self.clock.wall_us()]
        return any(button.address.endswith(f"/press/{press.cue_code}") for press in due)

    def _has_sunk_in(self, button: PageButton) -> bool:
        """Held buttons wait for their moment anyway; others are pressed a little after they appear, once."""
        key = f"{button.address} {sorted(button.body.items())}"
        now_us = self.clock.wall_us()
        first_us = self._seen_at_us.setdefault(key, now_us)
        if button.is_held:
            return True
        return now_us - first_us >= REACTION_US

    def _write(self, note: LogNote, text: str) -> None:
        found = [seat for seat in seats(text) if note.candidate_name and note.candidate_name in seat.words]
        body = {
            "nonce": uuid.uuid4().hex,
            "kind": note.kind,
            "text": note.text,
            "candidate_id": found[0].candidate_id if found else None,
            "happened_at_us": note.at_us,
            "corrects_id": None,
        }
        self.console.post_json(f"{note.page.removesuffix('/live')}/entries", body)
