"""Fixtures that every part of the tests may ask for."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.world import World, build_world

# What an example finds must not hang on how busy the machine is: speed is measured in benchmarks.
settings.register_profile("kaochang", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("kaochang")


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """The small site everybody knows, in its own folder, closed afterwards."""
    built = build_world(tmp_path / "world")
    yield built
    built.close()
