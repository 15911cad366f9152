"""Settings of one site machine: a TOML file, checked whole, every error at once.

A missing file means the defaults. A key nobody knows is an error, so that a typing mistake is
noticed the day before and not on exam day.
"""

import tomllib
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator


class SettingsError(Exception):
    """The settings file cannot be used; the message lists every fault with its key."""


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class WebSettings(_Section):
    """Where the console listens."""

    host: str = Field(
        "127.0.0.1", description="Address to listen on; anything but loopback is served over HTTPS only."
    )
    port: int = Field(8600, ge=1, le=65535, description="Port of the console.")
    threads: int = Field(
        120, ge=8, le=500, description="Threads for requests; each open tablet page holds one."
    )
    signed_tickets: bool = Field(
        default=True, description="Whether the QR codes of tickets printed here are signed tickets."
    )


class SignalSettings(_Section):
    """How signals are given."""

    two_persons_arm: bool = Field(
        default=False, description="Whether a second person must agree before automatic signals are armed."
    )


class RecorderSettings(_Section):
    """How cameras are recorded."""

    segment_seconds: int = Field(60, ge=4, le=600, description="Length of one footage file, in seconds.")
    onvif_port: int = Field(
        80, ge=0, le=65535, description="Port at which cameras are asked for their time (ONVIF); 0: never."
    )
    audio: bool = Field(default=True, description="Whether sound is recorded with the pictures.")
    volumes: list[Path] = Field(
        default_factory=list,
        description="Folders for footage; empty: the folder 'footage' below data_folder.",
    )
    reserve_volume: Path | None = Field(
        None, description="Folder for footage while none of the volumes takes any; nothing: there is none."
    )
    keep_free_mb: int = Field(
        512, ge=0, description="Room in MiB that footage leaves free on each volume; less counts as full."
    )
    immutable: bool = Field(
        default=True,
        description="Whether finished footage files get the immutable flag where that is possible.",
    )
    mirror: Path | None = Field(
        None, description="Folder on another disk for a second copy of all footage; nothing: there is none."
    )
    fixity_mb_per_s: float = Field(
        20, gt=0, description="How fast footage is read for the regular fixity check, in MB per second."
    )
    fixity_days: int = Field(90, ge=1, le=366, description="Within how many days every file is read once.")
    export_folders: list[Path] = Field(
        default_factory=list,
        description="Folders that footage may be exported to; empty: the folder 'exports' below data_folder.",
    )


class PictureSettings(_Section):
    """Whether the recorder looks at the pictures."""

    enabled: bool = Field(
        default=True, description="Whether picture health is watched and thumbnails are made."
    )


# A device on a USB port is named by its numbers, and by the port where two are alike.
DEVICE: Final = r"usb:[0-9a-fA-F]{4}:[0-9a-fA-F]{4}(@[0-9][0-9.\-]*)?|serial:/dev/[^@\s]+(@\d{3,7})?"
PRINTABLE: Final = r"^[!-~]*$"

ScannerName = Annotated[str, Field(pattern=rf"^({DEVICE})$")]
ReaderName = Annotated[str, Field(pattern=rf"^({DEVICE}|ocr|http://(127\.0\.0\.1|localhost)(:\d+)?(/\S*)?)$")]


class KioskSettings(_Section):
    """This machine's check-in kiosk."""

    enabled: bool = Field(default=True, description="Whether 'serve' also runs a kiosk on this machine.")
    port: int = Field(8610, ge=1, le=65535, description="Loopback port of the candidate screen.")
    server: str = Field(
        "",
        pattern=r"^(https?://.+)?$",
        description="Address of the console the kiosk asks; empty: the console on this machine.",
    )
    camera: str = Field(
        "usb:0",
        pattern=r"^(usb:\d+|rtsp://.+|folder:.+|video:.+)$",
        description="Where frames come from: usb:NUMBER, rtsp://ADDRESS, folder:PATH or video:PATH.",
    )
    region: tuple[float, float, float, float] = Field(
        default=(0.0, 0.0, 1.0, 1.0),
        description="Part of the picture that is looked at: left, top, width and height as shares of it.",
    )
    face_camera: str = Field(
        "",
        pattern=r"^((usb:\d+|rtsp://.+|folder:.+|video:.+))?$",
        description="Second camera, for photos at check-in, written as camera; empty: the first takes them.",
    )
    symbologies: tuple[Literal["CODE128", "CODE39", "ITF", "EAN13", "QRCODE", "PDF417"], ...] = Field(
        default=("CODE128", "QRCODE"), min_length=1, description="Kinds of code that tickets may carry."
    )

    ticket_scanners: tuple[ScannerName, ...] = Field(
        default=(),
        description="Hand scanners for tickets: usb:VENDOR:PRODUCT[@PORT] or serial:DEVICE[@SPEED].",
    )
    id_readers: tuple[ReaderName, ...] = Field(
        default=(),
        description="ID readers: as ticket_scanners, or http://127.0.0.1:PORT of a service, or ocr.",
    )
    scan_prefix: str = Field(
        "",
        max_length=8,
        pattern=PRINTABLE,
        description="What the site's hand scanners send before each code.",
    )
    scan_suffix: str = Field(
        "",
        max_length=8,
        pattern=PRINTABLE,
        description="What they send after each code, before Enter or Tab.",
    )
    volume: int = Field(80, ge=0, le=100, description="Loudness of the spoken prompts in percent; 0: silent.")
    spoken: tuple[Literal["zh", "en"], ...] = Field(
        default=("zh",), min_length=1, description="Languages of the spoken prompts, one after another."
    )

    @field_validator("region")
    @classmethod
    def _lies_in_the_picture(cls, region: tuple[float, ...]) -> tuple[float, ...]:
        left, top, width, height = region
        if min(left, top) < 0 or min(width, height) <= 0 or max(left + width, top + height) > 1:
            raise ValueError("must lie in the picture: shares from 0 to 1, with a width and a height")
        return region

    @model_validator(mode="after")
    def _has_one_role_for_each_device(self) -> Self:
        named = [name.lower() for name in (*self.ticket_scanners, *self.id_readers)]
        twice = sorted({name for name in named if named.count(name) > 1})
        if twice:
            raise ValueError(f"each device may be named once only: {', '.join(twice)}")
        return self


