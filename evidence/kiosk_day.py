"""The day part: what changes all day long and every kiosk must know (kiosk-sync.md).

Sittings with their emitted start and stop (R9), who is in already, ticket forms, the site's policy, staff
who may prove themselves by PIN. Names of candidates and numbers of documents stand nowhere in it. It is
sealed with the package secret and signed like the package, but small, so that it can be sent again and
again while people come in.
"""

import json
import threading
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from sqlite3 import Connection
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from evidence.check_in_facts import CheckInRules, seats_of
from evidence.kiosk_maps import DayMap, MapShelf
from evidence.kiosk_secrets import KioskSecrets, check_head
from evidence.kiosks import Kiosk, Scope, scope_of, ticket_forms
from evidence.ledger import tree_size
from evidence.roster_boxes import (
    PackageError,
    WrongKeyError,
    canonical,
    seal,
    sign,
    to_text,
    unseal,
    verified,
)
from evidence.roster_content import near_sessions
from evidence.sittings import load_sittings
from evidence.staff_pins import StaffPin, load_pins
from evidence.vault import Vault
from exam.admission_facts import Seat, Sitting
from exam.clock import SECOND_US
from exam.plain import PlainError, from_plain, to_plain
from exam.roster_cards import SeatState
from exam.roster_facts import RosterDay

MARK: Final = "KZD1"
FORMAT: Final = 1
SHELF_US: Final = 15 * SECOND_US


@dataclass(frozen=True, slots=True)
class DayRoom:
    """A room as people know it."""

    id: int
    code: str
    label: str
    directions: str


@dataclass(frozen=True, slots=True)
class DayStaff:
    """Somebody who may prove himself by a PIN, and how that is checked. Bytes are base64."""

    pin_id: int
    account_id: int
    name: str
    roles: tuple[str, ...]
    salt: str
    n: int
    r: int
    p: int
    signing_public: str
    unlocked_at_us: int | None


@dataclass(frozen=True, slots=True)
class KioskDay:
    """The day part of one kiosk. Empty rooms and sessions: it serves them all."""

    # What admissions call this kiosk.
    kiosk_id: int
    label: str
    rooms: tuple[int, ...]
    sessions: tuple[int, ...]
    all_rooms: tuple[DayRoom, ...]
    rule: RosterDay
    states: tuple[SeatState, ...]
    staff: tuple[DayStaff, ...]
    # Floor plans, by room; the pictures are fetched by their digests.
    maps: tuple[DayMap, ...] = ()


@dataclass(frozen=True, slots=True)
class OpenedDay:
    """A day part as the kiosk reads it, and when it was made, by our clock."""

    day: KioskDay
    made_at_us: int


@dataclass(frozen=True, slots=True)
class SharedDay:
    """What every kiosk's day part has in common."""

    all_rooms: tuple[DayRoom, ...]
    rule: RosterDay
    states: tuple[SeatState, ...]
    staff: tuple[DayStaff, ...]
    maps: tuple[DayMap, ...] = ()

    def part_of(self, kiosk: Kiosk, scope: Scope) -> KioskDay:
        """The day part of one kiosk, in the clear."""
        return KioskDay(
            kiosk_id=kiosk.id,
            label=kiosk.label,
            rooms=scope.rooms,
            sessions=scope.sessions,
            all_rooms=self.all_rooms,
            rule=self.rule,
            states=self.states,
            staff=self.staff,
            maps=self.maps,
        )


