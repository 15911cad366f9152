"""What cameras and their network do wrong: F1, F2, F5, F7, F8, F9 and F27."""

from functools import partial

from evidence.footage import Cause
from evidence.sound import Sound, SoundKind
from exam.clock import SECOND_US
from rehearsal.camera_plan import Fault
from tests.recorder.live import CLOCK, wait_until
from tests.soak.fault_seen import VICTIM, Seen, judged
from tests.soak.fault_site import (
    ODD_GOP_S,
    ODD_KEYFRAMES,
    ODD_SOUND,
    SEGMENT_SECONDS,
    FaultSite,
    Outage,
    outage,
)

FORMAT_US = 10 * SECOND_US
AWAY = {Cause.CAMERA_CLOSED, Cause.UNREACHABLE, Cause.REFUSED}


def switched(world: FaultSite, fault: Fault, seconds: float) -> Outage:
    """An outage by one of the simulator's switches."""
    control = world.cameras.control
    begin, end = partial(control.start_fault, VICTIM, fault), partial(control.end_fault, VICTIM, fault)
    return outage(world, VICTIM, begin, end, seconds)


def f1_short(world: FaultSite) -> Seen:
    return judged("F1 connection lost for 1 s", switched(world, Fault.DROP, 1), AWAY, lasts_s=1)


def f1_long(world: FaultSite) -> Seen:
    return judged("F1 connection lost for 15 s", switched(world, Fault.DROP, 15), AWAY, lasts_s=15)


def f1_ten_minutes(world: FaultSite) -> Seen:
    return judged("F1 connection lost for 10 min", switched(world, Fault.DROP, 600), AWAY, lasts_s=600)


def f2(world: FaultSite) -> Seen:
    return judged("F2 silent for 15 s", switched(world, Fault.STALL, 15), {Cause.STALLED}, lasts_s=15)


def f2_hangs_up(world: FaultSite) -> Seen:
    return judged("F2 hangs up at every request", switched(world, Fault.HANGS_UP, 15), AWAY, lasts_s=15)


def _leap(world: FaultSite, seconds: float) -> Seen:
    """Timestamps leap: a new run, and no file longer than the time it took."""
    wait_until(world.is_quiet, 60)
    before, began_us = world.runs(), CLOCK.wall_us()
    world.cameras.control.jump_timestamps(VICTIM, seconds)
    wait_until(lambda: world.runs().get(VICTIM) != before[VICTIM], 60)
    segments = [s for s in world.site.segments(VICTIM) if s.ended_at_us > began_us]
    longest_us = max(s.ended_at_us - s.started_at_us for s in segments)
    lost_us = world.unaccounted_us(VICTIM)
    seen = f"new run, longest file {longest_us / SECOND_US:.1f} s, unaccounted {lost_us / SECOND_US:.1f} s"
    is_good = longest_us <= (SEGMENT_SECONDS + 4) * SECOND_US and lost_us == 0
    fault = f"F5 timestamps leap by {seconds:+.0f} s"
    return Seen(fault, "new run, no file longer than its time", seen, is_good)


def f5_forwards(world: FaultSite) -> Seen:
    return _leap(world, 3600)


def f5_backwards(world: FaultSite) -> Seen:
    return _leap(world, -3600)


def f7(world: FaultSite) -> Seen:
    """Another resolution: a new run whose file describes it, soon after the first changed picture."""
    wait_until(world.is_quiet, 60)
    before = world.runs()
    world.cameras.control.change_resolution(VICTIM, "640x368")  # answers when the pictures are prepared
    asked_us = CLOCK.wall_us()
    wait_until(lambda: world.runs().get(VICTIM) != before[VICTIM], 60)
    new = next(s for s in world.site.segments(VICTIM) if s.run_id == world.runs()[VICTIM])
    changed_us = next(f.sent_at_us for f in world.sent(VICTIM) if f.is_keyframe and f.sent_at_us > asked_us)
    after_us = new.started_at_us - changed_us
    world.cameras.control.change_resolution(VICTIM, "1280x720")
    wait_until(lambda: world.runs().get(VICTIM) != new.run_id, 60)
    seen = f"{new.stream.width_px} px wide after {after_us / SECOND_US:.1f} s"
    is_good = new.stream.width_px == 640 and after_us <= FORMAT_US
    return Seen("F7 resolution changes", "new run with its own description within 10 s", seen, is_good)


def f8(world: FaultSite) -> Seen:
    """A camera with far too few keyframes is recorded; its files end at the next keyframe."""
    segments = world.odd.segments(ODD_KEYFRAMES)
    longest_us = max((s.ended_at_us - s.started_at_us for s in segments), default=0)
    gaps = len({s.run_id for s in segments}) - 1
    seen = f"{len(segments)} files, longest {longest_us / SECOND_US:.1f} s, {gaps} reconnections"
    is_good = len(segments) > 1 and longest_us <= (SEGMENT_SECONDS + 2 * ODD_GOP_S) * SECOND_US
    expected = f"files of at most {SEGMENT_SECONDS + 2 * ODD_GOP_S} s"
    return Seen(f"F8 keyframes {ODD_GOP_S} s apart", expected, seen, is_good)


def f9(world: FaultSite) -> Seen:
    """Sound that nobody knows stops no picture, and the files say what became of it."""
    segments = world.odd.segments(ODD_SOUND)
    last = segments[-1].stream.sound if segments else None
    seen = f"{len(segments)} files, the last one's sound: {last}"
    is_good = len(segments) > 1 and last == Sound(SoundKind.LEFT_OUT, "unknown")
    return Seen("F9 sound nobody knows", "pictures recorded, sound noted as left out", seen, is_good)


def f27_password(world: FaultSite) -> Seen:
    found = switched(world, Fault.WRONG_PASSWORD, 15)
    return judged("F27 camera refuses the password", found, {Cause.UNAUTHORIZED}, lasts_s=15)


def f27_sessions(world: FaultSite) -> Seen:
    found = switched(world, Fault.TOO_MANY_SESSIONS, 15)
    return judged("F27 camera has too many sessions", found, {Cause.TOO_MANY_SESSIONS}, lasts_s=15)


def f27_busy(world: FaultSite) -> Seen:
    found = switched(world, Fault.SERVICE_UNAVAILABLE, 15)
    return judged("F27 camera says it is overloaded", found, {Cause.TOO_MANY_SESSIONS}, lasts_s=15)
