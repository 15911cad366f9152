import json

from evidence.ledger import read_leaves
from evidence.service_start import boot_id, record_start
from tests.world import CLOCK_US, World


def test_a_start_is_in_the_ledger_with_the_boot_it_happened_in(world: World) -> None:
    with world.exam.write() as connection:
        record_start(connection, "web", CLOCK_US)
        leaf = [leaf for leaf, _ in read_leaves(connection)][-1]
    assert leaf.kind == "service_start"
    assert json.loads(leaf.body) == {"boot_id": boot_id(), "service": "web"}
    assert len(boot_id()) == 36
