"""Opens everything that lets this kiosk work alone: its database, its key, its packages."""

import sqlite3
from dataclasses import dataclass

from config.settings import Settings
from evidence.database import DatabaseError
from evidence.kiosk_outbox import Outbox
from evidence.kiosk_store import KioskStore
from exam.clock import Clock
from kiosk.asking import Asker
from kiosk.console import Console
from kiosk.contact import Contact
from kiosk.packages import Packages, SecretFiles
from kiosk.staff_desk import StaffDesk


@dataclass(frozen=True, slots=True)
class Local:
    """What a kiosk keeps, and who asks and judges with it."""

    store: KioskStore
    contact: Contact
    asker: Asker
    desk: StaffDesk

    def close(self) -> None:
        """Give the database back."""
        self.store.close()


def open_local(settings: Settings, console: Console, clock: Clock) -> Local:
    """Raises evidence.database.DatabaseError, evidence.kiosk_outbox.OutboxKeyError and OSError."""
    store = KioskStore(settings.kiosk_db)
    try:
        return _on_top_of(store, settings, console, clock)
    except sqlite3.Error as error:
        store.close()
        raise DatabaseError(
            f"database {settings.kiosk_db} is damaged ({error}): put it and {settings.kiosk_outbox_key} aside"
            " for the administrator, then start again"
        ) from error
    except BaseException:
        store.close()
        raise


def _on_top_of(store: KioskStore, settings: Settings, console: Console, clock: Clock) -> Local:
    outbox = Outbox(store.database, settings.kiosk_outbox_key)
    files = SecretFiles(settings.kiosk_secrets, settings.kiosk_token, settings.kiosk_key)
    contact = Contact(console, store, outbox, Packages(store, files), clock)
    desk = StaffDesk(console, contact, store, clock)
    contact.guessed_pins = desk.gate.guessed
    return Local(store, contact, Asker(console, contact, outbox, clock), desk)
