"""What people order: F28."""

from evidence.footage import Cause
from tests.soak.fault_seen import Seen, judged
from tests.soak.fault_site import FaultSite, outage

ROOM, CAMERA = "V01", "V01-1"


def f28(world: FaultSite) -> Seen:
    """The recording of a room is stopped by two people with a reason, and begun again."""
    before = world.orders()

    def stop() -> None:
        second = next(login for login in world.logins if "proctor" in login.roles)
        world.order(ROOM, "stop", second)

    found = outage(world, CAMERA, stop, lambda: world.order(ROOM, "start"), 15)
    seen = judged("F28 people stop the recording", found, {Cause.OPERATOR_STOP}, lasts_s=15)
    orders = world.orders() - before
    words = f"{seen.seen}, {orders} orders with leaves"
    return Seen(seen.fault, f"{seen.expected}, 2 orders with leaves", words, seen.is_good and orders == 2)
