"""How far a ledger is signed, read from beside the service that signs it."""

import pytest

from evidence.checkpoints import CheckpointError, Checkpoints
from evidence.ledger import tree_head
from evidence.merkle import TreeHead
from evidence.signed_ledger import SignedLedger
from tests.world import CLOCK_US, World


def ledger(world: World) -> SignedLedger:
    return SignedLedger(world.exam.path, world.folder / "keys", "exam")


def test_nothing_is_signed_before_the_service_ever_ran(world: World) -> None:
    signed = ledger(world)
    with pytest.raises(CheckpointError, match="not signed yet"):
        signed.head()
    signed.close()


def test_a_ledger_that_was_never_signed_has_no_leaf_that_counts(world: World) -> None:
    checkpoints = Checkpoints(world.footage, world.folder / "keys", "footage")
    signed = SignedLedger(world.footage.path, world.folder / "keys", "footage")
    assert signed.head() == TreeHead(0, b"")
    checkpoints.sign(CLOCK_US)
    with world.footage.read() as connection:
        assert signed.head() == tree_head(connection)
    signed.close()
    checkpoints.close()
