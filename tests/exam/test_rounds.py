from exam.clock import MINUTE_US
from exam.rounds import NEAR_US, Errand, Reason, Visit, rounds

NOW_US = 1_800_000_000_000_000


def visit(room_id: int, *errands: Errand, next_us: int | None = None, since_us: int | None = 1) -> Visit:
    return Visit(7, room_id, tuple(Reason(errand, errand.name, since_us) for errand in errands), next_us)


def order(*rooms: Visit) -> list[int]:
    return [one.room_id for one in rounds(rooms, NOW_US)]


def test_a_signal_that_was_not_given_comes_first() -> None:
    said, bell = visit(1, Errand.SAY_ALOUD), visit(2, Errand.SAY_CALL, Errand.GIVE_SIGNAL)
    assert order(said, bell) == [2, 1]
    assert rounds([bell], NOW_US)[0].urgency is Errand.GIVE_SIGNAL
    assert [one.errand for one in rounds([bell], NOW_US)[0].reasons] == [Errand.GIVE_SIGNAL, Errand.SAY_CALL]


def test_of_two_alike_the_room_with_the_nearer_signal_comes_first_then_the_older_trouble() -> None:
    far, near = (visit(room, Errand.SAY_CALL, next_us=NOW_US + at) for room, at in ((1, 9), (2, 5)))
    none = visit(3, Errand.SAY_CALL)
    assert order(none, far, near) == [2, 1, 3]
    assert order(visit(1, Errand.SAY_CALL, since_us=5), visit(2, Errand.SAY_CALL, since_us=4)) == [2, 1]
    assert order(visit(1, Errand.SAY_CALL, since_us=5), visit(2, Errand.SAY_CALL, since_us=None)) == [2, 1]


def test_a_device_out_of_order_can_wait_while_its_next_signal_is_far() -> None:
    assert order(visit(1, Errand.NO_SOUND, next_us=NOW_US + NEAR_US)) == [1]
    assert order(visit(1, Errand.LOOK_AT_PLAYER, next_us=NOW_US + NEAR_US + 1)) == []
    assert order(visit(1, Errand.NO_SOUND)) == []
    kept = rounds([visit(1, Errand.NO_SOUND, Errand.SAY_CALL, next_us=NOW_US + 90 * MINUTE_US)], NOW_US)
    assert [one.errand for one in kept[0].reasons] == [Errand.SAY_CALL]