class SpeakerSettings(_Section):
    """This machine's loudspeaker, when `run.py speaker` runs here."""

    player: str = Field(
        "auto",
        min_length=1,
        description="What sounds: auto, pulse, alsa, pw-play, paplay, aplay, or a command with {file} in it.",
    )
    device: str = Field(
        "", description="Name of the sound output, as PulseAudio or ALSA calls it; empty: the default one."
    )


class Settings(_Section):
    """Everything a service needs to know about this machine."""

    data_folder: Path = Field(
        Path("var/site"), description="Databases, keys, audio and (by default) footage."
    )
    procedures_folder: Path | None = Field(
        None, description="Folder of the site's own exam procedures (*.toml); nothing: those of the product."
    )
    database_reserve_mb: int = Field(
        64, ge=0, description="Room in MiB set aside beside each database, given up when its disk is full."
    )
    admission_policy: Path | None = Field(
        None, description="File with what this site does otherwise at check-in; nothing: as the product does."
    )
    web: WebSettings = Field(default_factory=WebSettings)
    signals: SignalSettings = Field(default_factory=SignalSettings)
    recorder: RecorderSettings = Field(default_factory=RecorderSettings)
    pictures: PictureSettings = Field(default_factory=PictureSettings)
    kiosk: KioskSettings = Field(default_factory=KioskSettings)
    speaker: SpeakerSettings = Field(default_factory=SpeakerSettings)

    @property
    def exam_db(self) -> Path:
        return self.data_folder / "exam.db"

    @property
    def footage_db(self) -> Path:
        return self.data_folder / "footage.db"

    @property
    def late_facts(self) -> Path:
        """Where the recorder keeps facts that its database refuses."""
        return self.data_folder / "late_facts.jsonl"

    @property
    def keys_folder(self) -> Path:
        return self.data_folder / "keys"

    @property
    def site_key(self) -> Path:
        return self.keys_folder / "site.key"

    @property
    def kiosk_token(self) -> Path:
        return self.keys_folder / "kiosk.token"

    @property
    def kiosk_key(self) -> Path:
        """The kiosk's own Ed25519 key, made when it enrolled."""
        return self.keys_folder / "kiosk.key"

    @property
    def kiosk_place(self) -> Path:
        """Which console this machine's kiosk enrolled at; missing: the one on this machine."""
        return self.keys_folder / "kiosk.place"

    @property
    def kiosk_secrets(self) -> Path:
        """What opens the packages that this machine's kiosk holds."""
        return self.keys_folder / "kiosk.secrets"

    @property
    def kiosk_outbox_key(self) -> Path:
        """What seals the scans that this machine's kiosk still has to bring to the console."""
        return self.keys_folder / "kiosk.outbox"

    @property
    def kiosk_db(self) -> Path:
        return self.data_folder / "kiosk.db"

    @property
    def kiosk_server(self) -> str:
        """The console the kiosk asks; the one on this machine when nothing else is set."""
        if self.kiosk.server:
            return self.kiosk.server
        if self.web.host in {"127.0.0.1", "localhost", "::1"}:
            host = "[::1]" if self.web.host == "::1" else self.web.host
            return f"http://{host}:{self.web.port}"
        host = "localhost" if self.web.host in {"0.0.0.0", "::"} else self.web.host  # noqa: S104 - not bound here
        return f"https://{host}:{self.web.port}"

    @property
    def speaker_folder(self) -> Path:
        """What this machine's speaker keeps: token, schedule, sounds, journal."""
        return self.data_folder / "speaker"

    @property
    def audio_folder(self) -> Path:
        return self.data_folder / "audio"

    @property
    def clips_folder(self) -> Path:
        """The kiosk's spoken prompts, rendered beforehand."""
        return self.data_folder / "clips"

    @property
    def check_in_folder(self) -> Path:
        """Encrypted photos and signatures taken at check-in."""
        return self.data_folder / "check_in"

    @property
    def thumbnails_folder(self) -> Path:
        return self.data_folder / "thumbnails"

    @property
    def footage_volumes(self) -> list[Path]:
        return self.recorder.volumes or [self.data_folder / "footage"]

    @property
    def default_export_folder(self) -> Path:
        return self.data_folder / "exports"

    @property
    def export_folders(self) -> list[Path]:
        return self.recorder.export_folders or [self.default_export_folder]


def load_settings(path: Path | None) -> Settings:
    """Read and check the file. Raises SettingsError naming the file and every faulty key."""
    if path is None:
        return Settings()
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError(f"settings file {path}: cannot be read ({error.strerror})") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"settings file {path}: not valid TOML: {error}") from error
    return _checked(raw, path)


def _checked(raw: dict[str, Any], path: Path) -> Settings:
    try:
        return Settings.model_validate(raw)
    except ValidationError as error:
        faults = [f"  {'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors()]
        raise SettingsError(f"settings file {path}: {len(faults)} fault(s)\n" + "\n".join(faults)) from error
