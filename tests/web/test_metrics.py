"""GET /metrics: who may ask, what is told, and that the documentation names exactly the same."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from evidence.checkpoints import Checkpoints
from evidence.footage import Cause, Recording
from evidence.footage_rows import note_absence
from evidence.health import HealthKind, NewTrouble, begin_trouble
from exam.clock import SECOND_US
from tests.recordings import Reel
from tests.web.console import PageClient
from tests.web.crowd import recording
from tests.world import CLOCK_US, World
from web.access import Role
from web.metric_families import METRICS
from web.services import Services

PAGE = Path(__file__).resolve().parents[2] / "docs" / "design" / "metrics.md"
Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


def scrape(client: PageClient) -> Samples:
    answer = client.get("/metrics")
    assert answer.status_code == 200
    assert answer.content_type.startswith("text/plain; version=0.0.4")
    return {
        (sample.name.removeprefix("kaochang_"), frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


def value(samples: Samples, name: str, **labels: str) -> float:
    """The one sample of this name with at least these labels."""
    (found,) = [
        number for (own, all_of), number in samples.items() if own == name and labels.items() <= set(all_of)
    ]
    return found


def test_loopback_needs_no_login_and_others_must_administer(
    anonymous: PageClient, as_role: Callable[[Role], PageClient]
) -> None:
    assert anonymous.get("/metrics").status_code == 200
    far = {"REMOTE_ADDR": "192.0.2.7"}
    assert anonymous.get("/metrics", environ_overrides=far).status_code == 403
    assert anonymous.get("/metrics", environ_overrides={"REMOTE_ADDR": "unix"}).status_code == 403
    assert as_role(Role.SITE_LEAD).get("/metrics", environ_overrides=far).status_code == 403
    assert as_role(Role.ADMINISTRATOR).get("/metrics", environ_overrides=far).status_code == 200


def test_the_documentation_names_every_metric_and_its_labels_and_no_other() -> None:
    rows = re.findall(r"^\| `kaochang_(\w+)` \|([^|]*)\|", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    told = {name: tuple(re.findall(r"`(\w+)`", labels)) for name, labels in rows}
    camera = {"camera", "label", "room"}
    real = {
        name: tuple(label for label in labels if label not in camera) for name, (_, labels) in METRICS.items()
    }
    assert told == real


def test_a_recorded_camera_tells_its_figures(anonymous: PageClient, world: World) -> None:
    recording(world, but={world.cameras_1[0]: (Recording.DOWN, Cause.UNREACHABLE)})
    Reel(world, world.camera_2).invent(CLOCK_US - 60 * SECOND_US)
    world.clock.sleep_us(2 * SECOND_US)
    samples = scrape(anonymous)
    assert value(samples, "recorder_up") == 1
    camera = {"camera": world.camera_2, "label": "前方", "room": "第2考场"}
    assert value(samples, "camera_state", state="recording", **camera) == 1
    assert value(samples, "camera_state", state="down", **camera) == 0
    assert value(samples, "camera_state", state="down", camera=world.cameras_1[0]) == 1
    assert value(samples, "camera_last_bytes_age_seconds", **camera) == 2
    assert value(samples, "camera_bitrate_bps", **camera) == 4_000_000
    assert value(samples, "camera_segments_today", **camera) == 1
    assert value(samples, "camera_bytes_today", **camera) > 0
    assert value(samples, "camera_segments_today", camera=world.cameras_1[0]) == 0
    assert value(samples, "alarms_open", kind="no_footage", acknowledged="no") == 1


def test_gaps_are_counted_by_cause_and_one_that_lasts_until_now(anonymous: PageClient, world: World) -> None:
    recording(world)
    with world.footage.write() as connection:
        note_absence(connection, world.camera_2, CLOCK_US - 30 * SECOND_US, Cause.STALLED, CLOCK_US)
        connection.execute(
            "insert into gap (camera_uuid, started_at_us, ended_at_us, cause) values (?, ?, ?, 'stalled')",
            (world.camera_2, CLOCK_US - 90 * SECOND_US, CLOCK_US - 80 * SECOND_US),
        )
    samples = scrape(anonymous)
    assert value(samples, "camera_gaps_today", camera=world.camera_2, cause="stalled") == 2
    assert value(samples, "camera_gap_seconds_today", camera=world.camera_2, cause="stalled") == 40


def test_pictures_volumes_ledgers_and_kiosks_have_their_figures(
    anonymous: PageClient, world: World, services: Services
) -> None:
    recording(world)
    now_us = world.clock.wall_us()
    with world.footage.write() as connection:
        begin_trouble(connection, NewTrouble(world.camera_2, HealthKind.FROZEN, now_us, {}), now_us)
        connection.execute(
            "insert into volume_state (path, role, trouble, since_us, total_bytes, free_bytes, free_inodes,"
            " keep_free_bytes, write_bps, hours_left, updated_at_us)"
            " values ('/e/1', 'normal', '', ?, 900, 700, 5, 10, 8, 12.5, ?),"
            " ('/e/2', 'reserve', 'not_mounted', ?, null, null, null, 10, 0, null, ?)",
            (now_us, now_us, now_us, now_us),
        )
    with world.exam.write() as connection:
        connection.execute("update kiosk set last_seen_at_us = ?", (now_us - 4 * SECOND_US,))
    checkpoints = Checkpoints(world.exam, services.settings.keys_folder, "exam")
    checkpoints.sign(now_us - 7 * SECOND_US)
    checkpoints.close()
    samples = scrape(anonymous)
    assert value(samples, "camera_picture_trouble", camera=world.camera_2, kind="frozen") == 1
    assert value(samples, "volume_usable", volume="/e/1", role="normal") == 1
    assert value(samples, "volume_usable", volume="/e/2", role="reserve") == 0
    assert value(samples, "volume_free_bytes", volume="/e/1") == 700
    assert value(samples, "volume_hours_left", volume="/e/1") == 12.5
    assert not [key for key in samples if key[0] == "volume_hours_left" and ("volume", "/e/2") in key[1]]
    assert value(samples, "ledger_leaves", ledger="footage") >= 1
    assert value(samples, "ledger_checkpoint_age_seconds", ledger="exam") == 7
    assert value(samples, "kiosk_silence_seconds", kiosk="一号签到机") == 4


def test_a_silent_recorder_is_down_and_none_at_all_too(
    anonymous: PageClient, world: World, services: Services
) -> None:
    recording(world)
    world.clock.sleep_us(11 * SECOND_US)
    samples = scrape(anonymous)
    assert value(samples, "recorder_up") == 0
    assert value(samples, "alarms_open", kind="recorder_away", acknowledged="no") == 1
    services.footage.close()
    services.footage.path = services.footage.path.with_name("not-yet.db")
    samples = scrape(anonymous)
    assert value(samples, "recorder_up") == 0


@pytest.mark.parametrize("secret", ["rtsp://", "127.0.0.1", "陈一诺"])
def test_no_address_and_no_person_is_told(anonymous: PageClient, world: World, secret: str) -> None:
    recording(world)
    assert secret not in anonymous.get("/metrics").text
