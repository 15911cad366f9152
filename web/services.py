"""What every request may use: settings, clock, databases, vault and the bus that wakes open pages.

The bus carries no content. It only says "look again"; what is true is always read from the
database, so a page that missed a wake loses nothing.
"""

import threading
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, cast

from flask import Flask, current_app

from config.admission import load_admission_policy
from config.outcomes import load_outcome_texts
from config.procedures import load_procedures
from config.settings import Settings
from evidence.check_in_facts import CheckInRules
from evidence.database import ReaderDatabase, WriterDatabase
from evidence.kiosk_day import DayShelf
from evidence.vault import Vault
from evidence.work_orders import Report, WorkState, report
from exam.admission_facts import Policy
from exam.clock import Clock
from exam.procedure import Procedure
from web.reference_clock import ReferenceWatch, ask_program

EXTENSION: Final = "kaochang"
MIB: Final = 1024 * 1024

# Woken by every publication, whatever its topic: for pages that show the whole site.
ANY_TOPIC: Final = "*"


def room_topic(room_id: int) -> str:
    """The topic of everything that happens in one room."""
    return f"room:{room_id}"


class Bus:
    """Wakes threads that wait for a topic. Counters only grow, so no wake is lost between two waits."""

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._counters: dict[str, int] = defaultdict(int)
        self._closed = False

    def is_closed(self) -> bool:
        """Whether the service is stopping: open streams must end."""
        return self._closed

    def current(self, topic: str) -> int:
        """How often the topic was published; the starting point for `wait`."""
        with self._condition:
            return self._counters[topic]

    def publish(self, topic: str) -> None:
        """Wake everybody who waits for the topic or for ANY_TOPIC."""
        with self._condition:
            self._counters[topic] += 1
            if topic != ANY_TOPIC:
                self._counters[ANY_TOPIC] += 1
            self._condition.notify_all()

    def wait(self, topic: str, after: int, timeout_s: float) -> int:
        """Block until the topic's counter passes `after`, the time is over or the bus closes."""
        with self._condition:
            self._condition.wait_for(lambda: self._closed or self._counters[topic] > after, timeout_s)
            return self._counters[topic]

    def close(self) -> None:
        """Let every waiting thread go; the service is stopping."""
        with self._condition:
            self._closed = True
            self._condition.notify_all()


@dataclass(slots=True)
class FootageReader:
    """Opens footage.db for reading once the recorder has made it."""

    path: Path
    _database: ReaderDatabase | None = None
    _mutex: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def __call__(self) -> ReaderDatabase | None:
        """The index of all footage, or None while no recorder has ever run here."""
        with self._mutex:
            if self._database is None and self.path.exists():
                self._database = ReaderDatabase(self.path)
            return self._database

    def report(self, order_id: int) -> Report:
        """How far the recorder is with an order; one that no recorder has seen is waiting."""
        index = self()
        if index is None:
            return Report(order_id, WorkState.WAITING)
        with index.read() as connection:
            return report(connection, order_id)

    def close(self) -> None:
        """Close the index, if it was ever opened."""
        with self._mutex:
            if self._database is not None:
                self._database.close()
            self._database = None


@dataclass(frozen=True, slots=True)
class Services:
    """The real things a request works with. Built once per worker, after the fork."""

    settings: Settings
    clock: Clock
    exam: WriterDatabase
    footage: FootageReader
    vault: Vault
    bus: Bus = field(default_factory=Bus)
    procedures: Mapping[str, Procedure] = field(default_factory=load_procedures)
    day_shelf: DayShelf = field(default_factory=DayShelf)
    # Without programs to ask, as in a simulated day, the machine has no reference of its own.
    reference: ReferenceWatch = field(default_factory=ReferenceWatch)

    @property
    def policy(self) -> Policy:
        """What the site sets about check-in."""
        return load_admission_policy(self.settings.admission_policy)

    @property
    def check_in_rules(self) -> CheckInRules:
        """Everything by which a check-in is judged and answered."""
        return CheckInRules(self.procedures, load_outcome_texts(), self.policy)

    def close(self) -> None:
        """End open streams and close the databases."""
        self.bus.close()
        self.footage.close()
        self.exam.close()


def open_services(settings: Settings, clock: Clock) -> Services:
    """Open the databases and the site key of this machine.

    Raises WriterBusyError when another console already runs on the same folder, and AdmissionPolicyError
    when the site's policy cannot be used: better today than when the first candidate comes.
    """
    load_admission_policy(settings.admission_policy)
    vault = Vault.open(settings.site_key, settings.exam_db)
    exam = WriterDatabase(settings.exam_db, "exam", settings.database_reserve_mb * MIB)
    procedures = load_procedures(settings.procedures_folder)
    return Services(
        settings,
        clock,
        exam,
        FootageReader(settings.footage_db),
        vault,
        procedures=procedures,
        reference=ReferenceWatch(ask_program),
    )


def attach(app: Flask, services: Services) -> None:
    """Make the services known to the app."""
    app.extensions[EXTENSION] = services


def services() -> Services:
    """The services of the app that answers the current request."""
    return cast(Services, current_app.extensions[EXTENSION])
