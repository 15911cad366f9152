"""Fixtures that every part of the tests may ask for."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.world import World, build_world


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """The small site everybody knows, in its own folder, closed afterwards."""
    built = build_world(tmp_path / "world")
    yield built
    built.close()
