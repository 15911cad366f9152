"""Whether a kiosk may be used now: its enrolment, roster, clock and disk (house law, section 6).

Pure; asked by the kiosk before each candidate and by the console for its list. A machine that is not
fit sends people to another one; it never guesses.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from exam.admission_facts import Policy
from exam.outcomes import Outcome, ordered


@dataclass(frozen=True, slots=True)
class Machine:
    """What a kiosk knows about itself. None: not measured, which counts against it only where said."""

    is_revoked: bool = False
    # Switched off by staff; the switch survives restarts.
    is_out_of_service: bool = False
    # When its roster was made, by the server's clock; None: it has none.
    roster_made_at_us: int | None = None
    # It holds the site's keys: without any roster it lets in by signed tickets alone (exam.signed_entry).
    can_judge_tickets: bool = False
    # Its clock minus the server's; None: never measured.
    clock_offset_us: int | None = None
    # Room left for its outbox; None: not known.
    free_bytes: int | None = None


def unfit(machine: Machine, policy: Policy, now_us: int) -> tuple[Outcome, ...]:
    """Why nobody may check in here now, most serious first; empty: the kiosk is fit.

    `now_us` is the moment corrected to the server's clock.
    """
    return ordered(_faults(machine, policy, now_us))


def _faults(machine: Machine, policy: Policy, now_us: int) -> Iterator[Outcome]:
    made_at_us, offset_us, free_bytes = (
        machine.roster_made_at_us,
        machine.clock_offset_us,
        machine.free_bytes,
    )
    if machine.is_revoked:
        yield Outcome.SYS_REVOKED
    if machine.is_out_of_service:
        yield Outcome.SYS_OUT
    if made_at_us is None:
        if not machine.can_judge_tickets:
            yield Outcome.SYS_STALE_ROSTER
    elif now_us - made_at_us > policy.roster_age_us:
        yield Outcome.SYS_STALE_ROSTER
    # A clock that was never compared is wrong until the first answer of the server. So is one that stands
    # before a moment which the server has named: its battery is dead, what was compared counts no more.
    is_behind = made_at_us is not None and made_at_us - now_us > policy.clock_skew_us
    if offset_us is None or abs(offset_us) > policy.clock_skew_us or is_behind:
        yield Outcome.SYS_CLOCK
    if free_bytes is not None and free_bytes < policy.free_bytes:
        yield Outcome.SYS_DISK
