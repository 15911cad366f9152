"""Everything about the person in front of the kiosk that the rule looks at, on its way to whoever judges.

Held in memory and, sealed, in the outbox; it never shows in a log.
"""

from dataclasses import dataclass, field

from evidence.check_in_pictures import Picture
from exam.admission_facts import NOTHING_GIVEN, NOTHING_READ, Provided, ReadDocument
from exam.outcomes import Outcome


@dataclass(frozen=True, slots=True)
class Scan:
    """What was read, declared and given. A number is None when that document was not shown."""

    ticket_no: str | None = field(repr=False)
    id_number: str | None = field(repr=False)
    # The signed ticket that claims the number, unverified (exam.signed_tickets); empty: a plain number.
    signed: str = field(default="", repr=False)
    read: ReadDocument = field(default=NOTHING_READ, repr=False)
    # Problems that the kiosk saw or somebody declared there, of exam.outcomes.DECLARABLE.
    declared: frozenset[Outcome] = frozenset()
    provided: Provided = NOTHING_GIVEN
    # The pictures that `provided` names; only here until the outbox has them.
    pictures: tuple[Picture, ...] = field(default=(), repr=False)
    # How often this person has failed here just before.
    tries: int = 0
