"""Settings: defaults without a file, every fault at once with one."""

from pathlib import Path

import pytest

from config.settings import KioskSettings, Settings, SettingsError, WebSettings, load_settings


def test_without_a_file_the_defaults_hold() -> None:
    settings = load_settings(None)
    assert settings.web.host == "127.0.0.1"
    assert settings.footage_volumes == [settings.data_folder / "footage"]


def test_a_file_changes_what_it_names(tmp_path: Path) -> None:
    path = tmp_path / "kaochang.toml"
    path.write_text('data_folder = "elsewhere"\n[recorder]\nsegment_seconds = 10\nvolumes = ["a", "b"]\n')
    settings = load_settings(path)
    assert settings.recorder.segment_seconds == 10
    assert settings.footage_volumes == [Path("a"), Path("b")]
    assert settings.exam_db == Path("elsewhere/exam.db")


def test_every_fault_is_named_at_once_with_its_key(tmp_path: Path) -> None:
    path = tmp_path / "kaochang.toml"
    path.write_text('colour = "red"\n[web]\nport = 70000\n[kiosk]\ncamera = "telescope"\n')
    with pytest.raises(SettingsError) as refused:
        load_settings(path)
    for part in (str(path), "3 fault(s)", "colour", "web.port", "kiosk.camera"):
        assert part in str(refused.value)


@pytest.mark.parametrize("region", [(0.5, 0, 0.6, 1), (-0.1, 0, 1, 1), (0, 0, 0, 1), (0, 0.5, 1, 0.6)])
def test_a_region_outside_the_picture_is_a_fault(region: tuple[float, float, float, float]) -> None:
    with pytest.raises(ValueError, match="must lie in the picture"):
        KioskSettings(region=region)


def test_a_file_that_is_not_toml_is_named(tmp_path: Path) -> None:
    path = tmp_path / "kaochang.toml"
    path.write_text("port: 80")
    with pytest.raises(SettingsError, match="not valid TOML"):
        load_settings(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="No such file"):
        load_settings(tmp_path / "none.toml")


def test_all_files_lie_below_the_data_folder() -> None:
    settings = Settings(data_folder=Path("d"))
    paths = [
        settings.exam_db,
        settings.footage_db,
        settings.site_key,
        settings.kiosk_token,
        settings.audio_folder,
        settings.keys_folder,
    ]
    assert all(path.parts[0] == "d" for path in paths)


@pytest.mark.parametrize(
    ("host", "server", "expected"),
    [
        ("127.0.0.1", "", "http://127.0.0.1:8600"),
        ("::1", "", "http://[::1]:8600"),
        ("0.0.0.0", "", "https://localhost:8600"),
        ("192.168.3.10", "", "https://192.168.3.10:8600"),
        ("127.0.0.1", "https://kaochang.local:9000", "https://kaochang.local:9000"),
    ],
)
def test_the_kiosk_asks_the_console_of_its_machine_unless_told_otherwise(
    host: str, server: str, expected: str
) -> None:
    settings = Settings(web=WebSettings(host=host), kiosk=KioskSettings(server=server))
    assert settings.kiosk_server == expected
