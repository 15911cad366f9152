"""Fixtures of the memory's tests: the small world's check-in desk and its office."""

import pytest

from tests.evidence.check_ins import Desk
from tests.evidence.office import Office
from tests.world import World


@pytest.fixture
def desk(world: World) -> Desk:
    """Check-ins of the small world."""
    return Desk(world)


@pytest.fixture
def office(desk: Desk) -> Office:
    """Staff who act on them."""
    return Office(desk)
