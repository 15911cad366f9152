"""Results of camera preflights: kept once, with a leaf that commits to the picture, never changed."""

import hashlib
import json
import sqlite3
from pathlib import Path

import pytest

from evidence.database import WriterDatabase
from evidence.ledger import read_leaves
from evidence.preflight import NewPreflight, Source, add_preflight, preflight_picture, preflights
from exam.preflight import Grade, Reach, judge
from tests.evidence.store import CAMERA, FIRST_US
from tests.exam.test_preflight import LIMITS, SOUND_CAMERA

PICTURE = b"\xff\xd8 a picture"


@pytest.fixture
def footage(tmp_path: Path):  # type: ignore[no-untyped-def]
    database = WriterDatabase(tmp_path / "footage.db", "footage")
    yield database
    database.close()


def good(order_id: int = 1) -> NewPreflight:
    findings = judge(Reach.ANSWERED, SOUND_CAMERA, LIMITS, has_picture=True)
    return NewPreflight(order_id, CAMERA, Source.RECORDING, findings, SOUND_CAMERA, PICTURE)


def test_a_result_is_kept_with_its_measurements_and_its_picture(footage: WriterDatabase) -> None:
    with footage.write() as connection:
        add_preflight(connection, good(), FIRST_US)
        (found,) = preflights(connection, 1)
        assert found.grade is Grade.GOOD
        assert found.measured == SOUND_CAMERA
        assert found.checked_at_us == FIRST_US
        assert list(found.findings) == good().findings
        assert preflight_picture(connection, 1, CAMERA) == PICTURE
        assert preflight_picture(connection, 2, CAMERA) is None


def test_its_leaf_commits_to_the_findings_and_the_picture(footage: WriterDatabase) -> None:
    with footage.write() as connection:
        add_preflight(connection, good(), FIRST_US)
        (body,) = [json.loads(leaf.body) for leaf, _ in read_leaves(connection)]
    assert body["picture_sha256"] == hashlib.sha256(PICTURE).hexdigest()
    assert body["grade"] == "good"
    assert "connection:good:answered" in body["findings"]


def test_a_camera_that_did_not_answer_has_neither_measurements_nor_picture(footage: WriterDatabase) -> None:
    findings = judge(Reach.UNAUTHORIZED, None, LIMITS, has_picture=False)
    with footage.write() as connection:
        add_preflight(connection, NewPreflight(1, CAMERA, Source.CONNECTION, findings, None, None), FIRST_US)
        (found,) = preflights(connection, 1)
        assert (found.grade, found.measured, found.picture_sha256) == (Grade.FAIL, None, None)
        assert preflight_picture(connection, 1, CAMERA) is None


def test_a_camera_has_one_result_in_a_run_and_another_in_the_next(footage: WriterDatabase) -> None:
    with footage.write() as connection:
        add_preflight(connection, good(), FIRST_US)
        add_preflight(connection, good(), FIRST_US + 1)
        add_preflight(connection, good(2), FIRST_US + 2)
        assert len(preflights(connection, 1)) == len(preflights(connection, 2)) == 1
        assert len(list(read_leaves(connection))) == 2


@pytest.mark.parametrize(
    "statement", ["update camera_preflight set grade = 'good'", "delete from camera_preflight"]
)
def test_a_result_is_never_changed(footage: WriterDatabase, statement: str) -> None:
    with footage.write() as connection:
        add_preflight(connection, good(), FIRST_US)
    with pytest.raises(sqlite3.IntegrityError, match="never"), footage.write() as connection:
        connection.execute(statement)
