"""The metrics this site offers, as Prometheus families: names, meanings and labels in one table.

docs/design/metrics.md lists the same names; a test compares the two.
"""

from collections.abc import Iterable, Mapping
from typing import Final

from prometheus_client.core import GaugeMetricFamily

CAMERA: Final = ("camera", "label", "room")
_PREFIX: Final = "kaochang_"

# Name without prefix: what it says, and its labels.
METRICS: Final[Mapping[str, tuple[str, tuple[str, ...]]]] = {
    "recorder_up": ("1 while the recorder rewrites its states.", ()),
    "camera_state": ("1 for the state the camera is in.", (*CAMERA, "state")),
    "camera_last_bytes_age_seconds": ("Since the last bytes of the camera arrived.", CAMERA),
    "camera_bitrate_bps": ("Bits per second over the last seconds.", CAMERA),
    "camera_gaps_today": ("Gaps that touch this day.", (*CAMERA, "cause")),
    "camera_gap_seconds_today": ("Seconds of this day without footage.", (*CAMERA, "cause")),
    "camera_segments_today": ("Files of this day in the index.", CAMERA),
    "camera_bytes_today": ("Bytes of this day in the index.", CAMERA),
    "camera_ingest_lag_seconds": ("From the end of the last file to its row.", CAMERA),
    "camera_clock_offset_seconds": ("Camera clock minus this machine's.", CAMERA),
    "camera_picture_trouble": ("1 while the pictures have this trouble.", (*CAMERA, "kind")),
    "volume_usable": ("1 while footage can be written there.", ("volume", "role")),
    "volume_free_bytes": ("Room of the volume's file system.", ("volume", "role")),
    "volume_hours_left": ("Hours until full at the present rate.", ("volume", "role")),
    "ledger_leaves": ("Leaves of the ledger.", ("ledger",)),
    "ledger_checkpoint_age_seconds": ("Since the last signed checkpoint.", ("ledger",)),
    "alarms_open": ("Alarms that last.", ("kind", "acknowledged")),
    "kiosk_silence_seconds": ("Since the kiosk was last heard.", ("kiosk",)),
}


class Sheet:
    """Collects the samples of one answer."""

    def __init__(self) -> None:
        self._families = {
            name: GaugeMetricFamily(_PREFIX + name, meaning, labels=labels)
            for name, (meaning, labels) in METRICS.items()
        }

    def add(self, name: str, labels: Iterable[str], value: float | None) -> None:
        """One sample; what is not known is left out rather than said to be zero."""
        if value is not None:
            self._families[name].add_metric(list(labels), value)

    def families(self) -> Iterable[GaugeMetricFamily]:
        return self._families.values()
