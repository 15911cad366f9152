"""Check-ins over the small world: questions and uploads of several kiosks, and what stands on record then."""

import json
import uuid
from dataclasses import dataclass, field, replace
from sqlite3 import Row
from typing import Any

from config.outcomes import load_outcome_texts
from config.procedures import load_procedures
from evidence.check_facts import EXAM_FACTS, check_facts
from evidence.check_in_alarms import CheckInAlarm, load_alarms
from evidence.check_in_facts import CheckInRules
from evidence.check_in_rows import KioskSaid
from evidence.checkins import CheckInRequest, KioskDecision, StoredAnswer, decide
from evidence.doubt_cases import CaseRow, load_cases
from exam.clock import SECOND_US
from exam.outcomes import Outcome
from exam.upload_rules import AlarmKind
from tests.world import CLOCK_US, Person, World

RULES = CheckInRules(load_procedures(), load_outcome_texts())
BOOT = "boot-of-the-kiosk-1"


def second_kiosk(world: World, label: str = "二号签到机") -> int:
    with world.exam.write() as connection:
        row = connection.execute(
            "insert into kiosk (uuid, label, token_sha256, enrolled_at_us) values (?, ?, randomblob(32), ?)"
            " returning id",
            (str(uuid.uuid4()), label, CLOCK_US),
        ).fetchone()
    return int(row["id"])


@dataclass
class Desk:
    """The small world's check-in: every request gets a nonce of its own."""

    world: World
    rules: CheckInRules = RULES
    made: int = field(default=0)

    def request(self, person: Person, **changed: Any) -> CheckInRequest:
        self.made += 1
        plain = CheckInRequest(
            self.world.kiosk_id, f"nonce-{self.made:012d}", CLOCK_US, person.ticket_no, person.id_number
        )
        return replace(plain, **changed)

    def send(self, request: CheckInRequest, now_us: int = CLOCK_US) -> StoredAnswer:
        with self.world.exam.write() as connection:
            return decide(connection, self.world.vault, request, self.rules, now_us)

    def ask(self, person: Person, now_us: int = CLOCK_US, **changed: Any) -> StoredAnswer:
        """A live question."""
        return self.send(self.request(person, scanned_at_us=now_us, **changed), now_us)

    def offline(
        self,
        person: Person,
        at_us: int = CLOCK_US,
        outcome: Outcome = Outcome.OK_OFFLINE,
        uncertainty_us: int | None = SECOND_US,
        **changed: Any,
    ) -> CheckInRequest:
        """What a kiosk decided alone at that moment by its own, sound clock."""
        said = KioskSaid(
            boot_id=BOOT, sequence=self.made, clock_offset_us=0, clock_uncertainty_us=uncertainty_us
        )
        decided = KioskDecision(outcome, person.place_id)
        return self.request(person, **{"scanned_at_us": at_us, "said": said, "decided": decided, **changed})

    def upload(self, person: Person, at_us: int = CLOCK_US, **changed: Any) -> StoredAnswer:
        """The upload arrives an hour after the clock of the world."""
        now_us = changed.pop("now_us", CLOCK_US + 3600 * SECOND_US)
        return self.send(self.offline(person, at_us, **changed), now_us)

    def rows(self, question: str, *values: object) -> list[Row]:
        with self.world.exam.read() as connection:
            return connection.execute(question, values).fetchall()

    def attempts(self) -> list[Row]:
        return self.rows(
            "select * from checkin_attempt left join checkin_circumstance on attempt_id = id order by id"
        )

    def standing(self) -> list[tuple[int, int, int]]:
        """Attempt, candidate and place of every admission that stands."""
        found = self.rows(
            "select attempt_id, candidate_id, place_id from admission where voided_at_us is null order by id"
        )
        return [(row["attempt_id"], row["candidate_id"], row["place_id"]) for row in found]

    def alarms(self, *, seen: bool | None = False) -> list[CheckInAlarm]:
        with self.world.exam.read() as connection:
            return load_alarms(connection, seen=seen)

    def alarm_kinds(self) -> set[AlarmKind]:
        return {one.kind for one in self.alarms()}

    def cases(self) -> list[CaseRow]:
        with self.world.exam.read() as connection:
            return load_cases(connection)

    def outcomes(self) -> list[str]:
        return [row["outcome"] for row in self.attempts()]

    def set(self, change: str, *values: object) -> None:
        with self.world.exam.write() as connection:
            connection.execute(change, values)

    def findings(self) -> list[object]:
        """What the check finds of facts that their leaves contradict; the world's signals have none."""
        with self.world.exam.read() as connection:
            found = list(check_facts(connection, EXAM_FACTS))
        return [one for one in found if not one.where.startswith("announcement ")]


def body(answer: StoredAnswer) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(answer.body)
    return told
