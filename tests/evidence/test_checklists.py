from sqlite3 import IntegrityError

import pytest

from evidence.checklists import Tick, Ticked, load_ticks, tick
from evidence.ledger import LeafKind, read_leaves
from tests.world import CLOCK_US, World


def test_the_first_tick_of_an_entry_stands(world: World) -> None:
    one = Tick(world.session_id, world.room_1, "B1", "clocks", world.site_lead_account_id, CLOCK_US)
    with world.exam.write() as connection:
        assert tick(connection, one)
        assert not tick(connection, one)
        found = load_ticks(connection, world.session_id, world.room_1)
        assert found == {("B1", "clocks"): Ticked("李强", CLOCK_US)}
        assert load_ticks(connection, world.session_id, world.room_2) == {}
        assert [leaf.kind for leaf, _ in read_leaves(connection)] == [LeafKind.CHECKLIST_TICK]
        for statement in ("update checklist_tick set entry = entry", "delete from checklist_tick"):
            with pytest.raises(IntegrityError):
                connection.execute(statement)