class DayShelf:
    """Day parts as they were read last: read anew when a leaf was added, and every few seconds.

    Every fact has its leaf, and a change of a standing table has one too, so the ledger's size tells; the
    seconds are for moves of sessions whose time comes. Safe for several threads.
    """

    def __init__(self) -> None:
        self._mutex = threading.Lock()
        self.maps = MapShelf()
        self._stamp = (-1, -1)
        self._shared: tuple[SharedDay, str] | None = None
        self._parts: dict[int, tuple[KioskDay, str]] = {}

    def part_of(
        self, connection: Connection, vault: Vault, rules: CheckInRules, kiosk: Kiosk, now_us: int
    ) -> tuple[KioskDay, str]:
        """The kiosk's day part and its digest. Raises UnknownProcedureError."""
        stamp = (tree_size(connection), now_us // SHELF_US)
        with self._mutex:
            if stamp != self._stamp or self._shared is None:
                shared = replace(load_shared(connection, rules, now_us), maps=self.maps.of(connection))
                self._shared = shared, digest_of(vault, shared)
                self._stamp, self._parts = stamp, {}
            if kiosk.id not in self._parts:
                shared, digest = self._shared
                day = shared.part_of(kiosk, scope_of(connection, kiosk.id))
                own = [digest, day.label, list(day.rooms), list(day.sessions)]
                self._parts[kiosk.id] = day, digest_of(vault, own)
            return self._parts[kiosk.id]


def load_shared(connection: Connection, rules: CheckInRules, now_us: int) -> SharedDay:
    """What every kiosk must know now.

    Raises UnknownProcedureError when a session of today, or of a candidate of today, has no procedure.
    """
    rooms = connection.execute("select id, code, label, directions from room order by code")
    own = _sessions_of_candidates(connection, now_us)
    sittings = load_sittings(connection, rules.procedures, own, now_us, rules.policy.late_entry_us)
    seats, _ = seats_of(connection, _on_record(connection, own), rules, now_us)
    return SharedDay(
        all_rooms=tuple(DayRoom(*row) for row in rooms),
        rule=RosterDay(tuple(ticket_forms(connection)), tuple(sittings), rules.policy),
        states=tuple(_states(seats, frozenset(sittings))),
        staff=tuple(_staff(pin) for pin in load_pins(connection)),
    )


def load_day(connection: Connection, rules: CheckInRules, kiosk: Kiosk, now_us: int) -> KioskDay:
    """The day part of one kiosk, read now. Raises UnknownProcedureError."""
    return load_shared(connection, rules, now_us).part_of(kiosk, scope_of(connection, kiosk.id))


def digest_of(vault: Vault, value: Any) -> str:
    """Tells one value from another, in a few letters."""
    return vault.index("day part/" + canonical(to_plain(value)).decode()).hex()[:16]


def build_day(day: KioskDay, keys: KioskSecrets, made_at_us: int, signing: Ed25519PrivateKey) -> bytes:
    """The day part as it is sent and stored."""
    body = {
        "format": FORMAT,
        "kiosk": keys.kiosk_uuid,
        "secret": keys.secret_id,
        "made_at_us": made_at_us,
        "box": seal(keys.package.day_key(), _lean(to_plain(day)), "day"),
    }
    return sign(MARK, canonical(body), signing)


def open_day(content: bytes, keys: KioskSecrets) -> OpenedDay:
    """The day part on the kiosk. Raises PackageError: damaged, not_ours, other_kiosk, other_secret."""
    told = verified(MARK, content, keys.verify_key)
    check_head(told, FORMAT, keys)
    try:
        plain = unseal(keys.package.day_key(), told["box"], "day")
        return OpenedDay(from_plain(KioskDay, plain), int(told["made_at_us"]))
    except (KeyError, PlainError, WrongKeyError) as error:
        raise PackageError("damaged") from error


def _lean(plain: dict[str, Any]) -> dict[str, Any]:
    """Without what is not the case: most states are an admission and nothing else."""
    states = [
        {key: told for key, told in one.items() if told not in (None, [], False)} for one in plain["states"]
    ]
    return {**plain, "states": states}


def _sessions_of_candidates(connection: Connection, now_us: int) -> list[int]:
    """Every session of those who have a seat today or tomorrow."""
    rows = connection.execute(
        "select distinct session_id from seating where candidate_id in ("
        " select candidate_id from seating where session_id in (select value from json_each(?)))",
        (json.dumps(near_sessions(connection, now_us)),),
    )
    return [row["session_id"] for row in rows]


def _on_record(connection: Connection, sessions: Sequence[int]) -> list[int]:
    """Everybody about whom something is on record in these sessions: entries, exits, doubts, acts."""
    tables = ("admission", "checkin_attempt", "doubt_case", "check_in_act")
    question = " union ".join(
        f"select candidate_id from {table} where candidate_id is not null"  # noqa: S608 - our own names
        " and session_id in (select value from json_each(:sessions))"
        for table in tables
    )
    rows = connection.execute(question, {"sessions": json.dumps(list(sessions))})
    return [row["candidate_id"] for row in rows]


def _states(seats: Iterable[Seat], sittings: Collection[Sitting]) -> Iterator[SeatState]:
    """What is on record about seats; a seat about which there is nothing needs no state."""
    for seat in seats:
        state = SeatState(
            candidate_id=seat.candidate_id,
            session_id=seat.sitting.session_id,
            place_id=seat.place_id,
            admission=seat.admission,
            left_at_us=seat.left_at_us,
            held_for=seat.held_for,
            settled=seat.settled,
            is_withdrawn=seat.is_withdrawn,
            # In an emergency room the signals of the room he came from hold for him (R21).
            moved_to=None if seat.sitting in sittings else seat.sitting,
        )
        nothing = SeatState(seat.candidate_id, seat.sitting.session_id, seat.place_id)
        if state != nothing:
            yield state


def _staff(pin: StaffPin) -> DayStaff:
    return DayStaff(
        pin_id=pin.id,
        account_id=pin.account_id,
        name=pin.display_name,
        roles=tuple(sorted(pin.roles)),
        salt=to_text(pin.salt),
        n=pin.cost.n,
        r=pin.cost.r,
        p=pin.cost.p,
        signing_public=to_text(pin.signing_public),
        unlocked_at_us=pin.unlocked_at_us,
    )
