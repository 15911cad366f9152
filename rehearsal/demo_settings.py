"""Writes the demo's settings as the file that a real site would have."""

import json
from pathlib import Path

from config.settings import Settings


def write_settings(path: Path, settings: Settings) -> None:
    """The settings as TOML: sections of plain values, so JSON's notation of each value fits."""
    plain = settings.model_dump(mode="json", exclude_none=True)
    lines = [f"{key} = {json.dumps(value)}" for key, value in plain.items() if not isinstance(value, dict)]
    for section, values in plain.items():
        if isinstance(values, dict):
            lines += ["", f"[{section}]"]
            lines += [f"{key} = {json.dumps(value)}" for key, value in values.items()]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
