"""What the memory gives to the ticket printer."""

from evidence.admission_tickets import load_head, load_tickets
from exam.day import PlaceKind, SessionKind
from tests.world import DURATION_US, START_US, World


def test_the_head_names_session_batch_and_site(world: World) -> None:
    with world.exam.read() as connection:
        head = load_head(connection, world.session_id)
    assert head is not None
    assert (head.session_code, head.kind, head.subject) == ("T1", SessionKind.THEORY, "理论知识")
    assert (head.planned_start_us, head.duration_us) == (START_US, DURATION_US)
    assert (head.batch_name, head.occupation, head.level) == ("2026年第1批次", "电工", "三级/高级工")
    assert (head.site_name, head.site_address) == ("示例职业技能考点", "")


def test_an_unknown_session_has_no_head_and_no_tickets(world: World) -> None:
    with world.exam.read() as connection:
        assert load_head(connection, 999) is None
        assert load_tickets(connection, 999) == []


def test_tickets_come_by_room_and_place(world: World) -> None:
    with world.exam.read() as connection:
        tickets = load_tickets(connection, world.session_id)
    assert [ticket.name for ticket in tickets] == ["陈一诺", "赵迟", "孙错", "周远"]
    assert [ticket.room_label for ticket in tickets] == ["第1考场", "第1考场", "第1考场", "第2考场"]
    assert {ticket.place_kind for ticket in tickets} == {PlaceKind.SEAT}


def test_a_ticket_carries_the_tail_of_the_number_and_no_more(world: World) -> None:
    with world.exam.read() as connection:
        ticket = load_tickets(connection, world.session_id)[0]
    assert ticket.id_number_tail == world.on_time.id_number[-4:]
    assert world.on_time.id_number not in repr(ticket)
