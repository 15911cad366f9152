"""What lenses and encoders do wrong, seen by the running service: F3 and F4."""

from evidence.health import HealthKind, current_health, load_reference_views
from exam.clock import SECOND_US
from rehearsal.camera_plan import Fault
from tests.recorder.live import CLOCK, wait_until
from tests.soak.fault_seen import VICTIM, Seen
from tests.soak.fault_site import FaultSite

ALARM_US = 30 * SECOND_US
OVER_S = 90


def _spoilt(world: FaultSite, number: str, fault: Fault, kind: HealthKind) -> Seen:
    """The picture is spoilt: an alarm with its name, and the footage goes on."""
    wait_until(world.is_quiet, 60)
    wait_until(lambda: world.site.uuids[VICTIM] in _references(world), 90)
    wait_until(lambda: not _troubles(world), OVER_S)
    before = world.runs()[VICTIM]
    world.cameras.control.start_fault(VICTIM, fault)  # answers when the pictures are prepared
    began_us = CLOCK.wall_us()
    try:
        wait_until(lambda: _troubles(world), 60)
        alarm_us = CLOCK.wall_us() - began_us
        kinds = _troubles(world)
    finally:
        world.cameras.control.end_fault(VICTIM, fault)
    ended_us = CLOCK.wall_us()
    wait_until(lambda: not _troubles(world), OVER_S)
    over_us = CLOCK.wall_us() - ended_us
    is_kept = world.runs()[VICTIM] == before
    seen = (
        f"{'+'.join(kinds)} after {alarm_us / SECOND_US:.1f} s, gone {over_us / SECOND_US:.1f} s after it,"
        f" footage {'kept' if is_kept else 'INTERRUPTED'}"
    )
    is_good = kind in kinds and alarm_us <= ALARM_US and is_kept
    return Seen(f"{number} {fault}", f"{kind} within 30 s, footage kept", seen, is_good)


def _references(world: FaultSite) -> set[str]:
    with world.site._read() as connection:
        return {view.camera_uuid for view in load_reference_views(connection)}


def _troubles(world: FaultSite) -> list[HealthKind]:
    with world.site._read() as connection:
        return [change.kind for change in current_health(connection).get(world.site.uuids[VICTIM], ())]


def f3(world: FaultSite) -> Seen:
    return _spoilt(world, "F3", Fault.FROZEN, HealthKind.FROZEN)


def f4_black(world: FaultSite) -> Seen:
    return _spoilt(world, "F4", Fault.BLACK, HealthKind.BLACK)


def f4_covered(world: FaultSite) -> Seen:
    return _spoilt(world, "F4", Fault.COVERED, HealthKind.COVERED)


def f4_blurred(world: FaultSite) -> Seen:
    return _spoilt(world, "F4", Fault.BLURRED, HealthKind.BLURRED)


def f4_moved(world: FaultSite) -> Seen:
    return _spoilt(world, "F4", Fault.MOVED, HealthKind.MOVED)
