"""What this kiosk holds of the console so that it can work alone: keys, roster package, day part.

Fetched whenever the heartbeat names others; kept as they came, and opened before they replace those that
are there. A package that cannot be believed is left aside and the kiosk goes on with what it has.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import structlog

from evidence.kiosk_day import OpenedDay, open_day
from evidence.kiosk_key import KioskKeyError, load_key
from evidence.kiosk_secrets import KioskSecrets, load_secrets, read_secrets
from evidence.kiosk_store import KeptPackage, KioskStore, PackageKind
from evidence.roster_boxes import PackageError
from evidence.roster_opening import RosterPackage
from evidence.small_files import replace_whole
from evidence.ticket_signing import ShownTicket, read_shown
from exam.admission_facts import Policy
from exam.clock import MINUTE_US
from exam.enrolment import roll_message
from kiosk.alone import Alone
from kiosk.console import Console, ConsoleUnreachableError, Heartbeat
from kiosk.maps import HeldMap, Maps

# How often the confirmed age is written down; in between a restart makes it look older.
CONFIRM_US: Final = MINUTE_US

_log: Final = structlog.get_logger("kiosk")


@dataclass(frozen=True, slots=True)
class SecretFiles:
    """What a kiosk deletes when it was revoked."""

    # What opens the packages.
    secrets: Path
    token: Path
    # The kiosk's own key.
    key: Path


class Packages:
    """The packages, opened. One thread renews and wipes, others judge."""

    def __init__(self, store: KioskStore, files: SecretFiles) -> None:
        self._store, self._files = store, files
        self.maps = Maps(store)
        self._keys: KioskSecrets | None = None
        # A package did not open with them. Until others come, signed tickets are still verified by these.
        self._are_keys_doubted = False
        self._roster: RosterPackage | None = None
        self._day: OpenedDay | None = None
        self._tags: dict[PackageKind, str] = {}
        self._written_us = 0
        # When the console last called each the present one, by its clock.
        self._confirmed: dict[PackageKind, int] = {}
        self.alone: Alone | None = None
        self._load()

    @property
    def policy(self) -> Policy:
        """What the site has set; the product's own while none is known."""
        return Policy() if self.alone is None else self.alone.policy

    @property
    def confirmed_at_us(self) -> int | None:
        """When the console last called the older of them the present one; None: it cannot judge with them."""
        return None if self.alone is None else min(self._confirmed.values())

    @property
    def revision(self) -> int | None:
        """The revision of the roster that is held."""
        return None if self.alone is None else self.alone.revision

    @property
    def keys(self) -> KioskSecrets | None:
        """What opens and verifies what the site made; None: nothing was fetched, or it was wiped."""
        return self._keys

    def shown(self, signed: str) -> ShownTicket | None:
        """What a signed ticket proves; None for a plain number, and before there is a key to verify with."""
        keys = self._keys
        return read_shown(signed, keys.verify_key) if signed and keys else None

    def map_of(self, room_label: str) -> HeldMap | None:
        """The floor plan of the room of this name, when it is here."""
        return None if self.alone is None else self.maps.of_room(self.alone.day, room_label)

    def renew(self, heartbeat: Heartbeat, console: Console) -> None:
        """Fetch what differs from what the console names. Raises what the console does."""
        if heartbeat.secret is None or self._is_other_secret(heartbeat.secret):
            self._fetch_keys(console)
        for kind, tag in ((PackageKind.ROSTER, heartbeat.roster_tag), (PackageKind.DAY, heartbeat.day_tag)):
            if tag is not None and tag != self._tags.get(kind):
                self._fetch(kind, console, heartbeat.server_time_us)
        present = {PackageKind.ROSTER: heartbeat.roster_tag, PackageKind.DAY: heartbeat.day_tag}
        if self.alone is not None and self._tags == present:
            self._confirm(heartbeat.server_time_us)
        if self.alone is not None:
            self.maps.renew(self.alone.day, console)

    def roll(self, console: Console, now_us: int) -> None:
        """Another token: people want one. Raises what the console does."""
        if self._keys is None:
            return
        try:
            key, token = load_key(self._files.key), self._files.token.read_text(encoding="ascii").strip()
        except (KioskKeyError, OSError) as error:
            _log.warning("token not renewed", reason=str(error))
            return
        signature = key.sign(roll_message(self._keys.kiosk_uuid, token, now_us))
        replace_whole(self._files.token, console.roll(now_us, signature).encode() + b"\n", 0o600)
        _log.info("token renewed")

    def wipe(self) -> None:
        """Forget everything: this kiosk was revoked. Without the secrets nothing that is left opens."""
        self._keys = self._roster = self._day = self.alone = None
        self._tags, self._confirmed = {}, {}
        self.maps.wipe()
        for path in (self._files.secrets, self._files.token, self._files.key):
            path.unlink(missing_ok=True)
        self._store.wipe()

    def _is_other_secret(self, secret_id: int) -> bool:
        return self._are_keys_doubted or self._keys is None or self._keys.secret_id != secret_id

    def _fetch_keys(self, console: Console) -> None:
        try:
            keys = read_secrets(console.keys())
        except PackageError as error:
            raise ConsoleUnreachableError("the answer is not one of our console") from error
        if self._keys is not None and self._keys.verify_key != keys.verify_key:
            # Enrolled at another site: nothing of the old one may be judged with.
            self._roster = self._day = self.alone = None
        keys.write(self._files.secrets)
        self._keys, self._tags, self._are_keys_doubted = keys, {}, False

    def _fetch(self, kind: PackageKind, console: Console, now_us: int) -> None:
        sent = console.package(kind, self._tags.get(kind, ""))
        if sent is None:
            return
        content, tag = sent
        try:
            self._open(kind, content)
        except PackageError as error:
            _log.warning("package not believed", kind=kind, reason=error.code)
            self._are_keys_doubted = True  # made with other keys, perhaps: ask for them again
            return
        self._store.keep_package(kind, KeptPackage(content, tag, now_us))
        self._tags[kind] = tag
        self._confirmed = {**self._confirmed, kind: now_us}  # others may be reading the old one
        _log.info("package kept", kind=kind, tag=tag, bytes=len(content))

    def _open(self, kind: PackageKind, content: bytes) -> None:
        if self._keys is None:
            raise PackageError("other_secret")
        if kind is PackageKind.ROSTER:
            self._roster = RosterPackage(content, self._keys)
        else:
            self._day = open_day(content, self._keys)
        if self._roster is not None and self._day is not None:
            self.alone = Alone(self._roster, self._day)

    def _confirm(self, now_us: int) -> None:
        self._confirmed = dict.fromkeys(PackageKind, now_us)
        if abs(now_us - self._written_us) >= CONFIRM_US:
            self._store.confirm_packages(now_us)
            self._written_us = now_us

    def _load(self) -> None:
        """Open what was kept; what cannot be opened counts as missing, and is fetched again."""
        try:
            self._keys = load_secrets(self._files.secrets)
            kept = {kind: self._store.package(kind) for kind in PackageKind}
            for kind, package in kept.items():
                if package is not None:
                    self._open(kind, package.content)
                    self._tags[kind], self._confirmed[kind] = package.tag, package.confirmed_at_us
        except PackageError as error:
            _log.info("no package that opens", reason=error.code)
