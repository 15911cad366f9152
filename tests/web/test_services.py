import threading
from pathlib import Path

from config.settings import Settings
from evidence.database import WriterDatabase
from exam.clock import SimulatedClock
from tests.world import CLOCK_US
from web.services import ANY_TOPIC, Bus, open_services, room_topic
from web.stream import wakes


def test_a_publication_wakes_who_waits_for_the_topic_or_for_anything() -> None:
    bus = Bus()
    woken: list[tuple[str, int]] = []
    waiting = [
        threading.Thread(target=lambda topic=topic: woken.append((topic, bus.wait(topic, 0, 10))))
        for topic in (room_topic(1), ANY_TOPIC)
    ]
    for thread in waiting:
        thread.start()
    bus.publish(room_topic(1))
    for thread in waiting:
        thread.join()
    assert sorted(woken) == [(ANY_TOPIC, 1), ("room:1", 1)]


def test_other_topics_wake_nobody() -> None:
    bus = Bus()
    bus.publish("room:2")
    assert bus.wait("room:1", 0, 0.01) == 0


def test_a_wake_between_two_waits_is_not_lost() -> None:
    bus = Bus()
    seen = bus.current("room:1")
    bus.publish("room:1")
    assert bus.wait("room:1", seen, 10) == seen + 1


def test_waking_everybody_counts_once() -> None:
    bus = Bus()
    bus.publish(ANY_TOPIC)
    assert bus.current(ANY_TOPIC) == 1


def test_a_stream_starts_with_the_present_and_ends_when_the_service_stops() -> None:
    bus = Bus()
    frames = wakes(bus, "room:1", 0, lambda counter: f"line {counter}\nnext")
    assert next(frames) == "retry: 1000\nid: 0\ndata: line 0\ndata: next\n\n"
    bus.publish("room:1")
    assert next(frames) == "id: 1\ndata: line 1\ndata: next\n\n"
    bus.close()
    assert list(frames) == []


def test_a_silent_stream_pings() -> None:
    class Silent(Bus):
        """Nobody publishes; waiting takes no time."""

        def wait(self, topic: str, after: int, timeout_s: float) -> int:
            return super().wait(topic, after, min(timeout_s, 0.001))

    frames = wakes(Silent(), "room:1", 0, str)
    next(frames)
    assert [next(frames), next(frames)] == [": ping\n\n", ": ping\n\n"]


def test_footage_is_read_once_the_recorder_has_made_it(tmp_path: Path) -> None:
    services = open_services(Settings(data_folder=tmp_path), SimulatedClock(CLOCK_US))
    assert services.footage() is None
    WriterDatabase(tmp_path / "footage.db", "footage").close()
    reader = services.footage()
    assert reader is not None
    assert services.footage() is reader
    services.close()
    assert services.bus.is_closed()
    assert "theory" in services.procedures
