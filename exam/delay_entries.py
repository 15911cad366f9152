"""Whether a delay may be written down as somebody says it was (延误登记, 14(4), R13). Pure."""

from enum import StrEnum

from exam.room_times import RoomTimes


class DelayRefusal(StrEnum):
    """Why an entry makes no sense."""

    NOT_RUNNING = "not_running"
    OVER = "over"
    # Ends before it begins, or has not been yet.
    WRONG_WAY_ROUND = "wrong_way_round"
    IN_THE_FUTURE = "in_the_future"
    BEFORE_START = "before_start"


def delay_refusal(
    times: RoomTimes, started_at_us: int, stopped_at_us: int, now_us: int
) -> DelayRefusal | None:
    """Why a delay of that stretch cannot be written down for the room; None when it can."""
    if times.started_at_us is None:
        return DelayRefusal.NOT_RUNNING
    if times.finished_at_us is not None:
        return DelayRefusal.OVER
    if stopped_at_us <= started_at_us:
        return DelayRefusal.WRONG_WAY_ROUND
    if stopped_at_us > now_us:
        return DelayRefusal.IN_THE_FUTURE
    # Minutes are typed: the one in which the room started counts as its own.
    return DelayRefusal.BEFORE_START if stopped_at_us <= times.started_at_us else None
