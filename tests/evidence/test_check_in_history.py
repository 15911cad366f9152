"""What is on record about one candidate: who he is, every scan, every act."""

from evidence.check_in_history import load_acts, load_attempts, load_person
from exam.admission_authority import Act
from exam.admission_facts import ReadDocument
from exam.outcomes import Outcome
from tests.evidence.check_ins import Desk, second_kiosk
from tests.evidence.office import Office
from tests.world import CLOCK_US, World


def test_a_person_is_known_by_his_seat_and_masked_for_others(world: World) -> None:
    with world.exam.read() as connection:
        person = load_person(connection, world.session_id, world.on_time.id)
        assert load_person(connection, world.session_id, 999) is None
    assert person is not None
    assert (person.name, person.masked_name, person.id_tail) == ("陈一诺", "陈*诺", "0015")
    assert (person.room_label, person.place_label, person.session_code) == ("第1考场", "1", "T1")


def test_every_scan_is_told_with_what_became_of_it(desk: Desk, world: World) -> None:
    desk.ask(world.on_time, id_number=world.late.id_number)
    desk.ask(world.on_time, read=ReadDocument(name="陈一喏"))
    desk.upload(world.on_time, CLOCK_US + 1)
    desk.upload(world.on_time, CLOCK_US + 2, kiosk_id=second_kiosk(world))
    with world.exam.read() as connection:
        mismatch, misread, first, second = load_attempts(connection, world.session_id, world.on_time.id)
        [other] = load_attempts(connection, world.session_id, world.late.id)
    assert (mismatch.outcome, mismatch.is_his, other.id) == (Outcome.ID_TICKET_MISMATCH, False, mismatch.id)
    assert (misread.outcome, misread.read_name, misread.is_his) == (Outcome.NAME_MISMATCH, "陈一喏", True)
    assert (first.decided_by, first.stands) == ("kiosk", False)
    assert (second.outcome, second.shown, second.kiosk_label) == (
        Outcome.DUP_CONFLICT,
        Outcome.OK_OFFLINE,
        "二号签到机",
    )


def test_acts_are_told_with_who_signed_and_where_to(desk: Desk, world: World) -> None:
    office = Office(desk)
    desk.ask(world.on_time)
    place_id = world.on_time.place_id + 5
    office.send(office.about(Act.SEAT_CHANGE, world.on_time, place_id=place_id), office.lead(alone=False))
    office.send(office.about(Act.REDIRECT, world.on_time, room_id=world.room_2), office.proctor())
    with world.exam.read() as connection:
        moved, sent = load_acts(connection, world.session_id, world.on_time.id)
        *_, latest = load_attempts(connection, world.session_id, world.on_time.id)
    assert (moved.act, moved.name, moved.second_name) == (Act.SEAT_CHANGE, "李强", "王芳")
    assert (moved.room_label, moved.place_label, moved.reason) == ("第1考场", "6", "已核对")
    assert (sent.act, sent.room_label, sent.place_label, sent.second_name) == (
        Act.REDIRECT,
        "第2考场",
        "",
        "",
    )
    assert (latest.outcome, latest.stands, latest.is_undone) == (Outcome.OK_EMERGENCY_ROOM, True, False)
