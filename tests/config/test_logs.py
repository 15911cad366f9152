"""Logs are JSON for machines and lines for people, and never on standard output."""

import io
import json
from collections.abc import Iterator

import pytest
import structlog

from config.logs import configure_logs


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def _restored() -> Iterator[None]:
    yield
    structlog.reset_defaults()


def test_a_machine_reads_json_with_chinese_as_it_is() -> None:
    stream = io.StringIO()
    configure_logs(stream)
    structlog.get_logger("test").info("gap_closed", room="第1考场")
    written = json.loads(stream.getvalue())
    assert (written["event"], written["room"], written["level"]) == ("gap_closed", "第1考场", "info")


def test_a_person_reads_a_line() -> None:
    stream = Terminal()
    configure_logs(stream)
    structlog.get_logger("test").warning("camera_lost", cause="stalled")
    assert "camera_lost" in stream.getvalue()
    assert not stream.getvalue().startswith("{")


def test_results_on_standard_output_stay_clean(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs()
    structlog.get_logger("test").info("said")
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "said" in captured.err
