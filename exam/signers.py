"""Who signs what people do about check-in: accounts with their roles, duties and the person behind them.

Pure. Roles and duties carry the same codes (`proctor`, `site_lead` ...); a duty names session and room.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

SITE_LEAD: Final = "site_lead"
EXAMS_OFFICER: Final = "exams_officer"
# Responsible for the whole site, in every room.
LEADS: Final = frozenset({SITE_LEAD, EXAMS_OFFICER})
# In a room; what they sign counts where their duty is.
ROOM_STAFF: Final = frozenset({"proctor", "assessor", "lead_assessor", "review_chair", "recorder"})
PATROLS: Final = frozenset({"inspector", "quality_supervisor"})
# Everybody at work on the exam day: may stand as the second person.
AT_WORK: Final = LEADS | ROOM_STAFF | PATROLS


@dataclass(frozen=True, slots=True)
class Duty:
    """One room of one session in which somebody works, and as what."""

    session_id: int
    room_id: int
    role: str


@dataclass(frozen=True, slots=True)
class Signer:
    """An account that signs. `staff_id`: the person with a badge; None: an account without one."""

    account_id: int
    staff_id: int | None
    roles: frozenset[str]
    duties: frozenset[Duty] = frozenset()

    def is_lead(self, roles: Collection[str] = LEADS) -> bool:
        """Whether one of these roles of the whole site is his."""
        return bool(self.roles & frozenset(roles))

    def works_in(self, session_id: int | None, room_id: int | None) -> bool:
        """Whether his duty is in this room of this session."""
        here = {duty.role for duty in self.duties if (duty.session_id, duty.room_id) == (session_id, room_id)}
        return bool(here & ROOM_STAFF) and bool(self.roles & ROOM_STAFF)


# Whoever signed something that proves nobody.
NOBODY: Final = Signer(0, None, frozenset())


def is_same_person(one: Signer, other: Signer) -> bool:
    """Whether two accounts belong to one person. An account without a badge is nobody else for certain."""
    if one.account_id == other.account_id:
        return True
    return one.staff_id is None or other.staff_id is None or one.staff_id == other.staff_id
